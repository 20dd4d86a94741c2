"""`run --smoke`: whether everything in a study runs, at the least cost, leaving nothing."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest

from cbablate import api
from cbablate.cli.smoke import smoke_plan
from tests.cli.typed import Said, typed
from tests.toys import toy_file, tuned_plan

ROOT = Path(__file__).parent.parent.parent


def smoke(study: Path, *words: str) -> Said:
    return typed("run", study.name, "--smoke", "--on", "local", *words, cwd=study.parent)


def test_a_smoke_run_trains_each_arm_once_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    (tmp_path / "here").mkdir()
    study = toy_file(tmp_path / "here")
    said = smoke(study)
    assert said.code == 0, said.err
    assert said.out.startswith(
        "SMOKE RUN of toys: 4 trials, one replicate of each arm, 1 epoch each. These numbers are "
        "no results.\n"
    )
    assert "4 of 4 trials" in said.out
    assert re.search(r"Smoke run: everything ran, in .* s; nothing of it is kept\.", said.err)
    assert [path.name for path in study.parent.iterdir()] == ["toys.yaml"]
    assert [path for path in scratch.iterdir() if "smoke" in path.name] == []
    counts = json.loads(typed("plan", study, "--json", "--results", tmp_path / "no").out)["cost"]
    assert counts["left"] == 12


def test_what_does_not_run_is_told_with_the_exit_code_of_a_run(tmp_path: Path) -> None:
    study = toy_file(tmp_path)
    study.write_text(study.read_text().replace("{ceiling: 2.0}", "{fault: raise}"))
    said = smoke(study)
    assert said.code == 3
    assert "1 trial failed:" in said.err
    assert "not everything ran" in said.err


def test_a_study_that_tunes_or_grows_is_tried_as_it_is_written(tmp_path: Path) -> None:
    plan = smoke_plan(tuned_plan({"ceiling": 2.0}, searches=1), 1)
    assert (plan.study.tune, len(plan.trials)) == (None, 2)
    growing = toy_file(tmp_path)
    growing.write_text(
        growing.read_text().replace(
            "replicates: 3", "replicates: {min: 6, max: 12, until: decided}"
        )
    )
    said = smoke(growing)
    assert said.code == 0, said.err
    assert "4 trials, one replicate" in said.out


@pytest.mark.slow
def test_the_least_budget_is_one_that_the_schedule_takes() -> None:
    path = ROOT / "studies" / "placement-digits.yaml"
    warm_up = api.plan(api.load_study(path)).study.baseline["schedule"]["warmup_epochs"]
    two = "[{name: none}, {name: end, changes: {context: {operator: cb, place: mlp.end}}}]"
    said = typed("run", path, f"factors.0.levels={two}", "--smoke", "--on", "local")
    assert said.code == 0, said.err
    assert f"{warm_up + 1} epochs each" in said.out
