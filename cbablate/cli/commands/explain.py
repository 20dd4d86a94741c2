"""`cbablate explain`: where a number of a table comes from."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from cbablate.cli.words import Kept, StudyPath, ledger_folder, say

__all__ = ["NumberedCommand", "explain"]

_NEGATIVE = re.compile(r"-\.?[0-9]")


class NumberedCommand(TyperCommand):
    """A command to which `-0.1` is a word like any other: an arm may be called so.

    Words that begin with a dash and a letter are options, and refused where they are misspelt.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click's, after a first reading in which no number can be taken for options."""
        self.make_parser(ctx).parse_args(["0" if _NEGATIVE.match(one) else one for one in args])
        ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)


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
