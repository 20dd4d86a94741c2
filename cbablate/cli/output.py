"""Files that a command writes: which form a name asks for, and the writing."""

from __future__ import annotations

from pathlib import Path

import typer

from cbablate.cli.words import Form, tell
from cbablate.errors import EnvironmentFault

__all__ = ["form_for", "write_file"]

_FORMS = {
    ".tex": Form.latex,
    ".md": Form.markdown,
    ".csv": Form.csv,
    ".txt": Form.text,
}
_OTHER_KINDS = frozenset({".pdf", ".png", ".svg", ".html", ".json", ".yaml", ".xlsx", ".docx"})
"""Suffixes that promise something else than a table in any of our forms, whatever is asked."""


def form_for(output: Path | None, asked: Form | None, *, as_json: bool) -> Form:
    """The form of a table: the one asked for by `--as`, else what the file's suffix says.

    Raises:
        typer.BadParameter: the suffix says nothing, or something else than was asked for.
    """
    suffix = "" if output is None else output.suffix.lower()
    said = _FORMS.get(suffix)
    if as_json:
        if suffix not in ("", ".json"):
            raise typer.BadParameter(f"{output} would hold JSON: call it {_named(output, '.json')}")
        return asked or Form.text
    if asked is None:
        if said is None and suffix:
            raise typer.BadParameter(
                f"'{suffix}' is not the suffix of a table; there are {', '.join(_FORMS)}, or say "
                f"the form with --as.{_whole_page(suffix)}"
            )
        return said or Form.text
    if (said or asked) is not asked or suffix in _OTHER_KINDS:
        wanted = next(end for end, form in _FORMS.items() if form is asked)
        raise typer.BadParameter(
            f"--as {asked.value} is not what '{suffix}' stands for: leave out --as, or call the "
            f"file {_named(output, wanted)}"
        )
    return asked


def _named(output: Path | None, suffix: str) -> str:
    return "" if output is None else str(output.with_suffix(suffix))


def _whole_page(suffix: str) -> str:
    pages = {".html": "", ".pdf": " --pdf"}
    return f" `cbablate report STUDY{pages[suffix]}` writes a page." if suffix in pages else ""


def write_file(path: Path, content: bytes) -> None:
    """Write a file that was asked for, and say so on stderr.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    try:
        path.write_bytes(content)
    except (OSError, ValueError) as error:  # a name that holds NUL is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise EnvironmentFault(f"{path} cannot be written: {reason}") from error
    tell(f"wrote {path}")
