"""The readers there are: a row for each source that `reads:` can name."""

from __future__ import annotations

from dataclasses import dataclass

from cbablate.spec.choice import by_name, code_at
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.readers.line_file import report_file
from cbablate.workloads.commands.readers.port import Reader
from cbablate.workloads.commands.room import Room

__all__ = ["READERS", "ReaderRow", "reader_of"]

_HERE = "cbablate.workloads.commands.readers"


@dataclass(frozen=True)
class ReaderRow:
    """A kind of source by the field of `Reads` that names it, and what makes its reader."""

    name: str
    reader: str


READERS = by_name(
    "readers",
    (
        ReaderRow("jsonl", f"{_HERE}.line_file:json_lines"),
        ReaderRow("json_file", f"{_HERE}.whole_file:json_file"),
        ReaderRow("csv", f"{_HERE}.whole_file:csv_file"),
        ReaderRow("stdout", f"{_HERE}.printed_lines:PrintedLines"),
    ),
)


def reader_of(reads: Reads, room: Room) -> Reader:
    """What reads the source that is named; the report file's reader if none is."""
    for row in READERS.values():
        if getattr(reads, row.name) is not None:
            reader: Reader = code_at(row.reader)(reads, room)
            return reader
    return report_file(room)
