"""`Summary`: all that the records of a study say, arm by arm, before it is put into words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cbablate.analysis.contrasts.contrast import Contrast, adjusted, contrast
from cbablate.analysis.contrasts.replicates import (
    Replicates,
    Values,
    between_means,
    entered,
    estimated,
)
from cbablate.analysis.contrasts.replicates import values as values_in
from cbablate.analysis.contrasts.searched import searched
from cbablate.analysis.contrasts.verdict import Equivalence, Finding, findings
from cbablate.analysis.course import Course, course, narrowed, sequential_family
from cbablate.analysis.provenance.data_version import data_version
from cbablate.analysis.provenance.earlier_versions import earlier_versions
from cbablate.analysis.provenance.origin import Origin, origin, origin_of_timings
from cbablate.analysis.provenance.timing import Timing, timings, timings_of_trials
from cbablate.analysis.provenance.vouched import vouched_for
from cbablate.fingerprint import derive_seed
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.history import History
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from cbablate.spec.metric import Direction, Metric
from cbablate.statistics.estimate import Estimate

T = TypeVar("T")

__all__ = ["ArmSummary", "Counts", "Summary", "direction_of", "metric_of", "summarize"]


@dataclass(frozen=True)
class Counts:
    """How many of an arm's planned trials are in which state; `failed` by class of failure."""

    planned: int
    complete: int = 0
    pruned: int = 0
    running: int = 0
    waiting: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ArmSummary:
    """What is known of one arm, by metric name. `vectors` hold one estimate a layer.

    A reference has neither contrasts nor findings.
    """

    arm: Arm
    counts: Counts
    estimates: Mapping[str, Estimate]
    contrasts: Mapping[str, Contrast]
    findings: Mapping[str, Finding]
    timings: Mapping[str, Timing]
    vectors: Mapping[str, tuple[Estimate, ...]]


@dataclass(frozen=True)
class Summary:
    """Arms in the plan's order; the metrics that their trials were asked for; what they mix.

    `metrics` are the trial metrics that the study reports, in that order, then its objective's.
    `primary` is the first that is reported, "" where only timings are: the study's margin is one
    of it, and its differences are shown. `data` is the version of the numbers behind all this.
    """

    arms: tuple[ArmSummary, ...]
    metrics: tuple[str, ...]
    primary: str
    origin: Origin
    replicates: Replicates = field(default=Replicates({}), repr=False, compare=False)
    """The values behind it all, one a trial."""
    data: str = ""
    timed: Origin = field(default_factory=Origin)
    """Where the timings come from, which are made after the trials, maybe in another session."""
    course: Course | None = None
    """Where the looks stand of a study whose number of replicates grows."""
    earlier: tuple[str, ...] = ()
    """Sentences about trials that other code or data have made than those that are here now, and
    about the code of a version that the user vouches for."""

    @property
    def of(self) -> Mapping[str, ArmSummary]:
        """Arm summaries by arm id."""
        return {one.arm.id: one for one in self.arms}

    @property
    def vectors(self) -> tuple[str, ...]:
        """The names of the vectors that any arm has, sorted."""
        return tuple(sorted({name for one in self.arms for name in one.vectors}))


def metric_of(plan: Plan, name: str) -> Metric:
    """The metric of this name; one that the workload does not describe is its own label."""
    return plan.description.metrics.get(name) or Metric(name, label=name, decimals=None)


def direction_of(plan: Plan, name: str) -> Direction | None:
    """Which direction of a metric is better: the objective's own, or what the workload says."""
    objective = plan.study.objective
    return objective.direction if name == objective.metric else metric_of(plan, name).direction


def summarize(plan: Plan, facts: Recorded) -> Summary:
    """The summary of a plan's trials from a ledger's facts, which may tell of others too.

    Only the last measurement of a COMPLETE trial counts; of sequential replicates, of those that
    looks have asked for. Facts are taken in the ledger's order.
    """
    book = Book.of(facts)
    told, ordered = book.histories, book.facts
    at = course(plan, told)
    plan = plan if at is None else narrowed(plan, at)
    counted = entered(plan, told)
    past: dict[str, list[History]] = {arm.id: [] for arm in plan.arms}
    for trial in plan.trials:
        past[trial.arm].append(told.get(trial.id) or History(trial=trial.id))
    asked = dict.fromkeys([*plan.study.report, plan.study.objective.metric])
    metrics = tuple(name for name in asked if metric_of(plan, name).source == "trial")
    primary = next((name for name in metrics if name in plan.study.report), "")
    planned = {arm.id: at.asked[arm.id] if at else plan.study.most_replicates for arm in plan.arms}
    contrasts, found = _compared(plan, counted, metrics, primary=primary, at=at)
    timed = _timed(plan, counted, asked, ordered)
    arms = tuple(
        ArmSummary(
            arm=arm,
            counts=_counts(past[arm.id]),
            estimates={
                name: estimated(values_in(counted[arm.id], name), planned[arm.id], plan.searches)
                for name in metrics
            },
            contrasts=_of_arm(arm, contrasts),
            findings=_of_arm(arm, found),
            timings=_of_arm(arm, timed),
            vectors=_vectors(counted[arm.id], planned[arm.id], plan.searches),
        )
        for arm in plan.arms
    )
    every = [history for by_replicate in counted.values() for history in by_replicate.values()]
    return Summary(
        arms=arms,
        metrics=metrics,
        primary=primary,
        origin=origin(every, ordered),
        replicates=Replicates(counted, plan.searches),
        data=data_version(counted, timed, shown=asked),
        course=at,
        earlier=(*earlier_versions(plan, ordered, told), *vouched_for(plan, told)),
        timed=origin_of_timings(
            (one for by_arm in timed.values() for one in by_arm.values()), ordered
        ),
    )


