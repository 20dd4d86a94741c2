"""`sheet`: the numbers behind the table of arms, one row for each arm and metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cbablate.analysis.contrasts.contrast import Kind
from cbablate.analysis.outcome import Tuned
from cbablate.analysis.provenance.timing import Timing
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.model.sheet import Sheet, Value
from cbablate.spec.analysis import Analysis
from cbablate.spec.loading.changes import flatten
from cbablate.statistics.estimate import Estimate

__all__ = ["sheet"]

_LEADING = ("study", "arm")
_COUNTS = ("complete", "pruned", "failed", "running", "waiting")
_ESTIMATE = ("n", "planned", "mean", "sd", "low", "high")
_CONTRAST = (
    *("against", "difference", "difference_low", "difference_high"),
    *("p", "p_adjusted", "family", "pairs", "units", "correlation"),
    *("difference_sd", "p_sign_flip", "p_sign_flip_adjusted", "p_equivalence_adjusted", "margin"),
    *("effect_size_dz", "hedges_g", "pairing_gain", "test", "correction", "interval"),
    *("intervals", "equivalence_low", "equivalence_high", "finding"),
)
_KINDS: dict[Kind, Kind] = {"dunnett": "t"}
"""Intervals that the sheet calls by another name; the correction beside it says the rest."""
_TIMING = ("median", "minimum", "maximum", "rounds", "device")


def sheet(plan: Plan, summary: Summary, *, tuned: Tuned | None = None) -> Sheet:
    """Every estimate, contrast, timing and layer of a summary.

    A study that tunes has each arm twice, `tuned` and `fixed`, with the number of searches and the
    values of the searched keys; of several searches no one value is the arm's.
    """
    factors = tuple(f"factor {factor.name}" for factor in plan.study.factors)
    keys = tuple(plan.study.tune.space) if tuned and plan.study.tune else ()
    searched = ("hyperparameters", "searches", *keys) if tuned else ()
    header = (
        *(*_LEADING, *factors, *searched, "metric", "layer", "unit", "source"),
        *(*_ESTIMATE, *_CONTRAST, *_TIMING, *_COUNTS, "arm_id"),
    )
    written = {arm.id for arm in tuned.plan.arms} if tuned else set()
    rows: list[tuple[Value, ...]] = []
    for part in [summary, tuned.fixed] if tuned and tuned.fixed else [summary]:
        names = {one.arm.id: one.arm.name for one in part.arms}
        for one in part.arms:
            levels = [one.arm.levels[factor.name] for factor in plan.study.factors]
            shared = tuned and tuned.fixed is None and one.arm.id in written
            word = "fixed" if shared or part is not summary else "tuned"
            many = plan.study.searches if word == "tuned" else None
            values = _searched(one.arm.config, keys) if (many or 1) == 1 else [None] * len(keys)
            said = (word, many, *values) if tuned else ()
            for head, body in _metrics(plan, part, one, names):
                rows.append(
                    (
                        *(plan.study.name, one.arm.name, *levels, *said),
                        *(*head, *body, *_counts(one), one.arm.id),
                    )
                )
    return Sheet(header, tuple(rows))


def _searched(config: Mapping[str, Any], keys: Sequence[str]) -> list[Value]:
    """An arm's values of the searched keys; None where it has none."""
    flat = dict(flatten(config))
    return [
        str(value).lower() if isinstance(value, bool) else value
        for value in (flat.get(key) for key in keys)
    ]


def _metrics(
    plan: Plan, summary: Summary, one: ArmSummary, names: dict[str, str]
) -> Iterator[tuple[list[Value], list[Value]]]:
    """Each metric of an arm: what it is, and its numbers."""
    for name in summary.metrics:
        how = plan.study.analysis
        said = _estimate(one.estimates[name])
        said += _contrast(one, name, names, how, looks=summary.course is not None)
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


def _contrast(
    arm: ArmSummary, metric: str, names: dict[str, str], how: Analysis, *, looks: bool
) -> list[Value]:
    if metric not in arm.contrasts:
        return [None] * len(_CONTRAST)
    one, found = arm.contrasts[metric], arm.findings[metric]
    tost = found.equivalence
    return [
        *(names[one.against], one.difference, one.low, one.high),
        *(one.p, one.p_adjusted, one.family, one.pairs, one.n, one.correlation),
        *(one.sd, one.p_sign_flip, found.p_sign_flip, found.p_equivalence, found.margin),
        *(one.effect_size, one.hedges_g, one.gain),
        "sequential t" if looks else how.test if one.paired else "welch",
        *(how.correction, _KINDS.get(one.kind, one.kind) if one.low is not None else None),
        ("simultaneous" if one.joint else "single") if one.low is not None else None,
        *((tost.low, tost.high) if tost else (None, None)),
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
