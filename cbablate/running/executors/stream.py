"""A trial's stream as executors see it: what a workload yields, checked before it is told on."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsFloat

from cbablate.errors import TrialFailure
from cbablate.planning.trial import Trial
from cbablate.records.measurement import Measurement
from cbablate.records.sketch import Sketch
from cbablate.running.executors.checkpoint_transport import Handover, Saved
from cbablate.running.isolation.children import in_this_process
from cbablate.running.isolation.error_text import sentence, words
from cbablate.running.isolation.limits import OverLimit
from cbablate.running.isolation.signals import Stopped
from cbablate.workloads.checkpoint import Checkpoint
from cbablate.workloads.commands.room import Room
from cbablate.workloads.own_code.current_trial import CurrentTrial
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.fiber import underway
from cbablate.workloads.own_code.importing import strangers
from cbablate.workloads.own_code.plain_numbers import kind_of, metric_value, whole_number
from cbablate.workloads.own_code.reported_stream import stream_of

__all__ = ["Load", "Report", "Stop", "attempt", "checked", "its_own", "open_stream"]


@dataclass(frozen=True)
class Report:
    """What an attempt tells at once: a measurement, and what it can be taken up from, if any.

    `printed` is what its program has printed since the last one; nothing of a function.
    """

    measurement: Measurement
    saved: Saved | None
    printed: bytes = b""


Stop = Collection[int] | None
"""The members of a group that are to stop, which its stream is sent; None for none."""

Load = Callable[[Entry], Callable[..., Any]]
"""Imports a workload: `Entry.load`, or what does more around it."""


def attempt(
    workload: Entry,
    trial: Trial,
    workdir: Path,
    *,
    every: float,
    given: Saved | None,
    load: Load = Entry.load,
) -> Generator[Report, Stop, None]:
    """The trial's measurements, with the checkpoints that it leaves; closing it stops it.

    `load` imports the workload, when the first measurement is asked for. The trial goes on from
    what is given, if the workload can.

    Raises:
        TrialFailure: as `open_stream`, or a checkpoint cannot be read.
        Exception: whatever else the workload raises.
    """
    if workload.program is not None:
        Room(workdir).name(trial.id)
    handover = Handover(workdir, every=every, given=given)
    del given  # a training is long, and this may be large
    with contextlib.closing(open_stream(workload, trial, workdir, load=load)) as stream:
        for measurement in stream:
            yield Report(measurement, handover.taken(measurement.spent))


def open_stream(
    workload: Entry, trial: Trial, workdir: Path, *, load: Load = Entry.load
) -> Generator[Measurement, None, None]:
    """The trial's measurements, each in order and made of plain numbers; closing it stops it.

    The workload gets a config of its own, so that one which writes into it alters no other trial.

    Raises:
        TrialFailure: the workload yields what is not a measurement, goes backwards, spends more
            than its budget, imports or runs code that is not recorded, or raises what is not an
            `Exception`.
        Exception: whatever else the workload raises.
    """
    config = copy.deepcopy(dict(trial.config))
    current = CurrentTrial(config, trial.seed, trial.budget, workdir, Checkpoint(workdir))
    with underway(current) as opened:
        with its_own():
            workload.hold_files()
            stream = stream_of(load(workload), current)
        try:
            spent = 0
            while True:
                with its_own():
                    item = next(stream, _OVER)
                    if opened.complaint:
                        raise TrialFailure(opened.complaint)
                    if item is _OVER:
                        workload.hold_against_code(workdir)
                        workload.hold_files()
                        return
                    measurement = checked(item, trial, after=spent)
                    workload.hold_against_code(workdir)
                spent = measurement.spent
                yield measurement
        finally:
            with its_own():
                close = getattr(stream, "close", None)
                if close is not None:
                    close()
            strangers()  # the next trial is neither blamed for what this one imported, nor gets it


_OVER = object()


@contextlib.contextmanager
def its_own() -> Iterator[None]:
    """Code of the workload runs within it: what it raises, of whatever kind, is its trial's.

    A `GeneratorExit` or a `KeyboardInterrupt` of its own would else be taken for ours.
    """
    try:
        with in_this_process():
            yield
    except (Stopped, OverLimit, Exception):
        raise
    except SystemExit as left:
        raise TrialFailure(f"the workload called sys.exit({words(left.code)})") from left
    except BaseException as error:
        raise TrialFailure(sentence(error)) from error


def checked(yielded: Any, trial: Trial, *, after: int) -> Measurement:
    """What a workload yielded as the trial's next measurement, made of plain numbers.

    Raises:
        TrialFailure: it is none, or does not come after one that spent so much.
    """
    item = _of_its_kind(yielded)
    unit, most = trial.budget.unit, trial.budget.amount
    spent = whole_number(item.spent)
    if spent is None:
        raise TrialFailure(f"a measurement has spent {item.spent!r}, not a whole number of {unit}")
    if not after < spent <= most:
        raise TrialFailure(
            f"a measurement has spent {spent} {unit}: more than the last one's {after} and "
            f"at most the budget's {most} is allowed"
        )
    return Measurement(  # a plain one, whatever class of the user's it is: it leaves the process
        spent=spent,
        metrics={str(name): metric_value(name, value) for name, value in item.metrics.items()},
        vectors={
            str(name): tuple(metric_value(name, value) for value in values)
            for name, values in item.vectors.items()
        },
        seconds=float(item.seconds),
        notes={_text(name): _text(note) for name, note in item.notes.items()},
        sketches={str(name): _sketch(name, text) for name, text in item.sketches.items()},
    )


def _text(said: Any) -> str:
    """Words of a program; half characters, which no database takes, are spelled out."""
    return str(said).encode(errors="backslashreplace").decode()


def _of_its_kind(item: Any) -> Measurement:
    """What a workload yielded, if it is a Measurement whose fields are of their kinds.

    Anything else is likely to come in every trial of the workload.

    Raises:
        TrialFailure: it is no Measurement, or has something else in the place of its fields.
    """
    if not isinstance(item, Measurement):
        why = f"the workload yielded {kind_of(item)}, not a Measurement"
        raise TrialFailure(why, failure="no measurement")
    for field in ("metrics", "vectors", "notes", "sketches"):
        value = getattr(item, field)
        if not isinstance(value, Mapping):
            why = f"a measurement's {field} are {kind_of(value)}, not a mapping"
            raise TrialFailure(why, failure="no measurement")
    if isinstance(item.seconds, str) or not isinstance(item.seconds, SupportsFloat):
        why = f"a measurement's seconds are {kind_of(item.seconds)}, not a number"
        raise TrialFailure(why, failure="no measurement")
    return item


def _sketch(name: Any, text: Any) -> str:
    """A packed sketch, if that is what it is."""
    try:
        Sketch.unpacked(text)
    except (ValueError, KeyError, TypeError) as error:
        raise TrialFailure(
            f"sketch {name!r} of a measurement is not the text of one (`Sketch(...).packed`): "
            f"{type(error).__name__}: {error}"
        ) from error
    return str(text)
