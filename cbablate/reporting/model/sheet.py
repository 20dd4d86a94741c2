"""`Sheet`: the raw numbers behind a table, nothing rounded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Sheet", "Value"]

Value = str | int | float | None


@dataclass(frozen=True)
class Sheet:
    """A header and rows as long as it. `layer` is empty for a scalar, 0 for the first block."""

    header: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
