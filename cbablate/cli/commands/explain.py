"""`cbablate explain`: where a number of a table comes from."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from cbablate.cli.help import Command
from cbablate.cli.variant import after_overrides, planned_study
from cbablate.cli.words import Json, Kept, StudyPath, ledger_folder, say
from cbablate.errors import UsageError

__all__ = ["NumberedCommand", "explain"]

_NEGATIVE = re.compile(r"-\.?[0-9]")


class NumberedCommand(Command):
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
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[KEY=VALUE]... CELL",
            help="What to change of the study, if anything; then row and column: "
            '"MLP end" "Top-1", or 3:2, or a row\'s key and a column.',
        ),
    ],
    results: Kept = None,
    as_json: Json = False,
) -> None:
    """Explain how a cell of the table was computed, from which trials."""
    from cbablate import api
    from cbablate.cli.json_shape import printed
    from cbablate.cli.shapes.explanation_shape import explanation_shape
    from cbablate.reporting.pages.explanation import explanation

    overrides, cell = after_overrides(words)
    if not cell:
        raise UsageError('explain needs a cell: "MLP end" "Top-1", or 3:2')
    planned, told = api.recorded(planned_study(study, overrides), ledger_folder(results))
    if as_json:
        say(printed(explanation_shape(planned, told, *cell)))
    else:
        say(explanation(planned, told, *cell))
