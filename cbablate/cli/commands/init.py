"""`cbablate init`: a first study, from a script or from a template."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.words import say, tell
from cbablate.errors import EnvironmentFault, UsageError
from cbablate.overviews.command import command

__all__ = ["init"]

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def init(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Where to. [default: here, or beside the script]"),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option("--from", metavar="SCRIPT", help="A Python script with argparse options."),
    ] = None,
) -> None:
    """Write a first study, about a script of yours or a small one.

    Beside it is a sweep, for tuning. The script is read, and neither imported nor run. No file is
    overwritten.
    """
    from cbablate.cli.first_study.draft import Draft
    from cbablate.cli.first_study.script import read_script
    from cbablate.cli.first_study.template import TRAIN

    to = folder or (script.parent if script else Path())
    files: dict[Path, str] = {}
    if script is None:
        _make(to)
        script = to / "train.py"
        _write({script: TRAIN})
    name = _UNFIT.sub("-", script.stem).strip("-._") or "study"
    word = Path(os.path.relpath(script, to)).as_posix()
    draft = Draft(read_script(script), name, word)
    files[to / f"{name}.yaml"] = draft.study()
    if draft.tuned:
        files[to / f"{name}-sweep.yaml"] = draft.sweep()
    _make(to)
    _write(files)
    study = to / f"{name}.yaml"
    say(f"Next: {command('run', study, '--smoke')}, then {command('run', study)}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{folder} cannot be made: {error.strerror}") from error


def _write(files: dict[Path, str]) -> None:
    """Write files that are not there yet.

    Raises:
        UsageError: one is there; then none is written.
        EnvironmentFault: one cannot be written.
    """
    there = [str(path) for path in files if os.path.lexists(path)]
    if there:
        raise UsageError(
            f"{', '.join(there)} is there already, and init overwrites nothing: name another "
            "folder, cbablate init DIR"
        )
    for path, text in files.items():
        try:
            with path.open("x", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise EnvironmentFault(f"{path} cannot be written: {error.strerror}") from error
        tell(f"wrote {path}")
