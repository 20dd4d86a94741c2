"""Forms: the ways in which a table can be written, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbablate.spec.choice import by_name, code_at

if TYPE_CHECKING:
    from cbablate.reporting.model.table import Table

__all__ = ["FORMS", "Form", "render"]

_ROOM = "cbablate.reporting.forms"


@dataclass(frozen=True)
class Form:
    """A way to write a table: the function of it, `module:function`, and a file's suffix."""

    name: str
    spelled: str
    suffix: str
    kept: bool = True
    """Whether a study's folder keeps its tables in it."""


FORMS: Mapping[str, Form] = by_name(
    "forms of a table",
    [
        Form("latex", f"{_ROOM}.latex:latex", ".tex"),
        Form("markdown", f"{_ROOM}.markdown:markdown", ".md"),
        Form("csv", f"{_ROOM}.comma_separated:comma_separated", ".csv"),
        Form("html", f"{_ROOM}.web_page:html", ".html", kept=False),
        Form("text", f"{_ROOM}.form:text", ".txt", kept=False),
    ],
)


def render(table: Table, form: str) -> str:
    """The table in a form of `FORMS`; the same table gives the same text.

    Raises:
        LookupError: there is no such form; the message says which there are.
    """
    if form not in FORMS:
        raise LookupError(
            f"there is no form '{form}' of a table; there are {', '.join(sorted(FORMS))}"
        )
    spelled: str = code_at(FORMS[form].spelled)(table)
    return spelled


def text(table: Table) -> str:
    """The table as it looks in a terminal."""
    return table.as_text()
