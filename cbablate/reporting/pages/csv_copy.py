"""`altered`: lines of a file of raw numbers that the ledger's own file does not have."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cbablate.errors import CbablateError
from cbablate.reporting.forms.comma_separated import comma_separated
from cbablate.reporting.model.table import Table

__all__ = ["altered"]

_MOST_BYTES = 2**26
_KEY = (
    *("study", "arm", "arm_id", "hyperparameters", "over", "against", "metric", "layer", "source"),
    *("effect", "factor", "component", "a", "b", "kind", "probe", "pairing", "measure"),
    *("tasks", "threshold"),
)
"""The columns that name a line, as far as a table has them."""


def altered(tables: Iterable[Table], path: Path) -> list[str]:
    """`LINE: what is wrong`, of each line; columns and lines may be left out or lie elsewhere.

    The file is a copy of that of the first table which has all its columns.

    Raises:
        CbablateError: the file cannot be read, or is of no such table.
    """
    copy = _read(path)
    heads = copy[0] if copy else []
    table = next((one for one in tables if {"study", *heads} <= set(one.sheet.header)), None)
    if table is None or "study" not in heads:
        raise CbablateError(f"{path} has not the heads of a table as CSV: study, metric, ...")
    own = list(csv.reader(io.StringIO(comma_separated(table))))
    keys = [head for head in _KEY if head in heads]
    lines = {_at(line, own[0], keys): line for line in own[1:]}
    return list(_faults(copy, own[0], keys, lines))


def _faults(
    copy: Sequence[Sequence[str]],
    own: Sequence[str],
    keys: Sequence[str],
    lines: dict[tuple[str, ...], list[str]],
) -> Iterator[str]:
    heads = copy[0]
    for number, line in enumerate(copy[1:], 2):
        if not any(line):
            continue
        if len(line) != len(heads):
            yield f"{number}: {len(line)} fields below {len(heads)} heads"
            continue
        there = lines.get(_at(line, heads, keys))
        if there is None:
            yield f"{number}: the ledger has no line {', '.join(_at(line, heads, keys))}"
            continue
        wrong = [
            f"{head} is {field or 'empty'}, the ledger says {now or 'nothing'}"
            for head, field in zip(heads, line, strict=True)
            if head in own and field != (now := there[own.index(head)])
        ]
        if wrong:
            yield f"{number}: {'; '.join(wrong)}"


def _at(line: Sequence[str], heads: Sequence[str], keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(line[heads.index(key)] for key in keys)


def _read(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CbablateError(f"{path} has more than {_MOST_BYTES:,} bytes")
        return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CbablateError(f"{path} cannot be read as CSV: {error}") from error
