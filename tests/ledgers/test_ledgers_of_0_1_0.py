"""Ledgers of cbablate 0.1.0, one of each kind: they give the numbers that 0.1.0 made of them.

Each folder of `v0_1_0` has a study, the ledger that `cbablate run --on local` of 0.1.0 left, and
`tables.txt`, every table of it in every form as 0.1.0 wrote it. `killed` is what a SIGKILL left:
its facts lie in `ledger.sqlite-wal`.

What was trained and measured is the same, unrounded: counts, means, spreads, differences, and p
values that are not adjusted. How differences are corrected, which intervals they have and how all
that looks has changed since. `placebo` has an arm that 0.1.0 evaluated in the order of classes: it
is to be trained anew.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from cbablate import api
from cbablate.records.state import TrialState
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.tables.catalog import VIEWS

HERE = Path(__file__).parent / "v0_1_0"
STUDIES = sorted(path.name for path in HERE.iterdir() if (path / f"{path.name}.yaml").is_file())


def copied(name: str, folder: Path) -> tuple[Path, Path]:
    """The study file, and a results folder of its own that holds its ledger."""
    study = folder / "study"
    shutil.copytree(HERE / name, study, ignore=shutil.ignore_patterns("ledger*"))
    results = folder / "results"
    results.mkdir(mode=0o700)
    for file in (HERE / name).glob("ledger*"):
        shutil.copy(file, results)
    return study / f"{name}.yaml", results


KEPT = (
    *("study", "arm", "metric", "layer", "unit", "source", "n", "planned", "mean", "sd"),
    *("low", "high", "against", "difference", "pairs", "correlation", "difference_sd"),
    *("p_sign_flip", "effect_size_dz", "hedges_g", "median", "minimum", "maximum", "rounds"),
    *("device", "complete", "pruned", "failed", "running", "waiting", "arm_id"),
)


def numbers(written: str) -> list[dict[str, str]]:
    """What a CSV tells of each arm and metric; p as long as no look is corrected for."""
    return [
        {key: row[key] for key in KEPT} | ({} if "sequ" in row["test"] else {"p": row["p"]})
        for row in csv.DictReader(written.splitlines())
    ]


def former(name: str) -> list[dict[str, str]]:
    """The numbers that 0.1.0 wrote."""
    written = (HERE / name / "tables.txt").read_text(encoding="utf-8")
    return numbers(written.partition("==== arms, csv\n")[2].partition("\n====")[0])


@pytest.mark.parametrize("name", STUDIES)
def test_a_ledger_of_0_1_0_gives_the_numbers_that_0_1_0_made_of_it(
    name: str, tmp_path: Path
) -> None:
    study, results = copied(name, tmp_path)
    plan = api.plan(api.load_study(study))
    table = api.table(plan, results=results)
    assert numbers(render(table, "csv")) == former(name) != []
    told = [api.table(plan, results=results, view=view) for view in had(name)]
    assert all(table.rows for table in told)
    assert all(render(table, form) for table in told for form in FORMS)


def had(name: str) -> list[str]:
    """The views that 0.1.0 had of the study."""
    written = (HERE / name / "tables.txt").read_text(encoding="utf-8")
    return [view for view in VIEWS if f"==== {view}, " in written]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["factorial", "sequential", "tuned", "killed"])
def test_running_a_study_of_0_1_0_again_trains_only_what_its_ledger_lacks(
    name: str, tmp_path: Path
) -> None:
    study, results = copied(name, tmp_path)
    plan = api.plan(api.load_study(study))
    before = {fact.subject for fact in api.facts(results) if fact.kind == "ended"}
    done = api.run(plan, results=results, resources=api.Resources(on="local"), mirrored=False)
    ended = {fact.subject for fact in api.facts(results) if fact.kind == "ended"}
    assert done.exit_code == 0
    assert done.trained == len(ended - before)
    assert done.trained == 0 or name == "killed"
    assert set(done.states) == {TrialState.COMPLETE}
