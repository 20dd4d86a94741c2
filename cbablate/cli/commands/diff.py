"""`cbablate diff`: two studies side by side, or one study at two times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.words import Kept, StudyPath, ledger_folder, say
from cbablate.errors import CbablateError
from cbablate.records.place import results_folder

__all__ = ["diff"]


def diff(
    a: StudyPath,
    b: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="The other. [default: the same]")
    ] = None,
    results: Kept = None,
    other: Annotated[
        Path | None,
        typer.Option(
            "--other",
            metavar="DIR",
            help="Results of the other. [default: the same]",
            parser=results_folder,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="The first as it stood at a fact's number, or before a date (UTC)."
        ),
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(
            metavar="DIGITS",
            help="The first as an earlier version of its code made it, by its first digits.",
        ),
    ] = None,
) -> None:
    """Compare two studies: settings, arms, and the estimates side by side."""
    from cbablate import api
    from cbablate.notebook.reading import diff as compared

    if b is None and other is None and until is None and code is None:
        raise CbablateError(
            "diff compares two studies, or one study with itself: name another study, other "
            "results (--other DIR), an earlier time (--until WHEN) or earlier code (--code DIGITS)"
        )
    folder = ledger_folder(results)
    one, two = (api.plan(api.load_study(path)) for path in (a, b or a))
    elsewhere = ledger_folder(other) if other else folder
    names = (str(a), str(b or a))
    said = compared(
        one, two, results=folder, other_results=elsewhere, until=until, code=code, names=names
    )
    say(said.text)
