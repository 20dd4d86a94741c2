"""What a command prints or writes: a table in a form, and which form a file's name asks for."""

from __future__ import annotations

import shutil
from pathlib import Path

import typer

from cbablate.cli.words import TEXT, Form, product, tell
from cbablate.errors import EnvironmentFault
from cbablate.records.place import Place
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.model.table import Table

__all__ = ["file_of", "form_for", "page_is_pdf", "spelled", "write_file"]

_FORMS = {row.suffix: Form(row.name) for row in FORMS.values()}
_PDF = ".pdf"
_OTHER_KINDS = frozenset(
    {".pdf", ".png", ".svg", ".json", ".xlsx", ".docx"} | {".yaml", ".yml", ".py", ".sqlite", ".db"}
)
"""Suffixes that promise something else than a table in any of our forms, whatever is asked."""
_KEPT = ("ledger.", "lock", "mlflow.sqlite", "optuna.sqlite")
"""How the names begin of what a results folder keeps beside the studies' folders."""


def spelled(table: Table, form: Form) -> str:
    """The table in a form, as it is printed: on a terminal within its width, and where that has
    ASCII only, in that."""
    if form != TEXT:
        return render(table, form.value)
    out = product()
    encoding = (getattr(out, "encoding", None) or "ascii").lower().replace("-", "")
    room = shutil.get_terminal_size().columns if out is not None and out.isatty() else None
    return table.as_text(ascii_only=not encoding.startswith("utf"), room=room)


def file_of(table: Table, form: Form, output: Path) -> bytes:
    """What a file holds: the table in a form, or a page that is set from it.

    Raises:
        EnvironmentFault: LaTeX, which a PDF needs, is not installed or fails.
    """
    if output.suffix.lower() == _PDF:
        from cbablate.reporting.forms.typesetter import pdf

        return pdf(table)
    return render(table, form.value).encode("utf-8")


def form_for(output: Path | None, asked: Form | None, *, as_json: bool) -> Form:
    """The form of a table: the one asked for by `--as`, else what the file's suffix says.

    Raises:
        typer.BadParameter: the suffix says nothing, or something else than was asked for.
    """
    suffix = "" if output is None else output.suffix.lower()
    said = Form("latex") if suffix == _PDF and asked is None else _FORMS.get(suffix)
    if as_json:
        if suffix not in ("", ".json"):
            raise typer.BadParameter(f"{output} would hold JSON: call it {_named(output, '.json')}")
        return asked or Form(TEXT)
    if asked is None:
        if said is None and output is not None:
            named = (
                f"'{suffix}' is not the suffix of a table" if suffix else f"{output} has no suffix"
            )
            raise typer.BadParameter(
                f"{named}; there are {', '.join(_FORMS)} and {_PDF}, or say the form with --as."
            )
        return said or Form(TEXT)
    if (said or asked) is not asked or suffix in _OTHER_KINDS:
        wanted = next(end for end, form in _FORMS.items() if form is asked)
        raise typer.BadParameter(
            f"--as {asked.value} is not what '{suffix}' stands for: leave out --as, or call the "
            f"file {_named(output, wanted)}"
        )
    return asked


def page_is_pdf(output: Path | None, asked: bool) -> bool:
    """Whether a report is a PDF: asked for by `--pdf`, or promised by the file's suffix.

    Raises:
        typer.BadParameter: the suffix promises something else than the page that is asked for.
    """
    suffix = "" if output is None else output.suffix.lower()
    if suffix not in ("", ".pdf", ".html", ".htm"):
        raise typer.BadParameter(
            f"'{suffix}' is not the suffix of a report; there are .html and .pdf"
        )
    if asked and suffix in (".html", ".htm"):
        raise typer.BadParameter(
            f"--pdf is not what '{suffix}' stands for: leave out --pdf, or call the file "
            f"{_named(output, '.pdf')}"
        )
    return asked or suffix == ".pdf"


def _named(output: Path | None, suffix: str) -> str:
    return "" if output is None else str(output.with_suffix(suffix))


def write_file(path: Path, content: bytes) -> None:
    """Write a file that was asked for, and say so on stderr.

    Raises:
        typer.BadParameter: it is a file that a results folder keeps.
        EnvironmentFault: it cannot be written.
    """
    if _kept_with_a_ledger(path):
        raise typer.BadParameter(
            f"{path} would take the place of a file that the results folder "
            f"{path.resolve().parent} keeps: choose another name"
        )
    try:
        path.write_bytes(content)
    except (OSError, ValueError) as error:  # a name that holds NUL is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise EnvironmentFault(f"{path} cannot be written: {reason}") from error
    tell(f"wrote {path}")


def _kept_with_a_ledger(path: Path) -> bool:
    """Whether a path is, or leads to, what lies beside a ledger for its sake or a mirror's."""
    try:
        place = path.resolve()
        if not Place(place.parent).has_ledger:
            return False
    except (OSError, ValueError):
        return False  # writing there says what is wrong
    return place.name.startswith(_KEPT)
