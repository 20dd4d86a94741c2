"""Documents as tests read them: their code blocks, and how their commands are typed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of one language, as they stand."""
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def titled(text: str) -> dict[str, str]:
    """The files that a page shows: code blocks with a `title`, by that name."""
    found = re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
    return dict(found)


def commands(text: str) -> list[str]:
    """What the page says to type: the lines after a dollar sign, without their remarks."""
    return [
        line.removeprefix("$ ").partition("  #")[0].strip()
        for block in blocks(text, "console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def typed(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command as a shell runs it in the folder, with this interpreter and this cbablate."""
    shim = f'cbablate() {{ {shlex.quote(sys.executable)} -m cbablate.cli.main "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", shim + line], cwd=folder, capture_output=True, text=True, env=environment()
    )


def environment() -> dict[str, str]:
    """A reader's: `python` is this interpreter, cbablate is this one, a terminal is wide."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
