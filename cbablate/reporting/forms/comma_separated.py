"""`comma_separated`: the numbers behind a table as CSV, unrounded, one row an arm and metric."""

from __future__ import annotations

import csv
import io
import unicodedata

from cbablate.character import visible
from cbablate.reporting.model.sheet import Value
from cbablate.reporting.model.table import Table

__all__ = ["comma_separated"]

_OPENING = frozenset("=+-@\u2212")
"""With these a formula begins."""


def comma_separated(table: Table) -> str:
    """The table's sheet; numbers read back as the same floats, None is an empty field."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([_field(head) for head in table.sheet.header])
    writer.writerows([_field(value) for value in row] for row in table.sheet.rows)
    return written.getvalue()


def _field(value: Value) -> str:
    """A value as a spreadsheet may read it: words never start as a formula would."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    shown = visible(value)
    first = unicodedata.normalize("NFKC", shown[:1])  # a full-width sign is one to a spreadsheet
    return f"'{shown}" if first in _OPENING else shown
