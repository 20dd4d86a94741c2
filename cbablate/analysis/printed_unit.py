"""`in_units`: a trial's history in the units that its metrics are printed in.

A ledger holds what a workload reported. Tables, figures and files show what a study declares, as
percentages of what was reported as a share. Here is the only place where the one becomes the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from cbablate.planning.plan import Plan
from cbablate.records.history import History
from cbablate.records.measurement import Measurement
from cbablate.spec.metric import Metric

__all__ = ["in_unit", "in_units"]


def in_units(plan: Plan, history: History) -> History:
    """The history with each measurement in printed units; the same one where nothing differs.

    A vector by layer whose mean was not reported gets it here, since a column needs one number.
    """
    metrics = plan.description.metrics
    wanted = {name: one for name, one in metrics.items() if one.scale != 1 or one.layered}
    if not wanted:
        return history
    return replace(history, measurements=[_printed(each, wanted) for each in history.measurements])


def in_unit(metric: Metric, value: float) -> float:
    """A recorded value in the metric's unit: 0.29 of a scale of 100 is 29, as by hand."""
    if metric.scale == 1 or not math.isfinite(value):
        return value
    return float(Decimal(repr(float(value))) * Decimal(repr(metric.scale)))


def _printed(one: Measurement, wanted: Mapping[str, Metric]) -> Measurement:
    metrics, vectors = dict(one.metrics), dict(one.vectors)
    for name, metric in wanted.items():
        layers = vectors.get(name, ())
        if metric.layered and layers and name not in metrics:
            metrics[name] = math.fsum(layers) / len(layers)
        if name in metrics:
            metrics[name] = in_unit(metric, float(metrics[name]))
        if layers:
            vectors[name] = tuple(in_unit(metric, value) for value in layers)
    return replace(one, metrics=metrics, vectors=vectors)
