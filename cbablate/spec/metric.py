"""`Metric` and `Objective`: what is measured, how it is written, and what decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Direction", "Metric", "Objective"]

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
