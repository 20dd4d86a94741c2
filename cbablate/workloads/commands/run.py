"""`run`: a program's training as a stream of measurements; the workload of every command."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cbablate.character import brief
from cbablate.errors import TrialFailure
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.spec.command_words import keys_in
from cbablate.spec.program import Program
from cbablate.workloads.commands.checkpoint_copy import CheckpointCopy
from cbablate.workloads.commands.held_code import HeldCode
from cbablate.workloads.commands.output import last_lines
from cbablate.workloads.commands.process import Exit, ProgramRun, running
from cbablate.workloads.commands.readers.catalog import reader_of
from cbablate.workloads.commands.readers.port import Reader
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.row import Row
from cbablate.workloads.commands.start import program_name, start_of
from cbablate.workloads.commands.tally import Tally

__all__ = ["run"]

_SHORTEST, _LONGEST = 0.002, 0.25
"""Seconds between two looks at what a program has written: more and more, as long as nothing is."""
_SLOWER = 1.5
_LAST = 300
"""Characters of a program's last line that stand in the sentence of its failure."""
_LEFT = (
    " It left others running, which were ended: a program that goes into the background cannot be "
    "waited for, so start it without that."
)


def run(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path, program: Program
) -> Generator[Measurement, None, None]:
    """What the program reports, as it comes. Closing the stream stops the program.

    Raises:
        TrialFailure: it cannot be started, ends with another code than 0 or by a signal, measures
            nothing, or what it wrote is not what it should be; with its last lines of output.
    """
    room = Room(workdir).made()
    code = HeldCode(program, config, room)
    checkpoint = CheckpointCopy(room)
    start = start_of(program, config, seed=seed, budget=budget, room=room, every=checkpoint.every)
    start = replace(start, environment=code.watched(start.environment))
    name = program_name(program)
    reader = reader_of(program.reads, room)
    tally = Tally(budget, program.reads, whole=reader.whole, counted_by=reader.counted_by)
    began = time.monotonic() - checkpoint.seconds
    with running(name, start, room, searched=program.reads.stdout is not None) as process:
        trial = _Trial(name, code, process, reader, tally, checkpoint)
        try:
            for measurement in trial.measured():
                code.so_far()
                seconds = measurement.seconds or time.monotonic() - began
                checkpoint.lay_by(measurement.spent, seconds)
                yield replace(measurement, seconds=seconds)
        except TrialFailure as failure:
            process.stop()  # what it still prints belongs to the failure
            failure.trace = last_lines(room.output)
            raise
        if trial.end.code != 0:
            lines = last_lines(room.output)
            last = brief(lines.rpartition("\n")[2].strip(), _LAST)
            words = f"{name} {trial.end.words}{f': {last}' if last else ', without a word'}"
            raise TrialFailure(words, trace=lines)


@dataclass
class _Trial:
    """A program that trains, and what is known of it."""

    name: str
    code: HeldCode
    process: ProgramRun
    reader: Reader
    tally: Tally
    checkpoint: CheckpointCopy
    end: Exit = Exit(0)  # noqa: RUF009 - it is frozen

    def measured(self) -> Iterator[Measurement]:
        """The measurements until the program has ended, the last one only if it ended well.

        Raises:
            TrialFailure: it ended well, but without any, or with other code.
        """
        pause, silent, end = _SHORTEST, True, None
        while end is None:
            end = self.process.ended(max(pause, self.reader.pause))
            rows = self._rows(end)
            self.checkpoint.look(self._reached(rows), self.reader.written)
            for measurement in self.tally.taken(rows):
                silent = False
                yield measurement
            pause = _SHORTEST if rows else min(_SLOWER * pause, _LONGEST)
        self.end = end
        if end.code != 0:
            return
        if end.fault and self.code.program.reads.stdout is not None:
            raise TrialFailure(f"what {self.name} printed could not all be kept: {end.fault}")
        self.code.in_the_end()
        for measurement in self.tally.ended():
            silent = False
            yield measurement
        if silent:
            raise TrialFailure(
                f"{self.name} ended with code 0 and without a measurement: there is none in "
                f"{self.reader.where}{_within(self.code.program)}.{_LEFT if end.left else ''}",
                failure="no measurement",
            )

    def _rows(self, end: Exit | None) -> Sequence[Row]:
        """What has come since; of a program that failed all but a half written end."""
        if end is None or end.code == 0:
            return self.reader.rows(over=end is not None)
        rows: list[Row] = []
        while more := self.reader.rows(over=False):
            rows += more
        return rows

    def _reached(self, rows: Sequence[Row]) -> list[int | None]:
        """What was spent when rows were written, of those that belong to what was said so far."""
        return [self.tally.seen(row) for row in rows if not self.tally.is_ahead(row)]


def _within(program: Program) -> str:
    """Where a file was looked for, and why the program may not have written there."""
    if not program.reads.path:
        return ""
    said = " in {workdir}, the trial's own folder"
    named = any("workdir" in keys_in(word) for word in program.words)
    return said if named or program.runs_in == "trial" else f"{said}, which no word of it names"
