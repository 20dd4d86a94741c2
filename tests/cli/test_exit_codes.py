"""How commands end: a wrong word is 2, a lacking machine 4, and a pipe changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cbablate import errors
from tests.cli.typed import typed
from tests.toys import toy_file

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A folder with a study that has run."""
    study = toy_file(tmp_path)
    assert typed("run", study.name, "--on", "local", "--no-mirrors", cwd=tmp_path).code == 0
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "toys.yaml", "9:9"),
        ("explain", "toys.yaml", "replicates=3"),
        ("table", "toys.yaml", "--pairs"),
        ("table", "toys.yaml", "--effects", "--pairs"),
        ("sweep", "toys.yaml"),
        ("diff", "toys.yaml"),
        ("diff", "toys.yaml", "--until", "yesterday"),
        ("verify", "toys.yaml"),
        ("plan", "toys.yaml", "--slots", "2"),
        ("plan", "toys.yaml", "other.yaml"),
        ("data", "nothing-like-it"),
        ("data", "--get"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(words: tuple[str, ...], done: Path) -> None:
    said = typed(*words, cwd=done)
    assert (said.code, said.out) == (2, ""), said


def test_no_error_of_ours_ends_with_1_which_is_pythons_own() -> None:
    ours = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = {one.exit_code for one in ours if issubclass(one, errors.CbablateError)}
    assert codes == {2, 3, 4, 5, 6, 130}


def test_check_names_the_study_whose_data_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CBABLATE_DATA", str(tmp_path / "none"))
    text = (ROOT / "studies" / "placement-digits.yaml").read_text()
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(
            text.replace("{name: digits}", "{name: cifar10}")
            .replace("in_chans: 1", "in_chans: 3")
            .replace("img_size: 8", "img_size: 32")
        )
    said = typed("check", "a.yaml", "b.yaml", cwd=tmp_path)
    assert said.code == 4
    for name in ("a", "b"):
        assert f"cbablate: {name}.yaml: data 'cifar10' are not on this machine" in said.err
    (tmp_path / "b.yaml").write_text("colour: red\n")
    said = typed("check", "a.yaml", "b.yaml", "--json", cwd=tmp_path)
    assert said.code == 2, "a wrong file is graver"
    assert json.loads(said.out)["files"][0]["faults"]


def test_check_takes_overrides_as_other_commands_do(tmp_path: Path) -> None:
    toy_file(tmp_path)
    assert typed("check", "toys.yaml", "budget.epochs=2", cwd=tmp_path).code == 0
    said = typed("check", "toys.yaml", "budget.epochs=two", cwd=tmp_path)
    assert said.code == 2
    assert "override 1, 'budget.epochs=two': budget.epochs: 'two' is not a whole" in said.err
    (tmp_path / "sweep.yaml").write_text("space: {lr: [0.1, 0.3]}\ntrials: 2\n")
    said = typed("check", "sweep.yaml", "trials=3", cwd=tmp_path)
    assert (said.code, "sweep.yaml is not a study: trials=3" in said.err) == (2, True)


@pytest.mark.slow
def test_what_does_not_hold_is_an_error_though_nobody_reads_to_the_end(done: Path) -> None:
    assert typed("table", "toys.yaml", "-o", "paper.tex", cwd=done).code == 0
    paper = done / "paper.tex"
    paper.write_text(paper.read_text().replace("ref.", "9.99", 1).replace("0.9", "0.8"))
    reader, writer = os.pipe()
    os.close(reader)
    said = subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", "verify", "toys.yaml", "paper.tex"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        cwd=done,
        timeout=120,
    )
    os.close(writer)
    assert said.returncode == 3, said
    assert "Traceback" not in said.stderr
