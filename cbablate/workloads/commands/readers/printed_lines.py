"""`PrintedLines`: numbers in lines that a program prints, found by patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cbablate.errors import TrialFailure
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.output import Output
from cbablate.workloads.commands.readers.port import stamp_of
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.row import Row, quoted

__all__ = ["PrintedLines"]

_LONGEST = 10_000
"""Characters of a line that are searched."""


class PrintedLines:
    """Lines of output; a pattern's named groups are metrics."""

    whole = False
    counted_by = ""
    pause = 0.0
    where = "what it printed, searched by the patterns of reads.stdout"

    def __init__(self, reads: Reads, room: Room) -> None:
        try:
            self._patterns = [re.compile(pattern) for pattern in reads.stdout or ()]
        except re.error as error:
            raise TrialFailure(f"reads.stdout has a pattern that is none: {error}") from error
        self._folder = room.output
        self._output = Output(room.output)
        self._rest = b""
        self._number = 0

    @property
    def written(self) -> int:
        """When the program last printed."""
        return max(map(stamp_of, self._folder.iterdir()), default=0)

    def rows(self, *, over: bool) -> Sequence[Row]:
        """What the patterns find in the lines that are new."""
        text, missed = self._output.news()
        if missed:
            raise TrialFailure(
                f"the program printed {missed:,} bytes more than could be searched for numbers in "
                "time: have it print less, or report in the file named by CBABLATE_REPORT"
            )
        *lines, self._rest = (self._rest + text).replace(b"\r", b"\n").split(b"\n")
        if over:
            lines, self._rest = [*lines, self._rest], b""
        return [row for line in lines for row in self._found(line)]

    def _found(self, line: bytes) -> Iterator[Row]:
        self._number += 1
        text = line[:_LONGEST].decode("utf-8", errors="replace")
        for pattern in self._patterns:
            found = pattern.search(text)
            if found is not None:
                where = f"line {self._number} of its output"
                values = {
                    name: _number(name, said, where)
                    for name, said in found.groupdict().items()
                    if said is not None
                }
                yield Row(values, where)


def _number(name: str, said: str, where: str) -> float:
    try:
        return float(said)
    except ValueError as error:
        raise TrialFailure(
            f"{where}: the pattern found {quoted(said)} as {name}, not a number"
        ) from error
