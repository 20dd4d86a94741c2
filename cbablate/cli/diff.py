"""`cbablate diff`: two studies side by side, or one study at two times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.words import RESULTS, Results, StudyPath, folder_or_none
from cbablate.errors import CbablateError

__all__ = ["diff"]


def diff(
    a: StudyPath,
    b: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="The other. [default: the same]")
    ] = None,
    results: Results = RESULTS,
    other: Annotated[
        Path | None,
        typer.Option(
            "--other",
            metavar="DIR",
            help="Results of the other. [default: the same]",
            callback=folder_or_none,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="The first as it stood at a fact's number, or before a date (UTC)."
        ),
    ] = None,
) -> None:
    """Say what differs: settings, arms, and the estimates side by side."""
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.reporting import difference

    if b is None and other is None and until is None:
        raise CbablateError(
            "diff compares two studies, or one study with itself: name another study, other "
            "results (--other DIR), or an earlier time (--until WHEN)"
        )
    one = api.plan(api.load_study(a))
    two = api.plan(api.load_study(b)) if b else one
    before = api.facts(results)
    after = api.facts(other) if other else before
    before = difference.until(before, until) if until else before
    first = f"{a}, {results}" + (f", until {until}" if until else "")
    shown = difference.difference(
        difference.Side(first, outcome(one, before).plan, before),
        difference.Side(f"{b or a}, {other or results}", outcome(two, after).plan, after),
    )
    print(shown)
