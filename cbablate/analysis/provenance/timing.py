"""`Timing`: how fast an arm ran when it was timed alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cbablate.records.facts import SessionFact, Timed
from cbablate.records.record import Record

__all__ = ["Timing", "device_of", "timings"]


@dataclass(frozen=True)
class Timing:
    """The median over rounds of a timing stage, with the slowest and the fastest round.

    `batch` is the stage it comes from: arms of one stage were timed in turns on one `device`, by
    one `worker` ("" in ledgers of 0.1.0) of one `session`.
    """

    median: float
    low: float
    high: float
    rounds: int
    batch: str
    device: str
    session: str
    worker: str = ""


def timings(facts: Iterable[Record], arms: Sequence[str]) -> dict[str, dict[str, Timing]]:
    """Timings by metric, by arm id, from facts in the order they were told.

    A metric's values come from the newest stage that timed all arms that were ever timed; where
    there is none, from the newest that timed the arm. The device is the stage's own word, or what
    its session says of the host.
    """
    hosts: dict[str, str] = {}
    told: dict[str, dict[str, dict[str, Timing]]] = {}  # metric, stage, arm
    newest: dict[str, int] = {}
    wanted = set(arms)
    for place, fact in enumerate(facts):
        if fact.kind == "session":
            hosts[fact.subject] = device_of(SessionFact.of(fact).host)
        if fact.kind != "timed" or fact.subject not in wanted:
            continue
        timed = Timed.of(fact)
        device = timed.device or hosts.get(timed.session, "")
        for metric, timing in _timings(timed, device).items():
            told.setdefault(metric, {}).setdefault(timing.batch, {})[fact.subject] = timing
            newest[timing.batch] = place
    return {
        metric: _chosen([stages[batch] for batch in sorted(stages, key=newest.__getitem__)])
        for metric, stages in sorted(told.items())
    }


def _chosen(stages: Sequence[Mapping[str, Timing]]) -> dict[str, Timing]:
    """One timing an arm, from stages in the order they ended."""
    mixed: dict[str, Timing] = {}
    for timed in stages:
        mixed.update(timed)
    return next((dict(timed) for timed in reversed(stages) if timed.keys() == mixed.keys()), mixed)


def device_of(host: Any) -> str:
    """What the host of a worker or a session computes on: its GPUs, if any, else its processor."""
    if not isinstance(host, Mapping):
        return ""
    gpus = host.get("gpus")
    named = [str(gpu) for gpu in gpus] if isinstance(gpus, list | tuple) else []
    return ", ".join(sorted(set(named))) or str(host.get("processor", ""))


def _timings(timed: Timed, device: str) -> dict[str, Timing]:
    found: dict[str, Timing] = {}
    for metric, rounds in timed.metrics.items():
        values = [float(value) for value in rounds if math.isfinite(value)]
        if values:
            found[metric] = Timing(
                median=statistics.median(values),
                low=min(values),
                high=max(values),
                rounds=len(values),
                batch=timed.batch,
                device=device,
                session=timed.session,
                worker=timed.worker,
            )
    return found
