"""`mechanism_table`: how changes of the other reported metrics go with changes of the primary."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.analysis.measures.mechanism import (
    FEWEST_SEEDS,
    Association,
    Interval,
    association,
    changes,
)
from cbablate.analysis.summary import Summary, metric_of
from cbablate.errors import CbablateError
from cbablate.fingerprint import derive_seed
from cbablate.phrases import amount
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import (
    Blank,
    Cell,
    Count,
    Number,
    Probability,
    Range,
    Spread,
    Text,
    significant,
)
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.scale import Scale
from cbablate.reporting.model.sheet import Sheet, Value
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.claim import difference_unit
from cbablate.reporting.sentences.note import comment

__all__ = ["mechanism_table"]

_HEADER = (
    *("study", "metric", "probe", "arms", "seeds", "measure", "value", "low", "high"),
    "p_permutation",
)
_MEASURES = ("pearson", "spearman", "slope", "within")


def mechanism_table(plan: Plan, summary: Summary) -> Table:
    """One row for each reported metric but the primary: how its changes go with the primary's.

    Raises:
        CbablateError: nothing is compared, or no other reported metric changes with the arms.
    """
    name = summary.primary
    compared = [(arm.id, arm.against) for arm in plan.arms if arm.against is not None]
    probes = [one for one in summary.metrics if one in plan.study.report and one != name]
    if not name or not compared or not probes:
        raise CbablateError(
            f"study '{plan.study.name}' reports no metric beside its first that could go with it: "
            "report a probe, such as attention/entropy, and compare arms"
        )
    primary = summary.replicates.of(name)
    told: dict[str, Association] = {}
    still: list[str] = []
    for probe in probes:
        seed = derive_seed(plan.study.seed, "mechanism", name, probe)
        try:
            told[probe] = association(
                changes(summary.replicates.of(probe), primary, compared), seed
            )
        except CbablateError:
            still.append(metric_of(plan, probe).label)
    if not told:
        raise CbablateError(
            f"no other metric of study '{plan.study.name}' changes yet in three trials or more "
            f"together with {metric_of(plan, name).label}"
        )
    return Table(
        name=f"{plan.study.name}-mechanism",
        caption=f"What changes together with {metric_of(plan, name).label}?",
        columns=(
            Column("Change of", "text"),
            *(Column(label, "range", symbol=symbol) for label, symbol in _heads()),
            Column("p within", "probability"),
            Column("r between", "spread"),
            Column("n", "count", symbol=True),
        ),
        rows=tuple(Row(tuple(_cells(plan, *one))) for one in told.items()),
        notes=tuple(_notes(plan, name, told, still)),
        comment=comment(plan, summary),
        method=("Changes paired by replicate; 95 % t-intervals of the jackknife over whole seeds",),
        sheet=Sheet(_HEADER, tuple(_sheet(plan, name, told))),
    )


def _heads() -> Iterator[tuple[str, bool]]:
    yield "r", True
    yield "rank r", False
    yield "r within", False


def _cells(plan: Plan, probe: str, said: Association) -> Iterator[Cell]:
    yield Text(metric_of(plan, probe).label)
    for one in (said.pearson, said.spearman, said.within):
        yield _range(one)
    yield Blank() if said.p_within is None else Probability(said.p_within)
    yield Blank() if said.between is None else Spread(Number(said.between, 2, True))
    yield Count(said.seeds, said.seeds)


def _range(one: Interval) -> Cell:
    if one.value is None:
        return Blank()
    if one.low is None or one.high is None:
        return Spread(Number(one.value, 2, True))
    return Range(*(Number(end, 2, True) for end in (one.value, one.low, one.high)))


def _notes(plan: Plan, name: str, told: dict[str, Association], still: list[str]) -> Iterator[str]:
    label = metric_of(plan, name).label
    yield (
        "This is association, not causation: an arm can change a probe and the metric each by "
        "itself. To ask whether the one works through the other, change the probe alone."
    )
    yield (
        "Changes: an arm's minus its reference's at the same seed. r: Pearson's correlation over "
        "arms and n seeds; within: with each arm's mean taken away; between: of the arms' means."
    )
    if any(one.pearson.low is not None for one in told.values()):
        yield (
            "Parentheses: 95 % t-intervals of the jackknife over whole seeds; p within: "
            "permutation of whole seeds, not adjusted."
        )
    else:
        yield f"Below {FEWEST_SEEDS} seeds there is neither an interval nor a p value."
    for probe, one in told.items():
        metric, slope = metric_of(plan, probe), one.slope
        if slope.value is not None and slope.low is not None and slope.high is not None:
            unit, of = (difference_unit(plan, Scale(0), each) for each in (probe, name))
            changed = f"{_slope(slope.value)} {of}".rstrip()
            yield (
                f"Slope: {changed} of {label} for {amount(1, unit).rstrip()} of {metric.label} "
                f"({_slope(slope.low)} to {_slope(slope.high)})."
            )
    if still:
        yield f"Without changes to compare: {', '.join(still)}."


def _slope(value: float) -> str:
    return significant(value, 3, signed=True)


def _sheet(plan: Plan, name: str, told: dict[str, Association]) -> Iterator[tuple[Value, ...]]:
    for probe, said in told.items():
        head = (plan.study.name, name, probe, said.arms, said.seeds)
        for measure in _MEASURES:
            one: Interval = getattr(said, measure)
            p = said.p_within if measure == "within" else None
            yield (*head, measure, one.value, one.low, one.high, p)
        yield (*head, "between", said.between, None, None, None)
