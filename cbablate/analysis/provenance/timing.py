"""`Timing`: how fast an arm ran when it was timed alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cbablate.records.facts import SessionFact, Timed, WorkerFact
from cbablate.records.history import History
from cbablate.records.record import Record

__all__ = ["Timing", "device_of", "timings", "timings_of_trials"]


@dataclass(frozen=True)
class Timing:
    """The median over rounds of a timing stage, with the slowest and the fastest round.

    `batch` is the stage it comes from: arms of one stage were timed in turns on one `device`, by
    one `worker` ("" in ledgers of 0.1.0) of one `session`. Where trials timed themselves there was
    no stage: `batch` is "", each trial is a round, and the rest is the last one's.
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


def timings_of_trials(
    entered: Mapping[str, Mapping[int, History]], metrics: Iterable[str], facts: Iterable[Record]
) -> dict[str, dict[str, Timing]]:
    """Timings by metric, by arm id, of what COMPLETE trials measured beside whatever else ran."""
    wanted = [*metrics]
    workers = (one for one in facts if one.kind == "worker" and wanted)
    devices = {one.subject: device_of(WorkerFact.of(one).host) for one in workers}
    found: dict[str, dict[str, Timing]] = {}
    for name in wanted:
        for arm, past in entered.items():
            told = [one for one in past.values() if one.last and name in one.last.metrics]
            timed = [float(one.last.metrics[name]) for one in told if one.last]
            if timed:
                worker = told[-1].workers[-1] if told[-1].workers else ""
                found.setdefault(name, {})[arm] = Timing(
                    median=statistics.median(timed),
                    low=min(timed),
                    high=max(timed),
                    rounds=len(timed),
                    batch="",
                    device=devices.get(worker, ""),
                    session=told[-1].session,
                    worker=worker,
                )
    return found


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
