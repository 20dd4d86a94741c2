"""`cbablate diff`: two studies side by side, or one study at two times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.variant import planned_study, told_apart
from cbablate.cli.words import Json, Kept, StudyPath, ledger_folder, say
from cbablate.errors import UsageError
from cbablate.records.place import results_folder

__all__ = ["diff"]


def diff(
    a: StudyPath,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STUDY KEY=VALUE",
            help="The other, if it is not the same file; then what to change of the other.",
        ),
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
    as_json: Json = False,
) -> None:
    """Compare two studies: settings, arms, and estimates side by side.

    The second may be another file, a variant of the first, the same study in other results, or
    what it was earlier.
    """
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.cli.json_shape import printed
    from cbablate.cli.shapes.difference_shape import difference_shape
    from cbablate.reporting.pages import difference

    others, overrides = told_apart([str(a), *(words or ())])
    if len(others) > 2:
        raise UsageError(f"diff compares two studies, and {len(others)} are named")
    b = others[-1]
    if len(others) == 1 and not overrides and other is None and until is None:
        raise UsageError(
            "diff compares two studies, or one study with itself: name another study, a change "
            "(KEY=VALUE), other results (--other DIR), or an earlier time (--until WHEN)"
        )
    folder = ledger_folder(results)
    one, before = api.recorded(planned_study(a), folder)
    elsewhere = ledger_folder(other) if other else folder
    two, after = api.recorded(planned_study(b, overrides), elsewhere)
    before = difference.until(before, until) if until else before
    first = f"{a}, {folder}" + (f", until {until}" if until else "")
    second = f"{' '.join([str(b), *overrides])}, {other or folder}"
    sides = (
        difference.Side(first, outcome(one, before).plan, before),
        difference.Side(second, outcome(two, after).plan, after),
    )
    if as_json:
        say(printed(difference_shape(*sides)))
    else:
        say(difference.difference(*sides))
