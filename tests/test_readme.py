"""The README is true: its code blocks run, and the files and commands that it names are there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import documents

ROOT = documents.ROOT
README = (ROOT / "README.md").read_text(encoding="utf-8")
LOCAL = ("--on", "local", "--no-mirrors")


def blocks(language: str, page: str = README) -> list[str]:
    return documents.blocks(page, language)


def cbablate(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", *words], cwd=at, capture_output=True, text=True
    )


SCRIPT = """
import argparse, random
import cbablate

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--norm", choices=["none", "layer"])
parser.add_argument("--seed", type=int)
parser.add_argument("--epochs", type=int)
args = parser.parse_args()
drawn = random.Random(args.seed)
start = drawn.gauss(0.8, 0.02)
for epoch in range(1, args.epochs + 1):
    val = start + 0.01 * epoch + (0.05 + drawn.gauss(0, 0.001)) * (args.norm == "layer")
    test = val - 0.01
REPORT
"""
"""A script that takes its seed by a flag, as many do; the README's line stands for REPORT."""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a script and the README's study of it."""
    (line,) = re.findall(r"`(cbablate\.report\(.*?\))`", README)
    (study,) = (block for block in blocks("yaml") if "train.py" in block)
    (tmp_path / "train.py").write_text(SCRIPT.replace("REPORT", f"    {line}"))
    (tmp_path / "norm.yaml").write_text(study)
    assert len(study.strip().splitlines()) <= 10
    return tmp_path


@pytest.mark.slow
def test_a_script_of_ones_own_goes_to_a_verdict_as_the_readme_says(own: Path) -> None:
    ran = cbablate("run", "norm.yaml", *LOCAL, at=own)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"Accuracy.*\n.*\(%\) ↑", ran.stdout), ran.stdout
    assert "helps: layer" in ran.stdout
    for line in "".join(blocks("console")).splitlines():
        if "norm.yaml" in line and " run " not in line:
            words = shlex.split(line.removeprefix("$ cbablate").partition("  #")[0])
            said = cbablate(*words, at=own)
            assert said.returncode == 0, f"{line}: {said.stderr}"


@pytest.mark.slow
def test_the_generator_of_the_docs_runs_as_written(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "workloads.md").read_text(encoding="utf-8")
    (train,) = (block for block in blocks("python", page) if "x -= " in block)
    (study,) = (block for block in blocks("yaml", page) if "parabola:train" in block)
    (tmp_path / "parabola.py").write_text(train)
    (tmp_path / "parabola.yaml").write_text(study)
    ran = cbablate("run", "parabola.yaml", *LOCAL, at=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "0.01" in ran.stdout


@pytest.mark.slow
def test_the_commands_run_from_a_checkout(tmp_path: Path) -> None:
    for folder in ("studies", "sweeps"):  # copies: some commands write files where they run
        shutil.copytree(ROOT / folder, tmp_path / folder)
    typed = [
        line.removeprefix("$ ").partition("  #")[0].strip()
        for block in blocks("console")
        for line in block.splitlines()
        if line.startswith("$ cbablate") and "studies/" in line
    ]
    assert len(typed) >= 4
    for line in typed:
        ran = cbablate(*shlex.split(line)[1:], at=tmp_path)
        assert ran.returncode == 0, f"{line}: {ran.stderr}"


def test_make_knows_the_targets_that_the_readme_names() -> None:
    for target in set(re.findall(r"^\$ make (\w+)", README, re.MULTILINE)):
        asked = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert asked.returncode == 0, asked.stderr


def test_the_study_shown_is_the_one_that_ships_less_some_arms(tmp_path: Path) -> None:
    """Its trials are those of the demo, to the bit: only arms and comments are left out."""
    (shown,) = (block for block in blocks("yaml") if "# studies/placement.yaml" in block)
    (tmp_path / "placement.yaml").write_text(shown)
    from cbablate import load_study, plan

    short = plan(load_study(tmp_path / "placement.yaml"))
    whole = plan(load_study(ROOT / "studies" / "placement.yaml"))
    assert len(short.arms) >= 3
    assert {trial.id for trial in short.trials} < {trial.id for trial in whole.trials}


@pytest.mark.slow
def test_the_error_shown_is_the_error_given(tmp_path: Path) -> None:
    (shown,) = (block for block in blocks("text") if "did you mean" in block)
    placement = (ROOT / "studies" / "placement.yaml").read_text()
    wrong = placement.replace(
        "{name: MLP front, changes: {context: {operator: cb, place: mlp.front}}}",
        "{name: MLP front, changes: {model.drop_path: 0.1}}",
    )
    assert wrong != placement
    (tmp_path / "deit.yaml").write_text(wrong)
    said = subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", "check", str(tmp_path / "deit.yaml")],
        capture_output=True,
        text=True,
    ).stderr
    told = [re.sub(r"^\S*deit.yaml:\d+:\d+: ", "", line) for line in said.splitlines()]
    expected = [re.sub(r"^\S*deit.yaml:\d+:\d+: ", "", line) for line in shown.splitlines()]
    assert told == expected


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"\]\(([\w/.-]+)\)|src=\"([\w/.-]+)\"", README)))
)
def test_every_file_the_readme_points_at_is_there(name: tuple[str, str]) -> None:
    assert (ROOT / "".join(name)).exists()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git to list tracked files")
@pytest.mark.parametrize("study", sorted((ROOT / "studies").rglob("*.yaml")), ids=lambda p: p.stem)
def test_every_study_that_ships_loads_and_plans_and_says_its_cost(study: Path) -> None:
    from cbablate import load_study, plan

    assert load_study(study)
    if not study.stem.endswith("-imagenet"):  # their data are nobody's by default
        assert plan(load_study(study)).trials
    header = study.read_text().split("question:")[0]
    assert header.startswith("#"), "opens with what it costs and what it found"
    assert "Found" in header
    assert "Cost" in header
