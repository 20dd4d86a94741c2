"""`run` with several studies, and with what is to be changed of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.typed import Said, typed
from tests.toys import toy_file

BARE = ("--on", "local", "--no-mirrors")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    toy_file(tmp_path, replicates=1, name="one")
    toy_file(tmp_path, replicates=1, epochs=2, name="two")
    return tmp_path


def failing(folder: Path) -> None:
    """The study `one` with a level that raises."""
    path = folder / "one.yaml"
    path.write_text(path.read_text().replace("{ceiling: 2.0}", "{fault: raise}"))


def run(folder: Path, *words: str) -> Said:
    return typed("run", *words, *BARE, cwd=folder)


def test_several_studies_are_run_one_after_another_with_a_table_of_each(here: Path) -> None:
    said = run(here, "one.yaml", "two.yaml")
    assert said.code == 0, said.err
    assert said.out.index("Study one:") < said.out.index("Study two:")
    assert "two: study 2 of 2" in said.err


def test_a_study_that_fails_keeps_no_later_one_from_running(here: Path) -> None:
    failing(here)
    said = run(here, "one.yaml", "two.yaml")
    assert said.code == 3
    assert "Study two:" in said.out
    assert (
        json.loads(typed("status", "two.yaml", "--json", cwd=here).out)["counts"]["complete"] == 4
    )


def test_nothing_trains_if_one_of_them_is_wrong_and_the_faults_of_all_are_told(here: Path) -> None:
    for name in ("two", "three"):
        toy_file(here, name=name).open("a").write("colour: red\n")
    said = run(here, "one.yaml", "two.yaml", "three.yaml")
    assert said.code == 2
    assert {"two.yaml", "three.yaml"} <= {line.partition(":")[0] for line in said.err.splitlines()}
    assert not (here / "results").exists()


def test_overrides_hold_for_all_studies_and_stand_behind_them(here: Path) -> None:
    said = run(here, "one.yaml", "two.yaml", "budget.epochs=3")
    assert said.code == 0
    assert said.out.count("of 3 epochs") == 2
    assert run(here, "one.yaml", "budget.epochs=3", "two.yaml").code == 2
    assert run(here, "budget.epochs=3").code == 2


def test_a_variant_leaves_the_tables_of_its_study_alone_and_shares_its_trials(here: Path) -> None:
    assert run(here, "one.yaml", "replicates=2").code == 0
    variant = next(path for path in (here / "results").glob("one-*"))
    before = {path: path.read_bytes() for path in variant.iterdir()}
    said = run(here, "one.yaml")
    assert "Nothing to train: all 4 trials were finished." in said.err
    assert (here / "results" / "one" / "table.tex").exists() or (here / "results" / "one").is_dir()
    assert {path: path.read_bytes() for path in variant.iterdir()} == before
    assert (
        "This tells them: cbablate sync one.yaml replicates=2"
        in run(here, "one.yaml", "replicates=2").err
    )
    for words in (("status",), ("table",), ("table", "--json"), ("methods",), ("plan",)):
        told = typed(words[0], "one.yaml", "replicates=2", *words[1:], cwd=here)
        assert told.code == 0, told
        assert f"{variant.name} is one.yaml with replicates=2" in told.err
    told = typed("explain", "one.yaml", "replicates=2", "two", "test/score", cwd=here)
    assert "Entered: 2 trials" in told.out
    told = typed("diff", "one.yaml", "replicates=2", cwd=here)
    assert "replicates: 1 -> 2" in told.out
    told = typed("report", "one.yaml", "replicates=2", cwd=here)
    assert (here / f"{variant.name}.html").exists(), told


def test_a_file_whose_name_looks_like_an_override_is_a_study(here: Path) -> None:
    (here / "lr=0.1").mkdir()
    toy_file(here / "lr=0.1", replicates=1)
    assert run(here, "lr=0.1/toys.yaml").code == 0


def test_two_files_of_one_name_are_told_apart_in_their_variants_too(here: Path) -> None:
    (here / "other").mkdir()
    toy_file(here / "other", replicates=1, epochs=7, name="one")
    assert run(here, "one.yaml", "seed=3").code == 0
    said = typed("run", "other/one.yaml", "seed=3", *BARE, cwd=here)
    assert said.code == 4
    assert "these results hold another study named" in said.err
