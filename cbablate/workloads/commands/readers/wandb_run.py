"""`WandbRun`: the history in the file of an offline run of Weights & Biases.

The file is a log in LevelDB's format: blocks of 32 KiB, in which each piece has a header (four
bytes of checksum, two of length, one that says which part of a record it is). A record is a
protocol buffer, which W&B's own library reads.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbablate.errors import EnvironmentFault, TrialFailure
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.readers.port import located, stamp_of, the_one
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.row import Row, row_of

__all__ = ["WandbRun", "records", "variables"]

_BLOCK, _HEAD = 32_768, 7
_WHOLE, _FIRST, _LAST = 1, 2, 4
_MARK = b":W&B"


class WandbRun:
    """What the only run below a folder logs; its own names, which begin with `_`, are left out."""

    whole = False
    counted_by = ""
    pause = 0.1

    def __init__(self, reads: Reads, room: Room) -> None:
        self.where, self._room = str(reads.wandb), room
        self._path: Path | None = None
        self._at = 0

    @property
    def written(self) -> int:
        """When the file was last written."""
        return stamp_of(self._path) if self._path else 0

    def rows(self, *, over: bool) -> Sequence[Row]:
        """A row for each step of the history that is new."""
        if self._path is None:
            found = [
                path
                for folder in located(self.where, self._room)
                for path in folder.rglob("*.wandb")
            ]
            self._path = the_one(sorted(set(found)), self.where)
            if self._path is None:
                return []
        with self._path.open("rb") as file:
            file.seek(self._at)
            text = file.read()
        if self._at == 0 and len(text) >= len(_MARK) and not text.startswith(_MARK):
            raise TrialFailure(f"{self._path.name} is no file of Weights & Biases")
        rows: list[Row] = []
        began = self._at
        for end, record in records(text, began):
            self._at = end
            row = _history(record, self.where)
            if row is not None:
                rows.append(row)
        return rows


def records(text: bytes, began: int) -> Iterator[tuple[int, bytes]]:
    """The whole records in a part of a file from a place on, and where in the file each ends."""
    at, parts = (_HEAD if began == 0 else 0), b""
    while True:
        room = _BLOCK - (began + at) % _BLOCK
        if room < _HEAD:  # the rest of a block in which no header has room
            at += room
            continue
        if at + _HEAD > len(text):
            return
        _, length, kind = struct.unpack_from("<IHB", text, at)
        end = at + _HEAD + length
        if end > len(text) or not kind:
            return
        piece = text[at + _HEAD : end]
        parts = piece if kind in (_WHOLE, _FIRST) else parts + piece
        at = end
        if kind in (_WHOLE, _LAST):
            yield began + at, parts


def variables(said: str, room: Room) -> Mapping[str, str]:
    """What makes a program log there, and offline."""
    path = room.workdir / said.replace("{workdir}", str(room.workdir))
    path.mkdir(parents=True, exist_ok=True)
    return {"WANDB_MODE": "offline", "WANDB_DIR": str(path)}


def _history(record: bytes, where: str) -> Row | None:
    """A record's numbers, if it is one of the history."""
    try:
        from wandb.proto import wandb_internal_pb2 as proto
    except ImportError as error:
        raise EnvironmentFault(
            f"reads names a run of Weights & Biases, which cannot be imported ({error}): "
            "`pip install wandb`"
        ) from error
    found: Any = proto.Record()
    found.ParseFromString(record)
    if found.WhichOneof("record_type") != "history":
        return None
    said = {
        "/".join(item.nested_key) or item.key: json.loads(item.value_json)
        for item in found.history.item
    }
    step = said.get("_step", found.history.step.num)
    kept = {name: value for name, value in said.items() if not name.startswith("_")}
    return replace(row_of(kept, f"{where}, step {step}"), step=float(step))
