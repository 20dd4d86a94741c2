"""`Budget`: how much one trial may spend."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cbablate.phrases import amount

__all__ = ["Budget", "BudgetUnit"]

BudgetUnit = Literal["epochs", "steps"]


class Budget(BaseModel):
    """What a trial may spend, in epochs or in optimizer steps; exactly one is said."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    epochs: int | None = Field(
        default=None, ge=1, le=1_000_000, description="How many epochs each trial trains."
    )
    steps: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        examples=[500],
        description="How many optimizer steps each trial trains, in place of epochs.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Budget:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("say either epochs or steps, one of them")
        return self

    def __str__(self) -> str:
        """As a sentence has it: `20 epochs`."""
        return amount(self.amount, self.unit)

    @property
    def unit(self) -> BudgetUnit:
        """What is counted."""
        return "epochs" if self.epochs is not None else "steps"

    @property
    def amount(self) -> int:
        """How many of `unit`."""
        return self.epochs if self.epochs is not None else (self.steps or 0)
