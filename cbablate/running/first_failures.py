"""`FirstFailures`: whether the first trials of a run have all failed alike, so that others will."""

from __future__ import annotations

from cbablate.analysis.likeness import likeness
from cbablate.character import brief, visible
from cbablate.phrases import counted
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.state import TrialState
from cbablate.running.trial_end import End

__all__ = ["FirstFailures"]

_TRIALS, _ARMS = 3, 2
"""So many failures, of so many arms, are no accident of one seed and no fault of one arm."""
_LONGEST = 200


class FirstFailures:
    """The trials of this run that ended so far, as long as all of them failed alike.

    One that ended in another way, or in another failure, shows that trials can come to something:
    from then on nothing is looked at. To diverge is a result. So is a tuning trial that fails after
    it has measured; one that fails before counts like any other, since a search whose proposals all
    fail at once has found nothing and is spent.
    """

    def __init__(self, plan: Plan, left: int) -> None:
        self._plan = plan
        self._left = left
        self._alike: list[Trial] | None = []
        self._under_way: dict[str, str] = {}
        self._faulty: set[str] = set()
        self._kind = self._shown = self._first = ""

    def began(self, trial: Trial, node: str) -> None:
        """Take note of a trial's start, and of the machine it runs on."""
        self._under_way[trial.id] = node

    def ended(self, trial: Trial, end: End, *, measured: bool, label: str) -> str:
        """Take note of a trial's end; the sentence by which no further one is started, or ""."""
        node = self._under_way.pop(trial.id, "")
        if self._alike is None:
            return ""
        kind = likeness(end.failure, end.reason)
        answers = end.failure == "diverged" or bool(trial.search and measured)
        if end.state is not TrialState.FAILED or answers or kind != (self._kind or kind):
            self._alike = None
            return ""
        if not self._alike:
            self._kind, self._first = kind, label
            self._shown = brief(visible(end.reason), _LONGEST) or end.failure
        self._alike.append(trial)
        self._faulty.add(node)
        return self._sentence(self._alike)

    def _sentence(self, alike: list[Trial]) -> str:
        arms = len({trial.search or trial.arm for trial in alike})
        every = len(alike) >= self._left and self._plan.study.tune is None
        if len(alike) < _TRIALS or arms < min(_ARMS, len(self._plan.arms)) or every:
            return ""
        if not self._faulty.issuperset(self._under_way.values()):
            return ""
        return (
            f"{len(alike)} trials of {counted(arms, 'arm')} failed alike ({self._shown}), so no "
            f"further one was started. First: {self._first}; `cbablate status` shows where it was."
        )
