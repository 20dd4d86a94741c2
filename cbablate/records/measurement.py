"""`Measurement`: what a trial reports after so much of its budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from cbablate.records.rule import ROWS, Key, Notes, Number, Numbers, Positive, Sketches

__all__ = ["Measurement"]


@dataclass(frozen=True)
class Measurement:
    """Metrics after `spent` units of the budget, `seconds` after the trial began.

    `metrics` are scalars by name (`val/top1`); `vectors` are values per layer
    (`attention/entropy`: one number a block, first block first). `notes` are words about how it
    was computed (device, precision, versions) and are recorded with the trial. `sketches` are what
    is left of the network for later, packed (`records.sketch`): no results, and in no mirror.
    """

    spent: Positive
    metrics: Numbers
    vectors: Annotated[Mapping[str, tuple[float, ...]], ROWS] = field(default_factory=dict)
    seconds: Annotated[Number, Key(always=True, required=True)] = 0.0
    notes: Notes = field(default_factory=dict)
    sketches: Sketches = field(default_factory=dict)