def _timed(
    plan: Plan,
    counted: Mapping[str, Mapping[int, History]],
    asked: Iterable[str],
    facts: Sequence[Record],
) -> dict[str, dict[str, Timing]]:
    """Timings by metric, by arm id: of the timing stage, and of trials beside each other."""
    trained = {trial.arm for trial in plan.trials}  # all but those that a search found nothing for
    beside = [name for name in asked if metric_of(plan, name).beside]
    alone = timings(facts, [arm.id for arm in plan.arms if arm.id in trained])
    return alone | timings_of_trials(counted, beside, facts)


def _of_arm(arm: Arm, by_metric: Mapping[str, Mapping[str, T]]) -> dict[str, T]:
    """By metric, what there is of an arm."""
    return {name: by_arm[arm.id] for name, by_arm in by_metric.items() if arm.id in by_arm}


_ByMetric = dict[str, dict[str, Contrast]]


def _compared(
    plan: Plan,
    counted: Mapping[str, Mapping[int, History]],
    metrics: Iterable[str],
    *,
    primary: str,
    at: Course | None,
) -> tuple[_ByMetric, dict[str, dict[str, Finding]]]:
    """Contrasts and findings by metric, by arm id; each metric's contrasts are one family.

    The margin is one of the primary metric.
    """
    compared = [(arm.id, arm.against) for arm in plan.arms if arm.against is not None]
    ids = [arm for arm, _ in compared]
    contrasts: _ByMetric = {}
    claimed: dict[str, dict[str, Finding]] = {}
    for metric in metrics:
        margin = plan.study.margin if metric == primary else None
        replicates = Replicates(counted, plan.searches)
        values = replicates.of(metric)
        equal: list[Equivalence | None] | None = None
        if at is None:
            family = [
                replace(one, of_means=between_means(values, arm, one.against))
                for arm, one in zip(ids, _family(plan, values, compared, metric), strict=True)
            ]
            family = searched(family, compared, replicates, metric)
        else:
            family, equal = sequential_family(values, compared, at, margin)
        verdicts = findings(
            family,
            direction=direction_of(plan, metric),
            margin=margin,
            equal=equal,
            how=plan.study.analysis,
        )
        contrasts[metric] = dict(zip(ids, family, strict=True))
        claimed[metric] = dict(zip(ids, verdicts, strict=True))
    return contrasts, claimed


def _family(
    plan: Plan, found: Values, compared: Sequence[tuple[str, str]], metric: str
) -> list[Contrast]:
    """The contrasts of one metric, tested and corrected as the study says."""
    how = plan.study.analysis
    if how.correction == "dunnett" and compared:
        from cbablate.analysis.contrasts.dunnett import dunnett  # its numbers need numpy and scipy

        return dunnett(found, [arm for arm, _ in compared], compared[0][1])
    return adjusted(
        [
            contrast(
                found[arm],
                found[ref],
                against=ref,
                how=how,
                seed=derive_seed(plan.study.seed, "bootstrap", metric, arm, ref),
            )
            for arm, ref in compared
        ],
        how,
    )


def _counts(past: list[History]) -> Counts:
    states = Counter(history.state for history in past)
    failures = Counter(h.failure or "error" for h in past if h.state is TrialState.FAILED)
    return Counts(
        planned=len(past),
        complete=states[TrialState.COMPLETE],
        pruned=states[TrialState.PRUNED],
        running=states[TrialState.RUNNING],
        waiting=states[TrialState.WAITING],
        failed=dict(sorted(failures.items())),
    )


def _vectors(
    counted: Mapping[int, History], planned: int, searches: int
) -> dict[str, tuple[Estimate, ...]]:
    """Estimates per layer, by vector name; a layer counts the replicates that have it."""
    gathered: dict[str, list[dict[int, float]]] = {}
    for replicate in sorted(counted):
        last = counted[replicate].last
        for name, values in (last.vectors if last else {}).items():
            layers = gathered.setdefault(name, [])
            layers += [{} for _ in range(len(values) - len(layers))]
            for layer, value in zip(layers, values, strict=False):
                layer[replicate] = value
    return {
        name: tuple(estimated(layer, planned, searches) for layer in layers)
        for name, layers in sorted(gathered.items())
    }
