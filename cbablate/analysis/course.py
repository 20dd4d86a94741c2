"""`Course`: how far a study with sequential replicates has come, and what it asks for next.

A pure function of the plan and of what became of its trials. Looks are taken again from the first
on, each at the first so many replicates of every arm that is still open, so that a killed study
decides as one that was never killed, and a study finds the same on any executor. A look waits
until all trials before it have ended: nothing is trained ahead of a look. Trials that are there
all the same, because another study asked for them or a former version of this one, enter neither
a look nor a table before their turn; so nobody chooses when an arm stops by what is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cbablate.analysis.contrasts.contrast import Contrast, contrast, within
from cbablate.analysis.contrasts.replicates import Replicates, Values, entered
from cbablate.analysis.contrasts.verdict import Equivalence, equivalence
from cbablate.planning.plan import Plan
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.statistics.correction import share, sidak
from cbablate.statistics.power import FEWEST_PAIRS
from cbablate.statistics.sequential import Looks

__all__ = [
    "Course",
    "Decision",
    "course",
    "growing",
    "looks_of",
    "narrowed",
    "sequential_family",
]


@dataclass(frozen=True)
class Decision:
    """What was decided of an arm, after so many replicates; `claim` is None while it is open."""

    claim: Literal["differs", "equivalent"] | None
    replicates: int


@dataclass(frozen=True)
class Course:
    """Where the looks of a study stand.

    `asked` is how many replicates each arm is to have by now, by arm id; `looked` how many of them
    the last look at it had, 0 before the first. `decisions` are those of the compared arms.
    `beyond` counts complete trials that are not used, as no look asked for them.
    """

    looks: Looks
    asked: Mapping[str, int]
    looked: Mapping[str, int]
    decisions: Mapping[str, Decision]
    beyond: int = 0
    references: Mapping[str, str] = field(default_factory=dict)
    """What each compared arm is compared with."""
    pairs: Mapping[str, int] = field(default_factory=dict)
    """How many pairs the last test of each compared arm had; 0 where no look could test."""
    closed: frozenset[str] = frozenset()
    """The compared arms that were looked at for the last time, whatever pairs are missing."""

    @property
    def made(self) -> int:
        """How many looks were taken."""
        last = max(self.looked.values(), default=0)
        return last - self.looks.fewest + 1 if last else 0

    @property
    def spent(self) -> tuple[float, float]:
        """The least and the largest part of its share of ALPHA that a comparison has spent."""
        parts = [
            self.looks.spent(pairs, last=arm in self.closed) if pairs else 0.0
            for arm, pairs in self.pairs.items()
        ]
        return min(parts, default=0.0), max(parts, default=0.0)

    @property
    def open(self) -> tuple[str, ...]:
        """The arms that are not decided, and may be given further replicates."""
        return tuple(
            arm
            for arm, one in self.decisions.items()
            if one.claim is None and one.replicates < self.looks.most
        )

    @property
    def most(self) -> Mapping[str, int]:
        """How many replicates each arm may come to have."""
        growing = {*self.open, *(self.references[arm] for arm in self.open)}
        return {arm: self.looks.most if arm in growing else n for arm, n in self.asked.items()}


def looks_of(plan: Plan) -> Looks | None:
    """When a study looks; None of one with a fixed number of replicates.

    With fewer than FEWEST_PAIRS pairs nothing may be claimed, so there is no look.
    """
    grows = plan.study.sequential
    return None if grows is None else Looks(max(grows.min, FEWEST_PAIRS), grows.max)


def course(plan: Plan, told: Mapping[str, History]) -> Course | None:
    """The course of a plan, given the histories of its trials; None with fixed replicates."""
    looks = looks_of(plan)
    if looks is None:
        return None
    replay = _Replay(plan, told, looks)
    for round_ in range(looks.fewest, looks.most + 1):
        if not replay.look(round_):
            break
    return replay.course()


def growing(plan: Plan, found: Course) -> Plan:
    """The plan with all trials that looks have asked for or may still ask for."""
    return replace(plan, trials=tuple(t for t in plan.trials if t.replicate < found.most[t.arm]))


def narrowed(plan: Plan, found: Course) -> Plan:
    """The plan with the trials that this course has asked for."""
    return replace(plan, trials=tuple(t for t in plan.trials if t.replicate < found.asked[t.arm]))


def sequential_family(
    found: Values, compared: Sequence[tuple[str, str]], at: Course, margin: float | None
) -> tuple[list[Contrast], list[Equivalence | None]]:
    """The contrasts of one metric, and tests of equivalence, that hold in spite of the looks.

    A contrast is over the pairs of the last look at its arm. `p` is sequential, the interval a
    repeated one at that look's level and the comparison's share of ALPHA, so that both say the
    same, and there is no sign-flip test. Before the first look there is neither.
    """
    family = len(compared)
    told: list[Contrast] = []
    equal: list[Equivalence | None] = []
    for arm, reference in compared:
        seen = at.looked[arm]
        left, right = (_before(found[one], seen or at.asked[arm]) for one in (arm, reference))
        one = contrast(left, right, against=reference, unpaired=False)
        test = _look(one, at.looks, family, last=arm in at.closed) if seen else None
        blank = replace(one, low=None, high=None, p=None, p_sign_flip=None, family=family)
        told.append(blank if test is None else test.of(one, family))
        equal.append(None if test is None else test.equal(one, margin))
    ps = sidak([1.0 if one.p is None else one.p for one in told])
    return [
        replace(one, p_adjusted=None if one.p is None else p)
        for one, p in zip(told, ps, strict=True)
    ], equal


@dataclass(frozen=True)
class _Look:
    """One look at one comparison: the level of its test, and what a test's p is over all looks."""

    level: float
    p: Callable[[float], float]

    def of(self, one: Contrast, family: int) -> Contrast:
        """The contrast with a p value and an interval that hold over all looks."""
        return replace(
            within(one, self.level),
            p=self.p(one.p or 0.0),
            p_sign_flip=None,
            kind="repeated",
            family=family,
            joint=family > 1,
        )

    def equal(self, one: Contrast, margin: float | None) -> Equivalence | None:
        """The test of equivalence that holds over all looks."""
        alone = equivalence(one, margin, self.level)
        return None if alone is None else replace(alone, p=self.p(alone.p))


