"""`Analysis`: how a study's differences are tested and told, where that is not as usual."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cbablate.statistics.correction import Steps

__all__ = ["USUAL", "Analysis", "Correction", "Interval", "Intervals", "Test"]

Interval = Literal["t", "bca"]
Intervals = Literal["simultaneous", "single"]
Correction = Literal["sidak", "holm", "dunnett"]
Test = Literal["t", "sign_flip"]


class Analysis(BaseModel):
    """The interval of each difference, the correction over all of them, and the test behind p.

    `sidak` corrects in one step, p and intervals alike; `holm` finds a little more, but has
    no intervals of its own; `dunnett` compares all arms with one baseline by Dunnett's test with
    seeds as blocks. `intervals` are simultaneous, so that all of a metric hold together with 95 %,
    or single, each with 95 % by itself; left out, they are simultaneous wherever they can be. `bca`
    is the bias-corrected and accelerated bootstrap; `sign_flip` is the exact test over all choices
    of signs.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    interval: Interval = Field(
        default="t",
        description="The interval of a difference: Student's `t`, or `bca`, a bootstrap, from ten "
        "seeds on.",
    )
    intervals: Intervals | None = Field(
        default=None,
        description="`simultaneous`: all intervals of a metric hold together with 95 %. `single`: "
        "each by itself. Simultaneous wherever that is possible if left out.",
    )
    correction: Correction = Field(
        default="sidak",
        description="How p values are corrected for the number of comparisons. `sidak`: p and "
        "intervals alike. `holm`: finds a little more, and has single intervals. "
        "`dunnett`: all arms against one baseline, exact where arms vary alike.",
    )
    test: Test = Field(
        default="t",
        description="The test behind p: the paired `t` test, or `sign_flip`, exact and without "
        "assumptions.",
    )

    @property
    def joint(self) -> bool:
        """Whether a metric's intervals hold together."""
        if self.intervals is None:
            return self.correction != "holm" and self.interval == "t"
        return self.intervals == "simultaneous"

    @property
    def steps(self) -> Steps:
        """What corrects p values that have no correction of their own (beside Dunnett's)."""
        return "holm" if self.correction == "holm" else "sidak"


USUAL = Analysis()
"""Paired t tests, and t-intervals that hold together, by Sidak: of a study that says nothing."""
