"""`WholeFile`: a file that a program may write anew each time, as CSV or as JSON."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbablate.character import brief
from cbablate.errors import TrialFailure
from cbablate.phrases import counted
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.readers.port import OPEN_END, located, stamp_of, the_one
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.row import Row, decoded, quoted, row_of

__all__ = ["WholeFile", "csv_file", "json_file"]

_SHARE = 20.0
"""A file is read again after so many times as long as reading it took."""

Parse = Callable[[str, bool], list[Row]]
"""All rows in a text that are whole, of a program that is over or is not."""


class WholeFile:
    """A file that is read again when it was written; the rows that were taken are passed by."""

    whole = False
    counted_by = ""

    def __init__(self, said: str, room: Room, parse: Parse) -> None:
        self.where, self._room, self._parse = said, room, parse
        self.pause = 0.0
        self._path: Path | None = None
        self._known: tuple[int, int] | None = None
        self._taken: list[str] = []

    @property
    def written(self) -> int:
        """When it was last written."""
        return 0 if self._path is None else stamp_of(self._path)

    def rows(self, *, over: bool) -> Sequence[Row]:
        """The rows that are new; and the last one before them again, if it says something else now.

        Raises:
            TrialFailure: the file cannot be read, or a row before that one says something else.
        """
        text = self._text(over=over)
        if text is None:
            return []
        found = self._parse(text, over)
        said = [repr(sorted(row.values.items())) for row in found]
        known = len(self._taken)
        if len(found) < known:
            if over:
                raise TrialFailure(
                    f"{self.where} has {counted(len(found), 'row')} at the end, and had {known}: "
                    "rows may be added, and the last one change, but none go"
                )
            return []  # it is just being written anew
        rows = [*found[known:]]
        for number, (before, now) in enumerate(zip(self._taken, said, strict=False)):
            if before != now and number < known - 1:
                raise TrialFailure(
                    f"{found[number].where} says another thing than it said: {brief(before, 80)}, "
                    f"and now {brief(now, 80)}. Only the last row may change"
                )
            if before != now:
                rows = [replace(found[number], anew=True), *rows]
        self._taken = said
        return rows

    def _text(self, *, over: bool) -> str | None:
        """What is in it; None if that is known."""
        self._path = self._path or the_one(located(self.where, self._room), self.where)
        began = time.monotonic()
        try:
            if self._path is None:
                return None
            about = self._path.stat()
            stamp = about.st_mtime_ns, about.st_size
            if stamp == self._known and not over:
                return None
            text = self._path.read_bytes().decode("utf-8-sig", errors="replace")
        except FileNotFoundError:  # it is just being written anew
            return None
        self._known = stamp
        self.pause = _SHARE * (time.monotonic() - began)
        return text


def csv_file(reads: Reads, room: Room) -> WholeFile:
    """Rows below a line of names; a cell that is no number is left out.

    The names may become more, as long as the rows stay in their order.
    """
    said = str(reads.csv)
    return WholeFile(said, room, lambda text, over: _csv_rows(said, text, over=over))


def json_file(reads: Reads, room: Room) -> WholeFile:
    """A list of mappings of metrics, or one mapping.

    One mapping that says what was spent is a measurement each time that it is another one. One
    that does not is read when the program has ended.
    """
    said = str(reads.json_file)
    counts = {reads.spent} if reads.spent is not None else {"spent", "epoch", "step"}
    seen: list[Mapping[str, Any]] = []

    def parse(text: str, over: bool) -> list[Row]:
        mappings = _mappings(said, text, over=over)
        if isinstance(mappings, dict):
            if mappings not in seen[-1:] and (over or mappings.keys() & counts):
                seen.append(mappings)
            return [row_of(each, said) for each in seen]
        return [row_of(each, f"{said}, [{i}]") for i, each in enumerate(mappings)]

    return WholeFile(said, room, parse)


def _csv_rows(said: str, text: str, *, over: bool) -> list[Row]:
    if not over:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    try:
        names, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    except csv.Error as error:
        raise TrialFailure(f"{said} cannot be read as CSV: {error}") from error
    return [
        _csv_row(_names(said, names), cells, f"{said}, row {number}")
        for number, cells in enumerate(rows, start=2)
        if any(cells)
    ]


def _names(said: str, cells: Sequence[str]) -> list[str]:
    """The first line of a CSV file.

    Raises:
        TrialFailure: a name stands in it twice.
    """
    names = [cell.strip() for cell in cells]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise TrialFailure(f"{said} has two columns called {', '.join(twice)}")
    return names


def _csv_row(names: Sequence[str], cells: Sequence[str], where: str) -> Row:
    if len(cells) != len(names):
        raise TrialFailure(
            f"{where} has {len(cells)} cells below {len(names)} names: {quoted(cells)}"
        )
    values: dict[str, float] = {}
    others: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=True):
        if not name:  # the index that pandas writes
            continue
        try:
            values[name] = float(cell)
        except ValueError:
            if cell.strip():
                others[name] = cell
    return Row(values, where, others)


def _mappings(said: str, text: str, *, over: bool) -> dict[str, Any] | list[dict[str, Any]]:
    try:
        found = decoded(text, said)
    except ValueError as error:
        if not over:  # half written
            return []
        raise TrialFailure(f"{said} is not JSON: {error}; {OPEN_END}") from error
    if isinstance(found, dict):
        return found
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise TrialFailure(f"{said} holds {quoted(found)}, not a mapping of names to numbers")
    return found
