"""What of a command is in no digest, as far as its words tell before anything runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from cbablate.phrases import first_few
from cbablate.spec.program import Program
from cbablate.workloads.own_code.command_code import chosen_names, less_data, named_by_words

__all__ = ["unseen_words"]

_PYTHON = re.compile(r"(.*/)?python[0-9.]*")
_BLIND = re.compile(r"-[bBdhiOPqsStuvxEI]*[SEI][bBdhiOPqsStuvxEI]*([mcWX].*)?")


def unseen_words(program: Program, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences about what the command's words name and no digest has, and about Pythons that
    nobody can watch.
    """
    return (*_unnamed(program, config), *_unwatched(program.words))


def _unnamed(program: Program, config: Mapping[str, Any]) -> Iterator[str]:
    folder = Path(program.folder)
    known = {os.path.normpath(folder / one.path) for one in program.files}
    named = [*named_by_words(program.words, folder), *_chosen(program, config)]
    shown = [
        os.path.relpath(path, folder)
        for path in less_data([*dict.fromkeys(named)], program.besides, folder)
        if str(path) not in known and (program.declared or path.is_dir())
    ]
    shown = [one for one in shown if not any(_holds(one, known, folder))]
    if shown:
        yield (
            f"The command names {first_few(shown)}, which neither `code` nor `data` does: if it "
            "reads that, an edit goes unnoticed."
        )


def _chosen(program: Program, config: Mapping[str, Any]) -> Iterator[Path]:
    """Files and folders that a value of the config, or a word as it stands, names."""
    folder = Path(program.folder)
    words = (part for word in program.words[1:] for part in (word, word.partition("=")[2]))
    for name in (*chosen_names(program, config), *(one for one in words if one and "{" not in one)):
        path = Path(os.path.normpath(folder / name))
        try:
            if path != folder and (path.is_file() or path.is_dir()):
                yield path
        except (OSError, ValueError):  # no name of a file
            continue


def _holds(folder: str, known: set[str], home: Path) -> Iterator[bool]:
    """For each file on record whether a folder holds it."""
    inside = os.path.normpath(home / folder) + os.sep
    return (each.startswith(inside) for each in known)


def _unwatched(words: Sequence[str]) -> Iterator[str]:
    """About options that keep Python from the witness: of Python itself, and of `env` before it."""
    python = False
    for before, word in pairwise(["", *words]):
        cleared = Path(before).name == "env" and word in ("-", "-i", "--ignore-environment")
        isolated = python and _BLIND.fullmatch(word)
        if cleared or isolated or word.startswith("PYTHONPATH="):
            yield _sentence(word)
        python = bool(_PYTHON.fullmatch(word)) or (python and word.startswith("-"))


def _sentence(word: str) -> str:
    return (
        f"With the word {word} nobody sees which files Python runs: of those that it imports by "
        "another way than a plain import, name each under `code`."
    )
