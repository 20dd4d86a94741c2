"""`html`: a table as a page of its own; and the templates that pages are filled in from.

What comes from studies and ledgers is escaped by the template, after unseen characters were
spelled out; a content security policy lets no script of a stranger run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbablate.character import spaced, visible
from cbablate.reporting.forms.symbol import SYMBOL
from cbablate.reporting.model.table import Table

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["KeptLines", "html", "template"]

_TEMPLATES = Path(__file__).parent / "templates"


class KeptLines(str):
    """Text whose line breaks and indentation are kept."""


def template(name: str, *folders: Path) -> Template:
    """A template of these folders, or of the tables'; all that it prints is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([*folders, _TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = _sentence
    return environment.get_template(name)


def html(table: Table) -> str:
    """A page that shows the table and its notes, and needs no other file."""
    return template("table.html").render(table=table) + "\n"


def _sentence(text: str) -> str:
    """The text as a sentence of ours, its symbols in italics; it is escaped, so it is markup."""
    from markupsafe import Markup, escape

    return Markup(SYMBOL.sub(r"<em>\g<0></em>", str(escape(visible(text)))))  # noqa: S704 - it is


def _shown(value: Any) -> Any:
    """What a template prints: unseen characters spelled out; markup is already text."""
    if isinstance(value, KeptLines):
        return "\n".join(spaced(line) for line in value.splitlines())
    return visible(value) if type(value) is str else value
