"""`LineFile`: a growing file of lines, such as the file named by CBABLATE_REPORT."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.readers.port import OPEN_END, located, stamp_of, the_one
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.row import Row, decoded, quoted, reported, row_of

__all__ = ["LineFile", "json_lines", "report_file"]

_CHUNK = 1 << 17
_END = 256
"""Bytes before the place that was read to, by which a file is known that was written anew."""
_LONGEST = 16 << 20
"""Bytes of one line; whoever writes longer ones has lost its newlines."""


class LineFile:
    """JSON mappings, one in a line, of which the last may be half written.

    Args:
        where: what a sentence calls the file.
        found: gives its path, None as long as there is none.
        row: makes a row of what a line says, and of where it stands.
        whole: whether each line is a measurement.
    """

    counted_by = ""
    pause = 0.0

    def __init__(
        self,
        where: str,
        found: Callable[[], Path | None],
        row: Callable[[Mapping[str, Any], str], Row],
        *,
        whole: bool,
    ) -> None:
        self.where, self.whole = where, whole
        self._found, self._row = found, row
        self._path: Path | None = None
        self._at, self._number = 0, 0
        self._rest, self._end = b"", b""

    @property
    def written(self) -> int:
        """When the file was last written."""
        return 0 if self._path is None else stamp_of(self._path)

    def rows(self, *, over: bool) -> Sequence[Row]:
        """What has come since; of a flood a part, so that it can be stopped."""
        self._path = self._path or self._found()
        if self._path is None or not self._path.is_file():
            return []
        rows: list[Row] = []
        with self._path.open("rb") as file:
            file.seek(self._at - len(self._end))
            if file.read(len(self._end)) != self._end:
                raise TrialFailure(
                    f"{self.where} was written anew, or altered: only lines at its end are read; "
                    "open it to append"
                )
            while part := file.read(_CHUNK):
                self._at += len(part)
                self._end = (self._end + part)[-_END:]
                rows += self._lines(part)
                if rows and not over:
                    break
        if over and self._rest.strip():
            rows += self._lines(b"\n", half=True)
        return rows

    def _lines(self, part: bytes, *, half: bool = False) -> Iterator[Row]:
        *lines, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > _LONGEST:
            raise TrialFailure(f"{self.where}, line {self._number + 1}: more than 16 MB long")
        for line in lines:
            self._number += 1
            if line.strip():
                yield self._read(line, half=half)

    def _read(self, line: bytes, *, half: bool) -> Row:
        where = f"{self.where}, line {self._number}"
        try:
            said = decoded(line, where)
        except ValueError as error:
            why = OPEN_END if half else getattr(error, "msg", type(error).__name__)
            text = quoted(line.decode("utf-8", errors="replace"))
            raise TrialFailure(f"{where}: {text} is not JSON: {why}") from error
        if not isinstance(said, dict):
            raise TrialFailure(f"{where}: {quoted(said)} is not a mapping of names to numbers")
        return self._row(said, where)


def report_file(room: Room) -> LineFile:
    """The file named by CBABLATE_REPORT, each of whose lines is a measurement."""
    where = "the file named by CBABLATE_REPORT"
    return LineFile(where, lambda: room.report, reported, whole=True)


def json_lines(reads: Reads, room: Room) -> LineFile:
    """A file of JSON lines that a program writes anyway."""
    said = str(reads.jsonl)
    return LineFile(said, lambda: the_one(located(said, room), said), row_of, whole=False)
