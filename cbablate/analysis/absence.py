"""Metrics that a study asks for and that no trial has reported."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cbablate.planning.plan import Plan
from cbablate.records.history import History
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.spec.metric import Metric

__all__ = ["unreported"]


def unreported(plan: Plan, past: Iterable[History]) -> list[str]:
    """A sentence for each metric asked for that no completed trial has; none before one has.

    A shipped workload's metrics are checked when the file is read; a user's own are known only
    once it has run.
    """
    last = [h.last for h in past if h.state is TrialState.COMPLETE and h.last]
    there = {name for one in last for name in (*one.metrics, *one.vectors)}
    known = plan.description.metrics
    asked = dict.fromkeys((plan.study.objective.metric, *plan.study.report))
    return [
        _sentence(name, there) for name in asked if last and not _there(known.get(name), name, last)
    ]


def _sentence(name: str, there: Collection[str]) -> str:
    if name in there:
        return (
            f"Trials report '{name}' as a vector alone: with `per: layer` under `metrics`, its "
            "mean is shown."
        )
    return f"No trial reported '{name}'; they reported {', '.join(sorted(there)) or 'nothing'}."


def _there(metric: Metric | None, name: str, last: Iterable[Measurement]) -> bool:
    """Whether a metric has a number to print, or is none that trials report."""
    if metric is not None and metric.source == "timing" and not metric.beside:
        return True
    layered = metric is not None and metric.layered
    return any(name in one.metrics or (layered and name in one.vectors) for one in last)
