"""`Expectation`: what a study asks of a workload, held against what its trials report.

A shipped workload's metrics are known when the study is read. A user's own are known once it
reports, and a metric may come with the last measurement only. So a name that is plainly misspelt
ends a trial at its first measurement, one that does not come at all is noticed when the first
trial ends, and no further trial is started: neither costs the whole study.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.history import History
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.running.first_failures import FirstFailures
from cbablate.running.trial_end import End
from cbablate.spec.yaml.suggestion import did_you_mean, nearest

__all__ = ["Expectation", "misspelt"]

_LONG = 4
"""Letters of a word in which one added, dropped or swapped is a slip of the hand."""
_LONGER = 6
"""Letters of one in which another letter is: `mae` and `mse` are two metrics."""


class Expectation:
    """The metrics that a study asks of a workload which describes none, and those reported so far.

    `halted` is the sentence that says why no further trial may start; "" while they may.
    """

    def __init__(self, plan: Plan, told: Mapping[str, History]) -> None:
        tune = plan.study.tune
        objectives = [plan.study.objective, *(tune.objectives or () if tune else ())]
        self._objectives = [one.metric for one in objectives]
        asked = dict.fromkeys([*self._objectives, *plan.study.report])
        self._asked = [] if plan.description.closed else [*asked]
        self._plan = plan
        self._reported: set[str] = set()
        self._arms: set[str] = set()
        self.halted = ""
        left = sum(not told[one.id].settled if one.id in told else True for one in plan.trials)
        self._failures = FirstFailures(plan, left)
        for trial in plan.trials:
            history = told.get(trial.id)
            if history and history.last and history.state is TrialState.COMPLETE:
                self._note(trial, history.last)
        self._look()

    def first(self, trial: Trial, measurement: Measurement) -> str:
        """Why a trial ends with its first measurement; "" if it goes on."""
        there = _names(measurement)
        spare = [name for name in there if name not in self._asked]
        for name in self._asked:
            if name in there or name in self._reported:
                continue
            meant = misspelt(name, spare)
            if meant:
                what = "the objective" if name in self._objectives else "a metric to report"
                fault = f"it reports '{meant}' and not '{name}', {what}: did you mean '{meant}'?"
                self.halted = f"No further trial was started. {self._label(trial)}: {fault}"
                return fault
        return ""

    def ended(self, trial: Trial, last: Measurement) -> None:
        """Take note of a trial that spent its budget, and of what it lacks."""
        self._note(trial, last)
        self._look()

    def unusable(self, trial: Trial, sentence: str) -> None:
        """Take note of a trial whose workload gave no measurements to wait for."""
        if not self._arms:
            self.halt(trial, sentence)

    def halt(self, trial: Trial, sentence: str) -> None:
        """Start no further trial, for what this one has found."""
        if not self.halted:
            self.halted = f"No further trial was started. {self._label(trial)}: {sentence}"

    def began(self, trial: Trial, node: str) -> None:
        """Take note of a trial's start, and of the machine it runs on."""
        self._failures.began(trial, node)

    def came_to(self, trial: Trial, end: End, *, measured: bool) -> None:
        """Take note of how a trial ended, and halt if the first of this run all fail alike."""
        label = self._label(trial)
        sentence = self._failures.ended(trial, end, measured=measured, label=label)
        self.halted = self.halted or sentence

    def _note(self, trial: Trial, last: Measurement) -> None:
        self._reported |= _names(last)
        self._arms.add(trial.arm)

    def _look(self) -> None:
        """Halt if what has been reported shows that a metric will not come.

        An objective is in every trial. A metric to report may be one that some arms do not have:
        it is missed when all arms lack it, or when there is another of nearly its name.
        """
        if self.halted or not self._arms:
            return
        spare = sorted(self._reported.difference(self._asked))
        everywhere = all(arm.id in self._arms for arm in self._plan.arms)
        for name in self._asked:
            hint = did_you_mean(name, spare)
            if name in self._reported:
                continue
            if name in self._objectives or everywhere or nearest(name, spare, surely=True):
                what = "the study's objective" if name in self._objectives else "to be reported"
                reported = ", ".join(sorted(self._reported)) or "nothing"
                self.halted = (
                    f"No further trial was started: '{name}' is {what}, and no trial that ended "
                    f"has it; they have {reported}{'; ' * bool(hint)}{hint}"
                ).rstrip(".") + ("" if hint else ".")
                return

    def _label(self, trial: Trial) -> str:
        named = trial.arm in self._plan.arm_of and not trial.search
        return self._plan.label(trial) if named else "A tuning trial"


def misspelt(name: str, known: Iterable[str]) -> str:
    """The one of some names of which `name` is plainly a misspelling; "" if there is none.

    One letter dropped, added or swapped within a word, case or separators: no other number, no
    other first letter, and in short words no other letter, which may all be metrics of their own.
    """
    return next((other for other in nearest(name, known, surely=True) if _slip(name, other)), "")


def _slip(one: str, other: str) -> bool:
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    words = [re.findall(r"[^\W\d_]+", each.casefold()) for each in (one, other)]
    if "".join(words[0]) == "".join(words[1]):
        return True
    if len(words[0]) != len(words[1]):
        return False
    unlike = [(a, b) for a, b in zip(*words, strict=True) if a != b]
    if len(unlike) != 1:
        return False
    ((a, b),) = unlike
    replaced = len(a) == len(b) and sorted(a) != sorted(b)
    return a[0] == b[0] and max(len(a), len(b)) >= (_LONGER if replaced else _LONG)


def _names(measurement: Measurement) -> set[str]:
    return {*measurement.metrics, *measurement.vectors}
