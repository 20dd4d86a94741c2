"""`Course`: how far a study with sequential replicates has come, and what it asks for next.

A pure function of the plan and of what became of its trials. Looks are taken again from the first
on, each at the first so many replicates of every arm that is still open, so that a killed study
decides as one that was never killed, and a study finds the same on any executor. A look waits
until all trials before it have ended: nothing is trained ahead of a look. Trials that are there
all the same, because another study asked for them or a former version of this one, enter neither
a look nor a table before their turn; so nobody chooses when an arm stops by what is known of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cbablate.analysis.contrasts.contrast import Contrast, adjusted, contrast, holm, varies
from cbablate.analysis.contrasts.replicates import Replicates, Values, entered
from cbablate.analysis.contrasts.verdict import equivalence
from cbablate.planning.plan import Plan
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.statistics.estimate import moments
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS
from cbablate.statistics.sequential import Looks, spent
from cbablate.statistics.student_t import critical, two_sided

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

    @property
    def made(self) -> int:
        """How many looks were taken."""
        last = max(self.looked.values(), default=0)
        return last - self.looks.fewest + 1 if last else 0

    @property
    def spent(self) -> float:
        """The part of ALPHA that the looks so far have spent, of each comparison's share."""
        last = max(self.looked.values(), default=0)
        return spent(last / self.looks.most) / ALPHA if last else 0.0

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
) -> tuple[list[Contrast], list[float | None]]:
    """The contrasts of one metric, and p values for equivalence, that hold in spite of the looks.

    A contrast is over the pairs of the last look at its arm. `p` is sequential, over all looks up
    to it, the interval a repeated one, and there is no sign-flip test. Before the first look there
    is neither interval nor p value.
    """
    ps: list[Contrast] = []
    equal: list[float | None] = []
    for arm, reference in compared:
        last, family = at.looked[arm], len(compared)
        within = last or at.asked[arm]
        left, right = (_before(found[one], within) for one in (arm, reference))
        told = contrast(left, right, against=reference, unpaired=False)
        tests = _tests(left, right, at.looks, last, margin)
        ps.append(_repeated(told, at.looks, tests, family))
        same = [(n, e) for n, _, e in tests if e is not None]
        equal.append(at.looks.p(same, family=family) if same else None)
    return adjusted(ps), equal


def _repeated(
    told: Contrast, looks: Looks, tests: Sequence[tuple[int, float, float | None]], family: int
) -> Contrast:
    """The contrast with a p value and an interval that hold over all looks."""
    if not tests or told.sd is None or told.difference is None:
        return replace(told, low=None, high=None, p=None, p_sign_flip=None)
    level = looks.levels()[tests[-1][0] - looks.fewest]
    half = critical(told.n - 1, 1 - level) * told.sd / math.sqrt(told.n)
    return replace(
        told,
        low=told.difference - half,
        high=told.difference + half,
        p=looks.p([(n, p) for n, p, _ in tests], family=family),
        p_sign_flip=None,
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
        self._complete = [
            (trial.arm, trial.replicate)
            for trial in plan.trials
            if (history := told.get(trial.id)) and history.state is TrialState.COMPLETE
        ]
        self._asked = dict.fromkeys(self._ended, looks.fewest)
        self._looked = dict.fromkeys(self._ended, 0)
        self._claims: dict[str, Literal["differs", "equivalent"]] = {}
        self._p = {arm: 1.0 for arm, _ in self._compared}
        self._e = dict(self._p)

    def look(self, replicates: int) -> bool:
        """Ask for so many replicates, and look at them if they are there; whether to go on."""
        open_ = [pair for pair in self._compared if pair[0] not in self._claims]
        going = {arm for pair in open_ for arm in pair}
        if not going:
            return False
        self._asked |= dict.fromkeys(going, replicates)
        if any(self._ended[arm] < replicates for arm in going):
            return False
        family = len(self._compared)
        for arm, reference in open_:
            left, right = (_before(self._found[one], replicates) for one in (arm, reference))
            said = _test(left, right, self._looks, self._margin)
            if said is not None:
                n, p, e = said
                self._p[arm] = min(self._p[arm], self._looks.p([(n, p)], family=family))
                if e is not None:
                    self._e[arm] = min(self._e[arm], self._looks.p([(n, e)], family=family))
        self._looked |= dict.fromkeys(going, replicates)
        self._decide([arm for arm, _ in open_])
        return True

    def _decide(self, open_: Sequence[str]) -> None:
        """Decide what Holm's correction over all comparisons now allows."""
        claims: tuple[tuple[Literal["differs", "equivalent"], Mapping[str, float]], ...] = (
            ("differs", self._p),
            ("equivalent", self._e),
        )
        for claim, ps in claims:
            for arm, p in zip(ps, holm([*ps.values()]), strict=True):
                if p < ALPHA and arm in open_:
                    self._claims.setdefault(arm, claim)

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


def _tests(
    left: Mapping[int, float],
    right: Mapping[int, float],
    looks: Looks,
    last: int,
    margin: float | None,
) -> list[tuple[int, float, float | None]]:
    """What each look up to the last one found; a look that had no new pair is none."""
    found: dict[int, tuple[int, float, float | None]] = {}
    for replicates in range(looks.fewest, last + 1):
        said = _test(_before(left, replicates), _before(right, replicates), looks, margin)
        if said is not None:
            found.setdefault(said[0], said)
    return [*found.values()]


def _test(
    left: Mapping[int, float], right: Mapping[int, float], looks: Looks, margin: float | None
) -> tuple[int, float, float | None] | None:
    """How many pairs there are, p of their paired t test, and of equivalence; None of too few."""
    shared = sorted(left.keys() & right.keys())
    n = len(shared)
    if n < looks.fewest:
        return None
    mean, sd = moments([left[r] - right[r] for r in shared])
    if not sd or not varies(sd, [one[r] for r in shared for one in (left, right)]):
        return None
    p = two_sided(mean / (sd / math.sqrt(n)), n - 1)
    return n, p, equivalence(Contrast("", mean, None, None, p, n, None, sd=sd), margin)
