"""`Measurement`: what a trial reports after so much of its budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Measurement"]


@dataclass(frozen=True)
class Measurement:
    """Metrics after `spent` units of the budget, `seconds` after the trial began.

    `metrics` are scalars by name (`val/top1`); `vectors` are values per layer
    (`attention/entropy`: one number a block, first block first). `notes` are words about how it
    was computed (device, precision, versions) and are recorded with the trial. `sketches` are what
    is left of the network for later, packed (`records.sketch`): no results, and in no mirror.
    """

    spent: int
    metrics: Mapping[str, float]
    vectors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    seconds: float = 0.0
    notes: Mapping[str, str] = field(default_factory=dict)
    sketches: Mapping[str, str] = field(default_factory=dict)
