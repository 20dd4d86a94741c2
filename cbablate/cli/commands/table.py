"""`cbablate table`: a table of a study, printed or written to a file."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.commands.view_flags import with_views
from cbablate.cli.output import file_of, form_for, spelled, write_file
from cbablate.cli.variant import planned_study
from cbablate.cli.words import (
    Form,
    Json,
    Kept,
    Overrides,
    StudyPath,
    form_asked,
    ledger_folder,
    say,
    tell,
)

__all__ = ["table"]

_RUNNING = re.compile(r"\b\d+ running\b")


class Notes(StrEnum):
    """How much stands below a table."""

    none = "none"
    short = "short"
    full = "full"


@with_views
def table(
    study: StudyPath,
    overrides: Overrides = None,
    results: Kept = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--as",
            parser=form_asked,
            metavar="|".join(Form),
            help="How it is written. [default: by the file's suffix, or text]",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it to a file.")
    ] = None,
    as_json: Json = False,
    *,
    notes: Annotated[
        Notes | None,
        typer.Option("--notes", metavar="|".join(Notes), help="Its notes. [default: the study's]"),
    ] = None,
    view: str,
) -> None:
    """Print the table of what was trained so far, or another one."""
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.cli import json_shape
    from cbablate.records.place import Place

    wanted = form_for(output, form, as_json=as_json)
    planned = planned_study(study, overrides)
    folder = ledger_folder(results)
    if view == "arms" and not as_json:
        view = "shown"  # in JSON a row is an arm, however the study has its table set
    at_work = Place.at(folder).at_work  # before the facts: what ends meanwhile is not interrupted
    found = api.table(planned, results=folder, view=view)
    if as_json:
        rows = outcome(*api.recorded(planned, folder)).plan
        text = json_shape.printed(json_shape.table_shape(rows, found)) + "\n"
    else:
        found = found if notes is None else found.noted(notes.value)
        text = spelled(found, wanted) if output is None else ""
    if output is None:
        say(text, end="")
    else:
        write_file(output, text.encode("utf-8") if as_json else file_of(found, wanted, output))
    if not at_work and any(_RUNNING.search(note) for note in found.notes):
        tell("No cbablate is at work here: what the table calls running was interrupted.")
