"""`PrintedLines`: numbers in lines that a program prints, found by patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

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
    """Lines of stdout or of stderr; a pattern's named groups are metrics.

    The patterns must find all numbers in one of the two: in which order lines of both were printed
    cannot be known.
    """

    whole = False
    counted_by = ""
    pause = 0.0
    where = "what it printed, searched by the patterns of reads.stdout"

    def __init__(self, reads: Reads, room: Room) -> None:
        patterns = [re.compile(pattern) for pattern in reads.stdout or ()]
        self._streams = [_Stream(folder, patterns) for folder in room.streams()]

    @property
    def written(self) -> int:
        """When the program last printed."""
        return max(each.written for each in self._streams)

    def rows(self, *, over: bool) -> Sequence[Row]:
        """What the patterns find in the lines that are new.

        Raises:
            TrialFailure: they find numbers in both streams, or what is no number.
        """
        rows = [row for each in self._streams for row in each.rows(over=over)]
        begun = [each.first for each in self._streams if each.first]
        if len(begun) > 1:
            raise TrialFailure(
                f"the patterns of reads.stdout find numbers in {' and in '.join(begun)}: in which "
                "order lines of both were printed cannot be known. Let the program print them to "
                "one of the two, or the patterns match lines of one"
            )
        return rows


class _Stream:
    """One of the streams of a program, as it printed it."""

    def __init__(self, folder: Path, patterns: Sequence[re.Pattern[str]]) -> None:
        self._folder, self._patterns = folder, patterns
        self._output = Output(folder)
        self._rest = b""
        self._number = 0
        self.first = ""
        """Where the first number was found."""

    @property
    def written(self) -> int:
        """When the program last printed there."""
        return max(map(stamp_of, self._folder.iterdir()), default=0)

    def rows(self, *, over: bool) -> list[Row]:
        """What the patterns find in the lines that are new."""
        text, missed = self._output.news()
        if missed:
            raise TrialFailure(
                f"the program printed {missed:,} bytes more than could be searched for numbers in "
                "time: have it print less, or report in the file named by CBABLATE_REPORT"
            )
        lines = (self._rest + text).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = b"" if over else lines.pop()
        return [row for line in lines for row in self._found(line)]

    def _found(self, line: bytes) -> Iterator[Row]:
        self._number += 1
        text = line[:_LONGEST].decode("utf-8", errors="replace")
        where = f"line {self._number} of {self._folder.name}"
        said: dict[str, str] = {}
        for pattern in self._patterns:
            found = pattern.search(text)
            groups = found.groupdict() if found else {}
            for name, word in groups.items():
                if word is not None and said.setdefault(name, word) != word:
                    raise TrialFailure(
                        f"{where}: the patterns find {quoted(said[name])} and {quoted(word)} as "
                        f"{name}: let each number have a group of its own name"
                    )
        if said:
            self.first = self.first or where
            yield Row({name: _number(name, word, where) for name, word in said.items()}, where)


def _number(name: str, said: str, where: str) -> float:
    try:
        return float(said)
    except ValueError as error:
        raise TrialFailure(
            f"{where}: the pattern found {quoted(said)} as {name}, not a number"
        ) from error
