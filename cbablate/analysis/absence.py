"""Metrics that a study asks for and that no trial has reported."""

from __future__ import annotations

from collections.abc import Iterable

from cbablate.planning.plan import Plan
from cbablate.records.history import History
from cbablate.records.state import TrialState

__all__ = ["unreported"]


def unreported(plan: Plan, past: Iterable[History]) -> list[str]:
    """A sentence for each metric asked for that no completed trial has; none before one has.

    A shipped workload's metrics are checked when the file is read; a user's own are known only
    once it has run.
    """
    last = [h.last.metrics for h in past if h.state is TrialState.COMPLETE and h.last]
    there = sorted(set().union(*last)) if last else []
    known = plan.description.metrics
    asked = dict.fromkeys((plan.study.objective.metric, *plan.study.report))
    return [
        f"No trial reported '{name}'; they reported {', '.join(there) or 'nothing'}."
        for name in asked
        if last and name not in there and (name not in known or known[name].source == "trial")
    ]
