"""Forms: the ways in which a table can be written, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from cbablate.reporting.forms.comma_separated import comma_separated
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.forms.markdown import markdown
from cbablate.reporting.model.table import Table

__all__ = ["FORMS", "render"]

FORMS: Mapping[str, Callable[[Table], str]] = MappingProxyType(
    {"latex": latex, "markdown": markdown, "csv": comma_separated, "text": Table.as_text}
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
    return FORMS[form](table)
