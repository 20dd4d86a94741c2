"""Words of the command line that are chosen from a list, and how it speaks of errors."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cbablate.errors import CbablateError, StudyError
from cbablate.records.place import results_folder

__all__ = [
    "RESULTS",
    "CheckedPaths",
    "Form",
    "Json",
    "Results",
    "StudyPath",
    "Where",
    "Written",
    "folder_or_none",
    "show_error",
]

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="A study file.")]
CheckedPaths = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Study and sweep files.")
]
Results = Annotated[
    Path,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Folder of the ledger and the tables.",
        callback=results_folder,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="As JSON, unrounded; the shape is in docs/json.md.")
]
RESULTS = Path("results")


def folder_or_none(results: Path | None) -> Path | None:
    """The folder that an option names, if it was given."""
    return None if results is None else results_folder(results)


class Where(StrEnum):
    """Where trials run: side by side on Ray, or one after another in this process."""

    ray = "ray"
    local = "local"


class Form(StrEnum):
    """How a table is written; a test holds it equal to `reporting.form.FORMS`."""

    text = "text"
    latex = "latex"
    markdown = "markdown"
    csv = "csv"


class Written(StrEnum):
    """What a person writes."""

    study = "study"
    sweep = "sweep"


def show_error(error: CbablateError) -> None:
    """Write an error to stderr; faults of a file speak for themselves, with their places."""
    prefix = "" if isinstance(error, StudyError) else "cbablate: "
    print(f"{prefix}{error}", file=sys.stderr)
