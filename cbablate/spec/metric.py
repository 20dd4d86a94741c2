"""`Metric` and `Objective`: what is measured, how it is written, and what decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["DeclaredMetric", "Direction", "Metric", "Objective"]

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Metric:
    """A named quantity: how it is labelled, in which unit, with how many decimals.

    `direction` is None where neither more nor less is better (attention entropy, say).
    `source` tells where its values come from: `trial`, each trial's last measurement;
    `timing`, the separate stage that times each arm alone; a timing is no property of a seed.
    A vector of this name has its values along `axis`, at the places `at`; 0, 1, ... where none are
    given.
    """

    name: str
    label: str
    unit: str = ""
    decimals: int = 3
    direction: Direction | None = None
    source: Literal["trial", "timing"] = "trial"
    axis: str = "Layer"
    at: tuple[float, ...] = ()


class DeclaredMetric(BaseModel):
    """What a study or a workload file says of one metric."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    label: str | None = Field(
        default=None, min_length=1, description="Its name in tables.", examples=["Accuracy"]
    )
    unit: str = Field(default="", description="Its unit, as printed.", examples=["%"])
    scale: float = Field(
        default=1.0,
        examples=[100],
        description="What a recorded value is multiplied with to be printed in that unit.",
    )
    digits: int | None = Field(
        default=None, ge=0, le=12, description="Decimals that are printed.", examples=[1]
    )
    better: Literal["higher", "lower"] | None = Field(
        default=None, description="Which direction is better; null where neither is."
    )
    split: Literal["train", "val", "test"] | None = Field(
        default=None,
        examples=["test"],
        description="The split it is measured on. Decisions are never made on `test`.",
    )
    per: Literal["layer"] | None = Field(
        default=None, description="`layer` where it is a vector with a value for each layer."
    )
    timing: bool = Field(
        default=False, description="Whether it is a time or a rate, which neighbours disturb."
    )


class Objective(BaseModel):
    """What decisions are made on, and its direction."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True
    )

    metric: str
    """The metric's name; one of the validation split."""
    direction: Direction
    """Which values are better: `maximize` for greater ones, `minimize` for smaller ones."""

    def score(self, value: float) -> float:
        """The value with its sign turned so that greater is better."""
        return value if self.direction == "maximize" else -value
