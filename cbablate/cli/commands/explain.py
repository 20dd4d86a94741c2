"""`cbablate explain`: where a number of a table comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from cbablate.cli.words import Kept, StudyPath, ledger_folder, say

__all__ = ["explain"]


def explain(
    study: StudyPath,
    cell: Annotated[
        list[str],
        typer.Argument(
            metavar="CELL",
            help='Row and column: "MLP end" "Top-1", or 3:2, or a row\'s key and a column.',
        ),
    ],
    results: Kept = None,
) -> None:
    """Explain how a cell of the table was computed, and which trials are behind it."""
    from cbablate import api
    from cbablate.reporting.pages.explanation import explanation

    planned, told = api.recorded(api.plan(api.load_study(study)), ledger_folder(results))
    say(explanation(planned, told, *cell))
