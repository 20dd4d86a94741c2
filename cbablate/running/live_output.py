"""`followed`: what a trial's program prints, as long as the trial runs on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cbablate.records.logs import Logs
from cbablate.running.isolation.scratch import temporary_root
from cbablate.workloads.commands.output import Output
from cbablate.workloads.commands.room import Room

__all__ = ["followed", "live_room"]

_PLACES = ("cbablate-trial-*", "cbablate-session-*/cbablate-trial-*")
_PAUSE = 0.2


def live_room(trial: str) -> Room | None:
    """The room of a trial that runs on this machine, whoever runs it."""
    for pattern in _PLACES:
        for folder in temporary_root().glob(pattern):
            room = Room(folder)
            if room.trial == trial:
                return room
    return None


def followed(trial: str, attempt: int, logs: Logs, at_work: Callable[[], bool]) -> Iterator[bytes]:
    """What an attempt at a trial prints, until it has ended or no driver is `at_work` any more.

    Of one that runs on another machine it comes with each measurement.
    """
    told = 0
    while True:
        goes_on = at_work() and not logs.closed(trial, attempt)
        room = live_room(trial)
        if goes_on and room is not None and not told:
            for text in _printed(room.output):
                told += len(text)
                yield text
        text = _kept(logs, trial, attempt)
        yield text[told:]
        told = max(told, len(text))
        if not goes_on:
            return
        time.sleep(_PAUSE)


def _printed(folder: Path) -> Iterator[bytes]:
    output = Output(folder)
    while True:
        goes_on = folder.exists()
        text, missed = output.news()
        if missed:
            yield b"\n[... %d bytes left out ...]\n" % missed
        yield text
        if not goes_on:
            return
        time.sleep(_PAUSE)


def _kept(logs: Logs, trial: str, attempt: int) -> bytes:
    try:
        return logs.text(trial, attempt)
    except FileNotFoundError:
        return b""
