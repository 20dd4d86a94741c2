"""Completion by the Tab key, in real shells."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.toys import toy_file

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
SHELLS = {
    "bash": (["bash", "--norc", "-i"], 'eval "$(_CBABLATE_COMPLETE=source_bash cbablate)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -U compinit && compinit -u -D; eval "$(_CBABLATE_COMPLETE=source_zsh cbablate)"',
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "env _CBABLATE_COMPLETE=source_fish cbablate | source",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a study, and with a `cbablate` that a shell finds."""
    program = tmp_path / "bin" / "cbablate"
    program.parent.mkdir()
    words = f"exec {shlex.quote(sys.executable)} -m cbablate.cli.main"
    program.write_text(f'#!/bin/sh\n{words} "$@"\n')
    program.chmod(0o755)
    toy_file(tmp_path, name="tasks")
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_commands_options_and_files(shell: str, folder: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    words, source = SHELLS[shell]
    env = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TERM": "dumb",
        "HOME": str(folder),
    }
    with Terminal(words, cwd=folder, env=env) as terminal:
        terminal.type(f"{source}; echo rea''dy\n")
        terminal.until("ready")
        terminal.type("cbablate stat\t")
        terminal.until("status")
        terminal.type("tas\t")
        terminal.until("tasks.yaml")
        terminal.type("--js\t")
        terminal.until("--json")
