"""`Sequential`: replicates that are added only as long as a difference is undecided."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Count", "Sequential"]

Count = Annotated[int, Field(ge=1, le=1000)]
"""How many replicates a study may have."""


class Sequential(BaseModel):
    """At least `min` replicates an arm, at most `max`, and after each a look whether it is decided.

    The look is corrected for being one of many. An integer in its place is a fixed number.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        title="growing number of replicates",
    )

    min: int = Field(
        ge=2,
        le=1000,
        examples=[6],
        description="How many replicates every arm has before the first look.",
    )
    max: int = Field(ge=2, le=1000, examples=[30], description="How many an arm has at most.")
    until: Literal["decided"] = Field(
        description="When an arm gets no more: as soon as its difference is decided."
    )

    def __str__(self) -> str:
        """As a sentence has it: `5 to 30`."""
        return f"{self.min} to {self.max}"

    @model_validator(mode="after")
    def _grows(self) -> Sequential:
        if self.max <= self.min:
            raise ValueError(
                f"max ({self.max}) must be greater than min ({self.min}); a number that is fixed "
                "is written by itself, as in `replicates: 8`"
            )
        return self
