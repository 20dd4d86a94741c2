"""A group's stream as executors see it: what each member yields, checked before it is told on."""

from __future__ import annotations

import copy
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.planning.trial import Trial
from cbablate.running.executors.checkpoint_transport import Handover, Saved
from cbablate.running.executors.port import Ending, raised
from cbablate.running.executors.stream import Load, Report, Stop, checked, its_own
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.fiber import underway
from cbablate.workloads.own_code.importing import strangers
from cbablate.workloads.own_code.plain_numbers import kind_of

__all__ = ["MemberTold", "group_attempt"]


@dataclass(frozen=True)
class MemberTold:
    """What one member of a group tells: a measurement, or that it raised."""

    member: int
    told: Report | Ending


def group_attempt(
    workload: Entry,
    trials: Sequence[Trial],
    workdir: Path,
    *,
    every: float,
    given: Sequence[Saved | None],
    load: Load = Entry.load,
) -> Generator[MemberTold, Stop, None]:
    """What the members of a group tell, each in order; it is sent those that are to stop.

    Each member has a config and a folder of its own, and goes on from what is given for it.

    Raises:
        TrialFailure: the workload tells of no member that is open, imports code that is not
            recorded, or raises what is not an `Exception`.
        Exception: whatever else the workload raises.
    """
    workdirs = [workdir / str(member) for member in range(len(trials))]
    for folder in workdirs:
        folder.mkdir()
    pairs = zip(workdirs, given, strict=True)
    handovers = [Handover(folder, every=every, given=saved) for folder, saved in pairs]
    del given  # a training is long, and this may be large
    with underway(None):
        yield from _members(workload, trials, workdirs, handovers, load)


def _members(
    workload: Entry,
    trials: Sequence[Trial],
    workdirs: Sequence[Path],
    handovers: Sequence[Handover],
    load: Load,
) -> Generator[MemberTold, Stop, None]:
    """As `group_attempt`, of members whose checkpoints are laid ready."""
    open_, spent = set(range(len(trials))), [0] * len(trials)
    stop: Stop = None
    stream = _opened(workload, trials, workdirs, load)
    try:
        while open_:
            with its_own():
                try:
                    yielded = stream.send(stop)
                except StopIteration:
                    return
                member, item = _of_a_member(yielded, open_)
                told = _told(item, trials[member], handovers[member], after=spent[member])
                workload.hold_against_code(workdirs[0].parent)
            if isinstance(told, Report):
                spent[member] = told.measurement.spent
            else:
                open_.discard(member)
            stop = set((yield MemberTold(member, told)) or ())
            if isinstance(told, Ending) and not isinstance(item, Exception):
                stop.add(member)  # the workload does not know that we refused what it yielded
            open_ -= stop
    finally:
        with its_own():
            stream.close()
        strangers()  # the next trial must neither be blamed for what this one imported, nor get it


def _opened(
    workload: Entry, trials: Sequence[Trial], workdirs: Sequence[Path], load: Load
) -> Generator[Any, Any, None]:
    with its_own():
        stream = load(workload)(
            [copy.deepcopy(dict(trial.config)) for trial in trials],
            seeds=[trial.seed for trial in trials],
            budget=trials[0].budget,
            workdirs=workdirs,
        )
        if not isinstance(stream, Generator):
            raise TrialFailure(
                f"workload '{workload.name}' gave {kind_of(stream)}, not a generator of "
                "measurements with their members: does it `yield`?",
                failure="no measurement",
            )
    return stream


def _of_a_member(yielded: Any, open_: Collection[int]) -> tuple[int, Any]:
    """A member that is open, and what was yielded with it.

    Raises:
        TrialFailure: there is no such member, or it has ended.
    """
    if not isinstance(yielded, tuple) or len(yielded) != 2:
        raise TrialFailure(
            f"the workload yielded {kind_of(yielded)}, not a member and its measurement",
            failure="no measurement",
        )
    member, item = yielded
    if type(member) is not int or member not in open_:
        raise TrialFailure(
            f"the workload told of member {kind_of(member)}, and those that are open are "
            f"{', '.join(map(str, sorted(open_)))}",
            failure="no measurement",
        )
    return member, item


def _told(item: Any, trial: Trial, handover: Handover, *, after: int) -> Report | Ending:
    """What a member told; that it raised, too, if it told none or left what cannot be read."""
    if isinstance(item, Exception):
        return raised(item)
    try:
        measurement = checked(item, trial, after=after)
        return Report(measurement, handover.taken(measurement.spent))
    except TrialFailure as failure:
        return raised(failure)
