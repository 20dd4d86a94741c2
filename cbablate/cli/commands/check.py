"""`cbablate check`: whether study and sweep files can be meant."""

from __future__ import annotations

from typing import Any

import typer

from cbablate.cli.variant import told_apart
from cbablate.cli.words import Checked, Json, say, show_error
from cbablate.errors import CbablateError, EnvironmentFault

__all__ = ["check"]


def check(words: Checked, as_json: Json = False) -> None:
    """Validate files: name every fault, with line and column. Exit code 2 if there is any.

    Overrides hold for every study.

    Exit code 4 says that nothing is wrong with the files, but that this machine lacks what one of
    them needs, its images for example.
    """
    from cbablate.cli import json_shape
    from cbablate.cli.commands.checking import checked

    files, overrides = told_apart(words)
    codes = {0}
    told: list[dict[str, Any]] = []
    for path in files:
        said, faults = "", list[str]()
        try:
            said = checked(path, overrides)
        except CbablateError as error:
            codes.add(error.exit_code)
            if isinstance(error, EnvironmentFault):  # faults of a file begin with its name
                error = EnvironmentFault(f"{path}: {error}")
            faults = str(error).splitlines()
            if not as_json:
                show_error(error)
        else:
            if not as_json:
                say(f"{path}: {said}")
        told.append({"path": str(path), "says": said, "faults": faults})
    if as_json:
        say(json_shape.printed(json_shape.check_shape(told)))
    if codes != {0}:
        raise typer.Exit(2 if 2 in codes else max(codes))
