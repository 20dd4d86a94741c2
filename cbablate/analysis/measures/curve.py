"""Learning curves: what an arm's trials measured on the way, as one estimate a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cbablate.analysis.trial_outcome import TrialOutcome
from cbablate.records.state import TrialState
from cbablate.statistics.estimate import Estimate, estimate

__all__ = ["Curve", "curves"]

Curve = Sequence[tuple[float, Estimate]]
"""Budget spent, and the estimate there, in ascending order."""


def curves(outcomes: Sequence[TrialOutcome], metric: str) -> Mapping[str, Curve]:
    """The curve of a metric by arm id, over COMPLETE trials only; arms without one are left out.

    Pruned and failed trials enter no point: those that go on are not a fair sample of an arm.
    """
    gathered: dict[str, dict[int, list[float]]] = {}
    planned: dict[str, int] = {}
    for one in outcomes:
        planned[one.arm.id] = planned.get(one.arm.id, 0) + 1
        if one.history.state is not TrialState.COMPLETE:
            continue
        for measured in one.printed.measurements:
            if metric in measured.metrics:
                points = gathered.setdefault(one.arm.id, {})
                points.setdefault(measured.spent, []).append(float(measured.metrics[metric]))
    return {
        arm: tuple((at, estimate(points[at], planned[arm])) for at in sorted(points))
        for arm, points in gathered.items()
    }
