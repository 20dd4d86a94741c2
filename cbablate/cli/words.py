"""Words of the command line that are chosen from a list, and how it prints and reports errors."""

from __future__ import annotations

import contextlib
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from cbablate.character import visible_lines
from cbablate.errors import CbablateError, EnvironmentFault, StudyError

__all__ = [
    "RESULTS",
    "CheckedPaths",
    "Form",
    "Json",
    "ReaderLeft",
    "Results",
    "StudyPath",
    "Where",
    "Written",
    "discard_stdout",
    "say",
    "show_error",
    "tell",
]

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="A study file.")]
CheckedPaths = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Study and sweep files.")
]
Results = Annotated[
    Path, typer.Option("--results", metavar="DIR", help="Folder of the ledger and the tables.")
]
Json = Annotated[
    bool, typer.Option("--json", help="As JSON, unrounded; the shape is in docs/json.md.")
]
RESULTS = Path("results")


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


class ReaderLeft(Exception):
    """Whoever read stdout has closed it, as `head` does; an OSError would be caught by typer."""

    exit_code = 141
    """What a shell reports of a filter that SIGPIPE ended: not all of the output was read."""


def say(text: str = "", *, end: str = "\n") -> None:
    """Print lines to stdout. Study files and ledgers come from anybody: what steers a terminal is
    spelled out.

    Raises:
        ReaderLeft: stdout is a pipe that was closed.
        EnvironmentFault: stdout is closed, or its disk is full.
    """
    if sys.stdout is None:
        raise EnvironmentFault("the output cannot be printed: stdout is closed")
    try:
        _print(text + end, sys.stdout)
    except BrokenPipeError:
        discard_stdout()
        raise ReaderLeft from None
    except OSError as error:
        discard_stdout()
        raise EnvironmentFault(f"the output cannot be printed: {error.strerror}") from error


def tell(text: str) -> None:
    """Print lines to stderr, likewise; where nobody can read it, the command goes on."""
    with contextlib.suppress(AttributeError, OSError):  # it may be closed, and None then
        _print(f"{text}\n", sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    stream.write(visible_lines(text))
    stream.flush()


def discard_stdout() -> None:
    """Let what could not be written be lost: Python would try again when it shuts down, complain,
    and exit with a code of its own.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show_error(error: CbablateError) -> None:
    """Write an error to stderr; faults of a file speak for themselves, with their places."""
    prefix = "" if isinstance(error, StudyError) else "cbablate: "
    tell(f"{prefix}{error}")
