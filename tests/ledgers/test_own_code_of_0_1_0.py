"""Ledgers of 0.1.0 of own workloads, whose versions were digests of text: they go on counting."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate import api
from cbablate.overviews import overview
from cbablate.planning import plan as planning
from cbablate.reporting.forms.form import render
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.workloads.catalog import describe
from tests.ledgers.test_ledgers_of_0_1_0 import former, numbers
from tests.workloads.own_code import project, train

HERE = Path(__file__).parent / "v0_1_0"
OWN = ("own", "own_tuned")


def copied(name: str, folder: Path) -> tuple[Path, Path]:
    """The study file, and a results folder that holds its ledger."""
    shutil.copytree(HERE / name, folder / "study", ignore=shutil.ignore_patterns("ledger*"))
    (folder / "results").mkdir(mode=0o700)
    shutil.copy(HERE / name / "ledger.sqlite", folder / "results")
    return folder / "study" / f"{name}.yaml", folder / "results"


def table_numbers(study: Path, results: Path) -> list[dict[str, str]]:
    """The numbers behind the table of the study."""
    plan = api.plan(api.load_study(study))
    return numbers(render(api.table(plan, results=results), "csv"))


@pytest.mark.parametrize("name", OWN)
def test_the_numbers_are_the_same_and_nothing_is_trained(name: str, tmp_path: Path) -> None:
    study, results = copied(name, tmp_path)
    assert table_numbers(study, results) == former(name)
    done = drive(
        api.plan(api.load_study(study)),
        results=results,
        executor=LocalExecutor,
        publish=lambda facts: [],
    )
    assert (done.trained, done.exit_code) == (0, 0)
    assert table_numbers(study, results) == former(name)


def test_a_comment_is_no_code_once_the_study_was_run_by_this_version(tmp_path: Path) -> None:
    study, results = copied("own", tmp_path)
    plan = api.plan(api.load_study(study))
    drive(plan, results=results, executor=LocalExecutor, publish=lambda facts: [])
    own = study.with_name("own.py")
    own.write_text(f"# a comment\n{own.read_text()}")
    again = api.plan(api.load_study(study))
    assert not set(again.description.former_versions) & set(plan.description.former_versions)
    done = drive(again, results=results, executor=LocalExecutor, publish=lambda facts: [])
    assert (done.trained, done.exit_code) == (0, 0)


@pytest.mark.slow
def test_an_edit_trains_anew_and_new_replicates_stand_beside_the_former(tmp_path: Path) -> None:
    study, results = copied("own", tmp_path)
    study.write_text(study.read_text().replace("replicates: 6", "replicates: 7"))
    plan = api.plan(api.load_study(study))
    done = drive(plan, results=results, executor=LocalExecutor, publish=lambda facts: [])
    assert done.trained == 3
    own = study.with_name("own.py")
    own.write_text(own.read_text().replace("x = 10.0", "x = 11.0"))
    plan = api.plan(api.load_study(study))
    done = drive(plan, results=results, executor=LocalExecutor, publish=lambda facts: [])
    assert done.trained == 21


def test_files_that_0_1_0_did_not_look_at_are_named_where_its_trials_count(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study, results = copied("own", tmp_path)
    plan = api.plan(api.load_study(study))
    assert "did not look" not in overview.planned(*api.recorded(plan, results))
    elsewhere = str(study.with_name("unseen.py"))
    gap = replace(plan.description, former_gaps=(elsewhere,))
    plan = planning.plan(plan.study, gap)
    lines = overview.planned(*api.recorded(plan, results))
    assert f"did not look at {elsewhere}. If they were edited" in lines
    drive(plan, results=results, executor=LocalExecutor, publish=lambda facts: [])
    assert f"did not look at {elsewhere}" in capfd.readouterr().err


def test_relative_imports_are_what_0_1_0_did_not_look_at(tmp_path: Path) -> None:
    files = {
        "wl.py": train("import plain\nfrom pack import core"),
        "plain.py": "",
        "pack/__init__.py": "from . import inner\n",
        "pack/core.py": "",
        "pack/inner.py": "",
    }
    project(tmp_path, files)
    assert describe("wl:train", tmp_path).former_gaps == (str(tmp_path / "pack" / "inner.py"),)
