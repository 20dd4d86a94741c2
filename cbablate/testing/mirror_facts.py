"""Facts of a study that never ran, as a driver would have recorded them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbablate.planning.plan import Plan
from cbablate.planning.plan import plan as plan_of
from cbablate.planning.trial import Trial
from cbablate.records.facts import Ended, Fact, Measured, SessionFact, Started, Timed
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe

__all__ = ["Story", "toy_plan"]

RATES = {"slow": {}, "brisk": {"rate": 1.0}, "steep": {"rate": 2.0}, "late": {"start": -1.0}}


def toy_plan(
    *, levels: tuple[str, ...] = ("slow", "brisk"), replicates: int = 2, name: str = "pace"
) -> Plan:
    """A plan with one arm for each of these levels."""
    study = Study(
        name=name,
        question="How fast should it learn?",
        workload="toy",
        baseline={"rate": 0.25},
        factors=(
            Factor(name="pace", levels=tuple(Level(name=n, changes=RATES[n]) for n in levels)),
        ),
        budget=Budget(epochs=3),
        replicates=replicates,
        objective=Objective(metric="val/score", direction="maximize"),
        report=("test/score", "throughput/train"),
    )
    return plan_of(study, describe("toy", Path()))


class Story:
    """Facts told one after the other, a tenth of a second apart, from a fixed moment on."""

    def __init__(self, session: str = "s-1", *, at: float = 1_790_000_000.0) -> None:
        self.facts: list[Record] = []
        self._at = at
        self._session = session
        self._attempts: dict[str, int] = {}
        host = {"machine": "x86_64", "cores": 2}
        versions = {"python": "3.11"}
        self.tell(session, SessionFact(host, versions, commit="abc123", dirty=True))

    def tell(self, subject: str, fact: Fact) -> None:
        """One fact more."""
        self._at = round(self._at + 0.1, 3)
        self.facts.append(fact.record(subject, self._at, len(self.facts) + 1))

    def started(self, trial: Trial) -> None:
        """An attempt begins."""
        attempt = self._attempts[trial.id] = self._attempts.get(trial.id, 0) + 1
        self.tell(trial.id, Started(attempt, self._session, "local"))

    def measured(self, trial: Trial, *, until: int | None = None, lift: float = 0.0) -> None:
        """It reports after each unit of its budget, up to `until`."""
        rate, offset = trial.config["rate"], (trial.replicate + 1) / 100 + lift
        for spent in range(1, (until or trial.budget.amount) + 1):
            value = 1 - (1 + rate) ** -spent + offset
            entropy = tuple(round(2.0 - 0.1 * layer - 0.05 * spent, 6) for layer in range(3))
            measurement = Measurement(
                spent=spent,
                metrics={
                    "val/score": value,
                    "test/score": value - 0.01,
                    "attention/entropy": sum(entropy) / 3,
                },
                vectors={"attention/entropy": entropy},
                seconds=0.1 * spent,
                notes={"device": "cpu", "precision": "float32"},
            )
            self.tell(trial.id, Measured(measurement))

    def ended(self, trial: Trial, state: str = "complete", **said: Any) -> None:
        """The attempt ends."""
        self.tell(trial.id, Ended(state, **said))

    def complete(self, *trials: Trial, lift: float = 0.0) -> Story:
        """Whole trials, one after the other."""
        for trial in trials:
            self.started(trial)
            self.measured(trial, lift=lift)
            self.ended(trial)
        return self

    def failed(self, trial: Trial) -> Story:
        """A trial that raised after its first measurement."""
        self.started(trial)
        self.measured(trial, until=1)
        text = "Traceback (most recent call last):\n  ...\nRuntimeError: out of memory"
        self.ended(trial, "failed", failure="error", reason="out of memory", traceback=text)
        return self

    def pruned(self, trial: Trial) -> Story:
        """A trial that was stopped after its second measurement."""
        self.started(trial)
        self.measured(trial, until=2)
        self.ended(trial, "pruned", reason="below the median at 2 epochs")
        return self

    def timed(self, plan: Plan, *, batch: str = "b-1") -> Story:
        """Each arm is timed alone; the median of the rounds of arm number i is 100 + i."""
        for number, arm in enumerate(plan.arms):
            rounds = [90.0 + number, 100.0 + number, 130.0 + number]
            self.tell(arm.id, Timed(batch, {"throughput/train": rounds}, device="cpu"))
        return self
