"""`cbablate methods`: what a paper's method section says of studies."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.words import Kept, ledger_folder, say

__all__ = ["methods"]


class Form(StrEnum):
    """How the paragraph is written."""

    text = "text"
    markdown = "markdown"
    latex = "latex"


def methods(
    studies: Annotated[list[Path], typer.Argument(metavar="STUDY...", help="Study files.")],
    results: Kept = None,
    form: Annotated[Form, typer.Option("--as", help="How it is written.")] = Form.text,
) -> None:
    """Print a paragraph for a paper's method section: seeds, tests, failures, versions."""
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.reporting.pages.methods import methods as paragraph

    folder = ledger_folder(results)
    plans = [api.plan(api.load_study(study)) for study in studies]
    found = [outcome(*api.recorded(plan, folder)) for plan in plans]
    say(paragraph(found, form.value), end="")
