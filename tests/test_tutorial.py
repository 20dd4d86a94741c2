"""The tutorial is true: its files and commands, in its order, give what it shows."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT, blocks, commands, environment, titled, typed

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
LOCAL = ("--on", "local", "--no-mirrors")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's folder, after they have run the study, stopped it, and run it again."""
    place = tmp_path_factory.mktemp("tutorial")
    for name, text in titled(PAGE).items():
        (place / name).write_text(text, encoding="utf-8")
    run = [sys.executable, "-m", "cbablate.cli.main", "run", "scale.yaml", *LOCAL]
    with subprocess.Popen(
        run, cwd=place, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as first:
        assert first.stderr is not None
        for line in first.stderr:
            if line.startswith("4/18"):
                first.send_signal(signal.SIGINT)
        assert first.wait(60) == 130
    second = subprocess.run(run, cwd=place, capture_output=True, text=True, env=environment())
    assert second.returncode == 0, second.stderr
    assert "18/18" in second.stderr
    assert not re.search(r"^[1-4]/18 ", second.stderr, re.MULTILINE), "what has finished is kept"
    return place


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in commands(PAGE) if " run " not in line])
def test_each_command_does_what_the_page_says(folder: Path, line: str) -> None:
    if " verify " in line:
        typed("cbablate table scale.yaml --as latex -o table.tex", folder)
    done = typed(line, folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_table_is_the_one_shown(folder: Path) -> None:
    (shown,) = (block for block in blocks(PAGE, "text") if "Findings" in block or "hurts" in block)
    made = typed("cbablate table scale.yaml", folder).stdout

    def rows(text: str) -> dict[str, float]:
        found = re.findall(r"^(raw pixels|scaled|with noise) +([\d.]+) ±", text, re.MULTILINE)
        return {name: float(mean) for name, mean in found}

    assert len(rows(shown)) == 3
    assert rows(made) == pytest.approx(rows(shown), abs=0.5), "another processor rounds otherwise"
    assert shown.splitlines()[-1] == made.splitlines()[-1], "the findings"


def test_the_script_knows_nothing_of_cbablate() -> None:
    assert "cbablate" not in titled(PAGE)["train.py"]
    assert titled(PAGE)["scale.yaml"].count("\n") <= 25
