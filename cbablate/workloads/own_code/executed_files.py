"""Which Python files run while a workload's code is loaded, by Python's own audit events.

A module that is made of a file by hand (`spec_from_file_location`, `runpy`, `exec(compile(...))`)
need not be in `sys.modules`, and its folder need not be on Python's path: only its execution shows
it. An audit hook cannot be removed, so there is one for the process, which does nothing while
nothing is watched.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType

from cbablate.workloads.own_code.whereabouts import is_library, is_ours, is_pythons

__all__ = ["Executed", "watch"]


class Executed:
    """The files outside every library that ran since the watch began, and are not expected.

    `by_user` has those that the user's code ran, directly or by way of Python's own modules;
    `by_others` those that a library ran.
    """

    def __init__(self, expected: Iterable[str]) -> None:
        self._users = {os.path.realpath(file) for file in expected if file}
        self.by_user: set[str] = set()
        self.by_others: set[str] = set()

    def note(self, file: str, caller: FrameType | None) -> None:
        """Take down a file that runs, called from this frame."""
        path = os.path.realpath(file)
        if path in self._users or _is_installed(file) or not _is_there(Path(path)):
            return
        if _caller(caller) in self._users | self.by_user:
            self.by_user.add(path)
        else:
            self.by_others.add(path)


def watch(executed: Executed | None) -> None:
    """Take down in `executed`, from now on, which files run; with None, nothing."""
    global _watched, _hooked
    if executed is not None and not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _watched = executed


_watched: Executed | None = None
_hooked = False


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event != "exec" or _watched is None:
        return
    code = arguments[0]
    if isinstance(code, CodeType) and not code.co_filename.startswith("<"):
        _watched.note(code.co_filename, sys._getframe(1))


def _caller(frame: FrameType | None) -> str:
    """The file whose code asked for an execution: Python's own modules and bare text ask for
    somebody else.
    """
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith("<") and not is_pythons(Path(file)):
            return os.path.realpath(file)
        frame = frame.f_back
    return ""


def _is_installed(file: str) -> bool:
    return is_library(Path(file)) or is_ours(Path(file))


def _is_there(path: Path) -> bool:
    """Whether a path is a file or in one, as in an archive; generated code may name any."""
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    return there.is_file()
