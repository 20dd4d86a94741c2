"""The README is true: its code blocks run, and the files and commands that it names are there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LOCAL = ("--on", "local", "--no-mirrors")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the README's own workload."""
    folder = tmp_path_factory.mktemp("readme")
    (train,) = (block for block in blocks("python") if "def train" in block)
    (study,) = (block for block in blocks("yaml") if "parabola:train" in block)
    (folder / "parabola.py").write_text(train)
    (folder / "parabola.yaml").write_text(study)
    return folder


@pytest.mark.slow
def test_your_own_workload_runs_as_written(own: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", "run", "parabola.yaml", *LOCAL],
        cwd=own,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "0.01" in ran.stdout


@pytest.mark.slow
def test_the_python_example_runs_as_written(own: Path) -> None:
    (example,) = (block for block in blocks("python") if "load_study" in block)
    ran = subprocess.run([sys.executable, "-c", example], cwd=own, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "3 arms, 15 trials" in ran.stdout
    assert len(example.strip().splitlines()) <= 10


@pytest.mark.slow
def test_the_commands_run_from_a_checkout(tmp_path: Path) -> None:
    for folder in ("studies", "sweeps"):  # copies: some commands write files where they run
        shutil.copytree(ROOT / folder, tmp_path / folder)
    typed = [
        line.removeprefix("$ ").partition("  #")[0].strip()
        for block in blocks("console")
        for line in block.splitlines()
        if line.startswith("$ cbablate")
    ]
    assert len(typed) >= 4
    for line in typed:
        words = line.replace("cbablate", f"{shlex.quote(sys.executable)} -m cbablate.cli.main", 1)
        ran = subprocess.run(["bash", "-c", words], cwd=tmp_path, capture_output=True, text=True)
        if line.startswith("cbablate methods"):  # which nothing can be said of before it has run
            assert ran.returncode == 2
            assert "has no complete trial" in ran.stderr
            continue
        assert ran.returncode == 0, f"{line}: {ran.stderr}"


def test_make_knows_the_targets_that_the_readme_names() -> None:
    for target in set(re.findall(r"^\$ make (\w+)", README, re.MULTILINE)):
        asked = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert asked.returncode == 0, asked.stderr


def test_the_shortened_study_is_a_study(tmp_path: Path) -> None:
    (study,) = (block for block in blocks("yaml") if "# studies/placement.yaml" in block)
    (tmp_path / "shortened.yaml").write_text(study)
    from cbablate import load_study, plan

    assert len(plan(load_study(tmp_path / "shortened.yaml")).arms) == 3


def test_the_sweep_shown_is_the_one_that_ships(tmp_path: Path) -> None:
    from cbablate.spec.loading.sweep_file import read_sweep

    (shown,) = (block for block in blocks("yaml") if "# sweeps/" in block)
    name = re.match(r"# (sweeps/\S+)", shown)
    assert name is not None
    written = tmp_path / Path(name[1]).name
    written.write_text(shown)
    assert read_sweep(written).sweep == read_sweep(ROOT / name[1]).sweep is not None


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