def _look(one: Contrast, looks: Looks, family: int, *, last: bool) -> _Look | None:
    """The look at a contrast's pairs; None of too few, or of pairs that do not vary."""
    if one.n < (FEWEST_PAIRS if last else looks.fewest) or one.p is None:
        return None
    return _Look(
        looks.level(one.n, share(family), last=last),
        lambda p: looks.p(one.n, p, family=family, last=last),
    )


class _Replay:
    """The looks of a study, taken one after the other."""

    def __init__(self, plan: Plan, told: Mapping[str, History], looks: Looks) -> None:
        self._looks = looks
        self._margin = plan.study.margin
        self._found = Replicates(entered(plan, told)).of(_primary(plan))
        self._compared = [(arm.id, arm.against) for arm in plan.arms if arm.against is not None]
        self._ended = {arm.id: 0 for arm in plan.arms}
        for trial in plan.trials:  # replicate-major, so that an arm's come in order
            history = told.get(trial.id)
            over = history is not None and history.state.ended
            if over and self._ended[trial.arm] == trial.replicate:
                self._ended[trial.arm] += 1
        past = [(trial, told.get(trial.id)) for trial in plan.trials]
        self._complete = [
            (trial.arm, trial.replicate)
            for trial, one in past
            if one is not None and one.state is TrialState.COMPLETE
        ]
        self._unsettled = {trial.arm for trial, one in past if one is None or not one.settled}
        self._asked = dict.fromkeys(self._ended, looks.fewest)
        self._looked = dict.fromkeys(self._ended, 0)
        self._claims: dict[str, Literal["differs", "equivalent"]] = {}
        self._pairs: dict[str, int] = {}
        self._closed: set[str] = set()

    def look(self, replicates: int) -> bool:
        """Ask for so many replicates, and look at them if they are there; whether to go on."""
        open_ = [pair for pair in self._compared if pair[0] not in self._claims]
        going = {arm for pair in open_ for arm in pair}
        if not going:
            return False
        self._asked |= dict.fromkeys(going, replicates)
        if any(self._ended[arm] < replicates for arm in going):
            return False
        self._looked |= dict.fromkeys(going, replicates)
        for arm, reference in open_:
            self._decide(arm, reference, replicates)
        return True

    def _decide(self, arm: str, reference: str, replicates: int) -> None:
        """Look at one comparison; the last look is one whose missing pairs never come."""
        if replicates == self._looks.most and not {arm, reference} & self._unsettled:
            self._closed.add(arm)
        left, right = (_before(self._found[one], replicates) for one in (arm, reference))
        one = contrast(left, right, against=reference, unpaired=False)
        family, last = len(self._compared), arm in self._closed
        test = _look(one, self._looks, family, last=last)
        self._pairs[arm] = 0 if test is None else one.n
        if test is None:
            return
        told, same = test.of(one, family), test.equal(one, self._margin)
        if told.p is not None and told.p < share(family):
            self._claims[arm] = "differs"
        elif same is not None and same.p < share(family):
            self._claims[arm] = "equivalent"

    def course(self) -> Course:
        """Where the looks have come to."""
        return Course(
            looks=self._looks,
            asked=self._asked,
            looked=self._looked,
            decisions={
                arm: Decision(self._claims.get(arm), self._asked[arm]) for arm, _ in self._compared
            },
            references=dict(self._compared),
            beyond=sum(replicate >= self._asked[arm] for arm, replicate in self._complete),
            pairs=self._pairs,
            closed=frozenset(self._closed),
        )


def _primary(plan: Plan) -> str:
    """The metric that is looked at: the first reported one of trials."""
    known = plan.description.metrics
    return next(
        (m for m in plan.study.report if m not in known or known[m].source == "trial"),
        plan.study.objective.metric,
    )


def _before(values: Mapping[int, float], replicates: int) -> dict[int, float]:
    return {replicate: value for replicate, value in values.items() if replicate < replicates}
