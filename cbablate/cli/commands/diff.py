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
) -> None:
    """Compare two studies: settings, arms, and the estimates side by side."""
    from cbablate import api
    from cbablate.notebook.reading import diff as compared

    if b is None and other is None and until is None:
        raise CbablateError(
            "diff compares two studies, or one study with itself: name another study, other "
            "results (--other DIR), or an earlier time (--until WHEN)"
        )
    folder = ledger_folder(results)
    one = api.plan(api.load_study(a))
    elsewhere = ledger_folder(other) if other else folder
    two = api.plan(api.load_study(b or a))
    names = (str(a), str(b or a))
    shown = compared(one, two, results=folder, other_results=elsewhere, until=until, names=names)
    say(shown.text)
