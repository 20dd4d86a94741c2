"""A command typed in this process, for the many tests that need no process of their own."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from cbablate.cli.main import main

__all__ = ["Said", "typed"]


class Said(NamedTuple):
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str


def typed(*words: str | Path, cwd: Path | None = None) -> Said:
    """What `cbablate WORDS` does."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["cbablate", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(cwd or Path.cwd()),
    ):
        try:
            main()
        except SystemExit as left:
            code = left.code or 0
    assert isinstance(code, int), code
    return Said(code, out.getvalue(), err.getvalue())
