"""`Start`: the words and the variables that a program is started with."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.spec.budget import Budget
from cbablate.spec.command_words import expanded
from cbablate.spec.program import Program
from cbablate.workloads.commands.readers.catalog import variables_of
from cbablate.workloads.commands.room import Room

__all__ = ["Start", "program_name", "start_of"]

_PYTHONS = ("python", "python3")


@dataclass(frozen=True)
class Start:
    """How a program is started for one trial."""

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


def start_of(
    program: Program,
    config: Mapping[str, Any],
    *,
    seed: int,
    budget: Budget,
    room: Room,
    every: float,
) -> Start:
    """The words with the trial's values, and where and with which variables they are a program.

    Raises:
        TrialFailure: the words cannot be those of a program.
    """
    trial = {
        "seed": seed,
        "budget": budget.amount,
        "workdir": str(room.workdir),
        "checkpoint": str(room.checkpoint),
        "study": program.folder,
    }
    try:
        words = expanded(program.words, config, trial)
    except ValueError as error:
        raise TrialFailure(f"the command: {error}", failure="no measurement") from error
    for word in words:
        if "\0" in word:
            raise TrialFailure(f"the word {word!r} of the command holds a NUL, which none can")
    if words[0] in _PYTHONS:
        words[0] = sys.executable
    variables = {
        "CBABLATE_REPORT": str(room.report),
        "CBABLATE_CONFIG": json.dumps(dict(config)),
        "CBABLATE_SEED": str(seed),
        "CBABLATE_BUDGET": str(budget.amount),
        "CBABLATE_UNIT": budget.unit,
        "CBABLATE_WORKDIR": str(room.workdir),
        "CBABLATE_CHECKPOINT": str(room.checkpoint),
        "PYTHONUNBUFFERED": "1",  # lines of output come when they are printed
        **variables_of(program.reads, room),
    }
    if math.isfinite(every):
        variables["CBABLATE_CHECKPOINT_EVERY"] = repr(every)
    inherited = {name: value for name, value in os.environ.items() if name not in variables}
    inherited.pop("CBABLATE_CHECKPOINT_EVERY", None)
    folder = room.workdir if program.runs_in == "trial" else Path(program.folder)
    return Start(tuple(words), folder, {**inherited, "PATH": _path(), **variables})


def program_name(program: Program) -> str:
    """What a sentence calls a program: `train.py` of `python train.py --lr {lr}`."""
    words = program.words
    if words[0] in _PYTHONS and len(words) > 2 and words[1] == "-m":
        return words[2]
    name = PurePath(words[0]).name
    for word in words[1:]:
        if word.startswith("-") or "{" in word:
            break
        name = PurePath(word).name
    return name


def _path() -> str:
    """Where programs are looked for: as ever, and then beside this Python."""
    found = os.environ.get("PATH", os.defpath)
    return os.pathsep.join(filter(None, [found, str(Path(sys.executable).parent)]))
