"""`Tuning`: what a search of an arm was given, what it used, and what it found.

All of it is read off the facts of a ledger, so that whoever runs a study, and whoever reports it,
mean the same by the best proposal and by the end of a search.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cbablate.planning.plan import Plan
from cbablate.planning.search import Search, searches, violations
from cbablate.planning.search_turns import most_each, wanted
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import Proposed
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.spec.metric import Objective
from cbablate.spec.sweep import Proposal

__all__ = ["SearchTrial", "Tuning", "best_proposals", "tunings"]


@dataclass(frozen=True)
class SearchTrial:
    """One tuning trial: what was proposed, and what came of it.

    `values` are the last measurement's, one for each objective; None unless the trial is COMPLETE
    and all of them are finite. It is `feasible` where it breaks no constraint on metrics.
    `curve` is the first objective's value by budget spent, of whatever was measured.
    """

    number: int
    trial: str
    proposal: Proposal
    state: TrialState
    values: tuple[float, ...] | None = None
    feasible: bool = True
    failure: str = ""
    spent: int = 0
    seconds: float = 0.0
    curve: tuple[tuple[int, float], ...] = ()

    @property
    def eligible(self) -> bool:
        """Whether it can be the best."""
        return self.values is not None and self.feasible


@dataclass(frozen=True)
class Tuning:
    """A search's attempts by number. `wanted` is how many it is to have, as things stand."""

    search: Search
    attempts: tuple[SearchTrial, ...]
    wanted: int
    decides: int = 0
    """Which of the objectives is the study's own, and picks one proposal of a front."""

    @cached_property
    def states(self) -> Mapping[TrialState, int]:
        """How many attempts are in which state."""
        return Counter(attempt.state for attempt in self.attempts)

    @property
    def complete(self) -> int:
        """Attempts that were trained to full budget."""
        return self.states.get(TrialState.COMPLETE, 0)

    @property
    def pruned(self) -> int:
        """Attempts that the pruner stopped."""
        return self.states.get(TrialState.PRUNED, 0)

    @property
    def failed(self) -> int:
        """Attempts that gave no usable measurement."""
        return self.states.get(TrialState.FAILED, 0)

    @property
    def open(self) -> int:
        """Attempts that were proposed and have not ended."""
        return sum(not attempt.state.ended for attempt in self.attempts)

    @property
    def spent(self) -> int:
        """Units of budget that all attempts spent."""
        return sum(attempt.spent for attempt in self.attempts)

    @property
    def seconds(self) -> float:
        """Seconds that all attempts took, one slot each."""
        return math.fsum(attempt.seconds for attempt in self.attempts)

    @property
    def over(self) -> bool:
        """Whether it has ended every attempt it is to have."""
        return not self.open and len(self.attempts) >= self.wanted

    @cached_property
    def front(self) -> tuple[SearchTrial, ...]:
        """The eligible attempts that no other beats in every objective, by number.

        Of one objective this is the best, with its equals.
        """
        scored = [
            (attempt, _scores(self.search.objectives, attempt.values))
            for attempt in self.attempts
            if attempt.values is not None and attempt.feasible
        ]
        every = {scores for _, scores in scored}
        if len(self.search.objectives) == 1 and every:
            every = {max(every)}
        return tuple(
            attempt
            for attempt, scores in scored
            if not any(_dominates(other, scores) for other in every)
        )

    @property
    def best(self) -> SearchTrial | None:
        """The best by the study's own objective; of equals, the one of the lowest number.

        With several objectives it is of the front. None while no attempt is eligible.
        """
        decides = self.search.objectives[self.decides]
        return max(
            self.front,
            key=lambda a: (decides.score(a.values[self.decides]) if a.values else 0.0, -a.number),
            default=None,
        )


def tunings(plan: Plan, facts: Recorded) -> tuple[Tuning, ...]:
    """The tuning of each search, in the plan's order; none of a study that does not tune.

    Attempts beyond the number of trials that the sweep now asks for are passed by: a sweep that
    was shortened says what it would have said had it been short from the start.
    """
    planned = searches(plan)
    if not planned:
        return ()
    book = Book.of(facts)
    proposed: dict[str, dict[int, tuple[str, Proposed]]] = {}
    for fact in book.facts:
        if fact.kind == "proposed":
            one = Proposed.of(fact)
            proposed.setdefault(one.search, {}).setdefault(one.number, (fact.subject, one))
    limit = most_each(planned[0].sweep, len(planned))
    attempts = [
        tuple(
            _attempt(search, trial, one, book)
            for number, (trial, one) in sorted(proposed.get(search.id, {}).items())
            if number < limit
        )
        for search in planned
    ]
    each = _wanted(planned[0], attempts, book.gpus)
    own = [objective.metric for objective in planned[0].objectives]
    decides = own.index(plan.study.objective.metric) if plan.study.objective.metric in own else 0
    return tuple(
        Tuning(search, found, each, decides)
        for search, found in zip(planned, attempts, strict=True)
    )


def best_proposals(found: Iterable[Tuning]) -> dict[str, Proposal]:
    """The best proposal of each search that is over and has one, by the id of the search.

    It is a COMPLETE trial's: never a pruned one's, a failed one's, or one's that breaks a
    constraint. `planning.tuned_plan.confirmed` takes it.
    """
    return {
        tuning.search.id: tuning.best.proposal
        for tuning in found
        if tuning.over and tuning.best is not None
    }


def _wanted(
    search: Search, attempts: Sequence[Sequence[SearchTrial]], gpus: Mapping[str, float]
) -> int:
    """How many trials each arm gets, as things stand; a trial that arms share is spent once."""
    ended = {a.trial: a for found in attempts for a in found if a.state.ended}
    return wanted(
        search.sweep,
        [max((attempt.number + 1 for attempt in found), default=0) for found in attempts],
        hours=math.fsum(a.seconds for a in ended.values()) / 3600,
        gpu_hours=math.fsum(a.seconds * gpus.get(a.trial, 0.0) for a in ended.values()) / 3600,
    )


def _attempt(search: Search, trial: str, proposed: Proposed, book: Book) -> SearchTrial:
    history = book.histories.get(trial) or History(trial=trial)
    proposal = proposed.proposal
    values = _values(search, history)
    first = search.objectives[0].metric
    return SearchTrial(
        number=proposed.number,
        trial=trial,
        proposal=proposal,
        state=history.state,
        values=values,
        feasible=values is None or _feasible(search, proposal, history),
        failure=history.failure,
        spent=history.last.spent if history.last else 0,
        seconds=book.seconds.get(trial, 0.0),
        curve=tuple(
            (measurement.spent, float(measurement.metrics[first]))
            for measurement in history.measurements
            if first in measurement.metrics
        ),
    )


def _values(search: Search, history: History) -> tuple[float, ...] | None:
    if history.state is not TrialState.COMPLETE or history.last is None:
        return None
    found = [history.last.metrics.get(one.metric, math.nan) for one in search.objectives]
    return tuple(map(float, found)) if all(map(math.isfinite, found)) else None


def _feasible(search: Search, proposal: Proposal, history: History) -> bool:
    """Whether the last measurement breaks no constraint on metrics, and says all they need."""
    metrics = history.last.metrics if history.last else {}
    return all(broken <= 0 for broken in violations(search, proposal, metrics).values())


def _scores(objectives: Sequence[Objective], values: Sequence[float] | None) -> tuple[float, ...]:
    return tuple(one.score(value) for one, value in zip(objectives, values or (), strict=True))


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    at_least = all(a >= b for a, b in zip(one, other, strict=True))
    return at_least and any(a > b for a, b in zip(one, other, strict=True))
