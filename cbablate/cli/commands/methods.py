"""`cbablate methods`: what a paper's method section says of studies."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cbablate.cli.variant import planned_study, told_apart
from cbablate.cli.words import Json, Kept, Studies, ledger_folder, say

__all__ = ["methods"]


class Form(StrEnum):
    """How the paragraph is written."""

    text = "text"
    markdown = "markdown"
    latex = "latex"


def methods(
    words: Studies,
    results: Kept = None,
    form: Annotated[
        Form, typer.Option("--as", metavar="|".join(Form), help="How it is written.")
    ] = Form.text,
    as_json: Json = False,
) -> None:
    """Print a paragraph for a paper's method section.

    It tells seeds, tests, failures and versions.
    """
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.cli.json_shape import VERSION, printed
    from cbablate.reporting.pages.methods import methods as paragraph

    studies, overrides = told_apart(words)
    folder = ledger_folder(results)
    plans = [planned_study(study, overrides) for study in studies]
    text = paragraph([outcome(*api.recorded(plan, folder)) for plan in plans], form.value)
    if as_json:
        names = [plan.study.name for plan in plans]
        shape = {"shape": "methods", "version": VERSION, "studies": names, "as": form.value}
        text = printed(shape | {"text": text.rstrip("\n")}) + "\n"
    say(text, end="")
