"""`data_version`: a digest of all that a table is computed from, to tell old tables from new."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from cbablate.analysis.provenance.timing import Timing
from cbablate.records.history import History

__all__ = ["data_version"]

_DIGITS = 12


def data_version(
    entered: Mapping[str, Mapping[int, History]],
    timed: Mapping[str, Mapping[str, Timing]],
    *,
    shown: Collection[str],
) -> str:
    """Twelve hexadecimal digits over the last measurements of the trials that entered.

    A clock's numbers that no table shows are left out: they differ where nothing else does.

    Args:
        entered: histories of completed trials, by arm id, by replicate.
        timed: timings by metric, by arm id.
        shown: the metrics that the study reports or decides on.
    """
    said = hashlib.sha256()
    for arm, by_replicate in entered.items():
        for replicate in sorted(by_replicate):
            last = by_replicate[replicate].last
            metrics = sorted((n, v) for n, v in last.metrics.items() if n in shown) if last else []
            vectors = sorted((last.vectors if last else {}).items())
            said.update(repr([arm, replicate, metrics, vectors]).encode())
            if last and last.sketches:
                said.update(repr(sorted(last.sketches.items())).encode())
    for metric, by_arm in ((n, t) for n, t in timed.items() if n in shown):
        for arm, timing in sorted(by_arm.items()):
            told = [metric, arm, timing.median, timing.low, timing.high, timing.rounds]
            said.update(repr(told).encode())
    return said.hexdigest()[:_DIGITS]
