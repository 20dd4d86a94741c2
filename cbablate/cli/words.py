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
from cbablate.overviews.command import RESULTS
from cbablate.records.place import Place, results_folder
from cbablate.reporting.forms.form import FORMS
from cbablate.reporting.model.cell import hyphened
from cbablate.spec.yaml.suggestion import did_you_mean

__all__ = [
    "RESULTS",
    "TEXT",
    "Checked",
    "Form",
    "Json",
    "Kept",
    "Overrides",
    "Results",
    "Studies",
    "StudyPath",
    "discard_stdout",
    "form_asked",
    "ledger_folder",
    "product",
    "say",
    "show_error",
    "tell",
    "tell_if_any",
]

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="A study file.")]
Studies = Annotated[
    list[str],
    typer.Argument(
        metavar="STUDY... [KEY=VALUE]...",
        help="Study files, one after another; then what to change of each: budget.epochs=2.",
    ),
]
"""Studies, and the overrides that hold for all of them: see `variant.told_apart`."""
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE", help="What to change of it: budget.epochs=2 baseline.lr=1e-3"
    ),
]
Checked = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE... [KEY=VALUE]...",
        help="Study, sweep and workload files; then what to change of each study.",
    ),
]
"""As `Studies`, of files that may be others, too."""
Results = Annotated[
    Path,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Folder of the ledger and the tables.",
        parser=results_folder,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="As JSON, unrounded; the shape is in docs/json.md.")
]
Kept = Annotated[
    Path | None,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Folder of the ledger and the tables. [default: results]",
        parser=results_folder,
    ),
]
"""`Results` of a command that reads what has run; `ledger_folder` makes a folder of it."""
_MOST_LEDGERS = 5


class Form(StrEnum):
    """How a table is written: one of `FORMS`."""

    _ignore_ = "name"
    for name in FORMS:
        vars()[name] = name


TEXT = "text"
"""The form that a terminal is shown."""


def form_asked(word: str) -> Form:
    """The form that `--as` asks for: by its name, or by the suffix of its files.

    Raises:
        typer.BadParameter: there is no such form.
    """
    names = {row.suffix.removeprefix("."): row.name for row in FORMS.values()}
    name = names.get(word.lower(), word.lower())
    if name not in FORMS:
        either = ", ".join(f"{row.name} ({row.suffix})" for row in FORMS.values())
        raise typer.BadParameter(f"{word!r} is not a form of a table; there are {either}")
    return Form(name)


def ledger_folder(named: Path | None) -> Path:
    """The results folder that a command reads: the one that was named, else the usual one.

    Where no folder was named, nothing may have run yet, which is said, and is not an error.

    Raises:
        EnvironmentFault: there is no ledger in the folder that was named.
    """
    folder = RESULTS if named is None else named
    try:
        if Place(folder).is_used:  # a damaged one counts: reading it says what is wrong
            return folder
    except OSError:
        return folder  # reading it says what is wrong
    if named is None:
        tell(f"Nothing has run yet: there is no ledger in ./{folder}. `cbablate run` makes one.")
        return folder
    raise EnvironmentFault(f"there is no ledger at {folder}.{_other_ledgers(folder)}")


def _other_ledgers(folder: Path) -> str:
    """Which folder near one without a ledger may have been meant."""
    places: list[Path] = []
    for near in (folder, folder.parent):
        with contextlib.suppress(OSError):
            places += [near, *sorted(one for one in near.iterdir() if one.is_dir())]
    there = {str(one): one for one in places if Place(one).has_ledger}
    asked = did_you_mean(str(folder), there)
    if asked:
        return f" {asked[0].upper()}{asked[1:]}"
    listed = ", ".join(list(there)[:_MOST_LEDGERS])
    return f" There is one in {listed}." if there else ""


def say(text: str = "", *, end: str = "\n") -> bool:
    """Print lines to stdout; whether somebody was there to read them.

    Study files and ledgers come from anybody: what steers a terminal is spelled out. Where whoever
    read has left, as `head` does, the command goes on unheard: what it finds decides how it ends.

    Raises:
        EnvironmentFault: stdout is closed, or its disk is full.
    """
    stdout = product()
    if stdout is None:
        raise EnvironmentFault("the output cannot be printed: stdout is closed")
    try:
        _print(text + end, stdout)
    except BrokenPipeError:
        discard_stdout()
        return False
    except OSError as error:
        discard_stdout()
        raise EnvironmentFault(f"the output cannot be printed: {error.strerror}") from error
    return True


def tell(text: str) -> None:
    """Print lines to stderr, likewise; where nobody can read it, the command goes on."""
    with contextlib.suppress(AttributeError, OSError):  # it may be closed, and None then
        _print(f"{text}\n", sys.stderr)


def tell_if_any(sentence: str) -> None:
    """Say it on stderr, unless it is empty."""
    if sentence:
        tell(sentence)


def _print(text: str, stream: TextIO) -> None:
    if not (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf"):
        text = hyphened(text)  # a number that has lost its sign would be another number
    stream.write(visible_lines(text))
    stream.flush()


def discard_stdout() -> None:
    """Let what could not be written be lost: Python would try again when it shuts down, complain,
    and exit with a code of its own.
    """
    stdout = product()
    if stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())


def product() -> TextIO | None:
    """Stdout, also where it is set aside for the command alone; None if it is closed."""
    return getattr(sys.stdout, "product", sys.stdout)


def show_error(error: CbablateError) -> None:
    """Write an error to stderr; faults of a file speak for themselves, with their places."""
    prefix = "" if isinstance(error, StudyError) else "cbablate: "
    tell(f"{prefix}{error}")
