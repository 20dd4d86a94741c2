"""The readers there are: a row for each source that `reads:` can name."""

from __future__ import annotations

from dataclasses import dataclass

from cbablate.spec.choice import by_name, code_at
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.readers.line_file import report_file
from cbablate.workloads.commands.readers.port import Reader
from cbablate.workloads.commands.room import Room

__all__ = ["READERS", "ReaderRow", "reader_of", "variables_of"]

_HERE = "cbablate.workloads.commands.readers"


@dataclass(frozen=True)
class ReaderRow:
    """A kind of source by the field of `Reads` that names it, and what makes its reader.

    `variables` names what gives variables by which a program writes there by itself.
    """

    name: str
    reader: str
    variables: str = ""


READERS = by_name(
    "readers",
    (
        ReaderRow("jsonl", f"{_HERE}.line_file:json_lines"),
        ReaderRow("json_file", f"{_HERE}.whole_file:json_file"),
        ReaderRow("csv", f"{_HERE}.whole_file:csv_file"),
        ReaderRow("stdout", f"{_HERE}.printed_lines:PrintedLines"),
        ReaderRow("tensorboard", f"{_HERE}.tensorboard_events:TensorboardEvents"),
        ReaderRow("mlflow", f"{_HERE}.mlflow_runs:MlflowRun", f"{_HERE}.mlflow_runs:variables"),
        ReaderRow("wandb", f"{_HERE}.wandb_run:WandbRun", f"{_HERE}.wandb_run:variables"),
    ),
)


def reader_of(reads: Reads, room: Room) -> Reader:
    """What reads the source that is named; the report file's reader if none is."""
    for row in READERS.values():
        if getattr(reads, row.name) is not None:
            reader: Reader = code_at(row.reader)(reads, room)
            return reader
    return report_file(room)


def variables_of(reads: Reads, room: Room) -> dict[str, str]:
    """Variables by which a program writes where it is read."""
    found: dict[str, str] = {}
    for row in READERS.values():
        said = getattr(reads, row.name)
        if row.variables and said is not None:
            found |= code_at(row.variables)(said, room)
    return found
