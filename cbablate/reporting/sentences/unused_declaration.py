"""Declared metrics that no trial has reported: misspelt ones, or of another training."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.analysis.summary import Summary
from cbablate.planning.plan import Plan
from cbablate.spec.split import twins
from cbablate.spec.yaml.suggestion import did_you_mean

__all__ = ["unused_declarations"]


def unused_declarations(plan: Plan, summary: Summary) -> Iterator[str]:
    """Names under `metrics` of an own workload that no complete trial has.

    A name whose other split is reported is of use there, and a metric that is asked for is told
    as missing already.
    """
    if plan.description.own is None:
        return
    last = [
        history.last
        for by_replicate in summary.replicates.entered.values()
        for history in by_replicate.values()
        if history.last
    ]
    reported = {name for one in last for name in (*one.metrics, *one.vectors)}
    asked = {*plan.study.report, plan.study.objective.metric}
    declared = dict.fromkeys([*plan.study.metrics, *plan.description.declared])
    for name in declared if reported else ():
        if name in reported or name in asked or any(twins(name, one) for one in reported):
            continue
        hint = did_you_mean(name, sorted(reported.difference(declared)))
        end = f": {hint}" if hint else "."
        yield f"'{name}' is declared under metrics, and no trial reports it{end}"
