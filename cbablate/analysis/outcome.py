"""`Outcome`: the arms of a study's table, what is known of them, and how they were tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cbablate.analysis.course import narrowed
from cbablate.analysis.printed_unit import in_unit
from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.analysis.standing import Standing
from cbablate.analysis.summary import Summary, summarize
from cbablate.planning.plan import Plan
from cbablate.records.book import Recorded
from cbablate.spec.metric import Metric
from cbablate.spec.sweep import Proposal

__all__ = ["Outcome", "Tuned", "outcome"]


@dataclass(frozen=True)
class Tuned:
    """What tuning adds: each arm's searches, what they chose, and the arms as they were written.

    The values of searches are in the units that they are printed in.
    `tunings` are in the plan's order, `proposals` by the id of the search. `fixed` is
    the summary at the hyperparameters as written, its arms in the same order as the table's;
    None for a study without factors, whose rows are `fixed` and `tuned` themselves.
    """

    plan: Plan
    tunings: tuple[Tuning, ...]
    proposals: Mapping[str, Proposal]
    fixed: Summary | None

    @property
    def over(self) -> bool:
        """Whether every search is over."""
        return all(tuning.over for tuning in self.tunings)


@dataclass(frozen=True)
class Outcome:
    """The plan whose arms are the rows, their summary, and how they were tuned, if they were.

    Of sequential replicates the plan has the trials that were asked for.

    Search trials are in no summary: only replicates are, which no pruner stops and no sampler saw.
    """

    plan: Plan
    summary: Summary
    tuned: Tuned | None = None


def outcome(plan: Plan, facts: Recorded) -> Outcome:
    """What the facts of a ledger say of a plan; its arms as tuned so far, if it tunes them."""
    now = Standing(plan, facts)
    if plan.study.tune is None:
        summary = summarize(plan, now.book)
        return Outcome(narrowed(plan, summary.course) if summary.course else plan, summary)
    fixed = None if len(plan.arms) == 1 else summarize(plan, now.book)
    shown = tuple(_printed(plan, tuning) for tuning in now.tunings)
    tuned = Tuned(plan, shown, now.proposals, fixed)
    return Outcome(now.rows, summarize(now.rows, now.book), tuned)


def _printed(plan: Plan, tuning: Tuning) -> Tuning:
    """A search's values as tables print them; what it chose was chosen by values as reported."""
    metrics = plan.description.metrics
    scales = [metrics.get(one.metric) for one in tuning.search.objectives]
    if all(metric is None or metric.scale == 1 for metric in scales):
        return tuning
    return replace(tuning, attempts=tuple(_in_units(one, scales) for one in tuning.attempts))


def _in_units(attempt: SearchTrial, metrics: Sequence[Metric | None]) -> SearchTrial:
    def shown(metric: Metric | None, value: float) -> float:
        return value if metric is None else in_unit(metric, value)

    values = attempt.values and tuple(map(shown, metrics, attempt.values))
    curve = tuple((spent, shown(metrics[0], value)) for spent, value in attempt.curve)
    return replace(attempt, values=values, curve=curve)
