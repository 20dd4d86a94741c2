"""`Sheet`: the raw numbers behind a table, one row for each arm and metric, nothing rounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cbablate.analysis.estimate import Estimate
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.analysis.timing import Timing
from cbablate.planning.plan import Plan
from cbablate.spec.analysis import Analysis

__all__ = ["Sheet", "Value", "sheet"]

Value = str | int | float | None

_LEADING = ("study", "arm")
_COUNTS = ("complete", "pruned", "failed", "running", "waiting")
_ESTIMATE = ("n", "planned", "mean", "sd", "low", "high")
_CONTRAST = (
    *("against", "difference", "difference_low", "difference_high"),
    *("p", "p_adjusted", "family", "pairs", "correlation"),
    *("difference_sd", "p_sign_flip", "p_sign_flip_holm", "p_equivalence_holm", "margin"),
    *("effect_size_dz", "hedges_g", "pairing_gain", "test", "correction", "interval"),
    "finding",
)
_TIMING = ("median", "minimum", "maximum", "rounds", "device")


@dataclass(frozen=True)
class Sheet:
    """A header and rows as long as it. `layer` is empty for a scalar, 0 for the first block."""

    header: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


def sheet(plan: Plan, summary: Summary) -> Sheet:
    """Every estimate, contrast, timing and layer of a summary."""
    factors = tuple(f"factor {factor.name}" for factor in plan.study.factors)
    header = (
        *(*_LEADING, *factors, "metric", "layer", "unit", "source"),
        *(*_ESTIMATE, *_CONTRAST, *_TIMING, *_COUNTS, "arm_id"),
    )
    names = {arm.id: arm.name for arm in plan.arms}
    rows: list[tuple[Value, ...]] = []
    for one in summary.arms:
        levels = [one.arm.levels[factor.name] for factor in plan.study.factors]
        for head, body in _metrics(plan, summary, one, names):
            rows.append(
                (
                    *(plan.study.name, one.arm.name, *levels),
                    *(*head, *body, *_counts(one), one.arm.id),
                )
            )
    return Sheet(header, tuple(rows))


def _metrics(
    plan: Plan, summary: Summary, one: ArmSummary, names: dict[str, str]
) -> Iterator[tuple[list[Value], list[Value]]]:
    """Each metric of an arm: what it is, and its numbers."""
    for name in summary.metrics:
        said = _estimate(one.estimates[name]) + _contrast(one, name, names, plan.study.analysis)
        yield [name, None, metric_of(plan, name).unit, "trial"], said + _timing(None)
    for name, timing in one.timings.items():
        said = [None] * (len(_ESTIMATE) + len(_CONTRAST))
        yield [name, None, metric_of(plan, name).unit, "timing"], said + _timing(timing)
    for name, layers in one.vectors.items():
        for index, layer in enumerate(layers):
            said = _estimate(layer) + [None] * len(_CONTRAST)
            yield [name, index, metric_of(plan, name).unit, "trial"], said + _timing(None)


def _estimate(one: Estimate) -> list[Value]:
    return [one.n, one.planned, one.mean, one.sd, one.low, one.high]


def _contrast(arm: ArmSummary, metric: str, names: dict[str, str], how: Analysis) -> list[Value]:
    if metric not in arm.contrasts:
        return [None] * len(_CONTRAST)
    one, found = arm.contrasts[metric], arm.findings[metric]
    return [
        *(names[one.against], one.difference, one.low, one.high),
        *(one.p, one.p_adjusted, one.family, one.n, one.correlation),
        *(one.sd, one.p_sign_flip, found.p_sign_flip, found.p_equivalence, found.margin),
        *(one.effect_size, one.hedges_g, one.gain),
        *((how.test if one.paired else "welch"), how.correction, how.interval),
        found.claim,
    ]


def _timing(one: Timing | None) -> list[Value]:
    if one is None:
        return [None] * len(_TIMING)
    return [one.median, one.low, one.high, one.rounds, one.device]


def _counts(one: ArmSummary) -> list[Value]:
    counts = one.counts
    failed = sum(counts.failed.values())
    return [counts.complete, counts.pruned, failed, counts.running, counts.waiting]
