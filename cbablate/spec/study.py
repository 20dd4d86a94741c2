"""`Study`: a question, and everything needed to answer it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from cbablate.spec.analysis import Analysis
from cbablate.spec.budget import Budget
from cbablate.spec.choice import one_of
from cbablate.spec.design import DESIGNS
from cbablate.spec.factor import Factor
from cbablate.spec.metric import DeclaredMetric, Objective
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.seconds import Seconds
from cbablate.spec.sequential import Count, Sequential
from cbablate.spec.sweep import Sweep
from cbablate.spec.typesetting import Typesetting

__all__ = ["DesignName", "Study"]

DesignName = Annotated[str, one_of(DESIGNS)]


class Study(BaseModel):
    """A question and its setting, frozen.

    `baseline` is the config as the file writes it; `planning` fills in the workload's defaults.
    `contrast` names the factor whose levels are compared within each combination of the others;
    without it every arm is compared with the first. `replicates` is a number, or how it grows until
    every arm is decided. `margin` is the smallest difference in the
    first reported metric that matters, in that metric's unit: with it, a difference can be found
    to be no larger than that. `analysis` is how differences are tested. `tune` is how each arm is
    tuned before it is compared; the file names a sweep by its path. `searches` is how many searches
    of each arm there are, each with its own proposal, over which the replicates are shared out.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    question: str = Field(min_length=1)
    workload: Annotated[str, Field(min_length=1)] | OwnWorkload
    baseline: Mapping[str, Any]
    factors: tuple[Factor, ...] = ()
    design: DesignName = "one_at_a_time"
    contrast: str | None = None
    budget: Budget
    replicates: Count | Sequential
    seed: int = Field(default=0, ge=0, lt=2**32)
    objective: Objective
    report: tuple[str, ...] = Field(min_length=1)
    metrics: Mapping[str, DeclaredMetric] = Field(
        default_factory=dict,
        exclude=True,
        examples=[{"test/acc": {"label": "Accuracy", "unit": "%", "scale": 100}}],
    )
    """What the reported metrics are; no part of what the study asks."""
    margin: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    analysis: Analysis = Analysis()
    tune: Sweep | None = None
    searches: int = Field(default=1, ge=1, le=1000)
    time_limit: Seconds | None = Field(default=None, exclude=True, examples=["2h"])
    """How many seconds an attempt at a trial may take. The study is the same without."""
    silence_limit: Seconds | None = Field(default=None, exclude=True, examples=["10m"])
    """How many seconds a trial may go without a measurement."""
    typesetting: Typesetting = Field(default=Typesetting(), exclude=True)
    """How tables are set; no part of what the study is, so no ledger and no `diff` tells it."""
    overrides: tuple[str, ...] = Field(default=(), exclude=True)
    """What was said beside the file, `budget.epochs=2`: the study is a variant of the file's."""
    folder: Path = Field(default=Path(), exclude=True)
    """Where the file lies: relative names in it (a workload of the user's own) start here."""

    @model_serializer(mode="wrap")
    def _dumped(self, usual: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As recorded: one search is not written, so that earlier ledgers hold the same study."""
        said: dict[str, Any] = usual(self)
        if said.get("searches") == 1:
            del said["searches"]
        return said

    def __repr__(self) -> str:
        return f"<Study {self.name}: {self.question}>"

    @property
    def units(self) -> int:
        """How many values of an arm are drawn apart: its replicates; where each arm is searched
        more than once, its searches, since replicates of one search share what it chose.
        """
        return self.searches if self.searches > 1 else self.most_replicates

    @property
    def sequential(self) -> Sequential | None:
        """How the number of replicates grows; None of a study with a fixed number."""
        return self.replicates if isinstance(self.replicates, Sequential) else None

    @property
    def decides(self) -> bool:
        """Whether anything is chosen while it runs: hyperparameters, or how many replicates."""
        return self.tune is not None or self.sequential is not None

    @property
    def repetitions(self) -> str:
        """As a sentence has it: `1 replicate`, `6 replicates`, `5 to 30 replicates`."""
        return f"{self.replicates} replicate{'' if self.replicates == 1 else 's'}"

    @property
    def most_replicates(self) -> int:
        """How many replicates an arm has at most: of a fixed number, that."""
        return self.replicates.max if isinstance(self.replicates, Sequential) else self.replicates
