"""Ledgers of cbablate 0.1.0, one of each kind: they give the tables that 0.1.0 made of them.

Each folder of `v0_1_0` has a study, the ledger that `cbablate run --on local` of 0.1.0 left, and
`tables.txt`, every table of it in every form as 0.1.0 wrote it. `killed` is what a SIGKILL left:
its facts lie in `ledger.sqlite-wal`.

Two are not what 0.1.0 wrote, byte for byte, but in what was mended since. `own_tuned` has fewer
than six pairs, of which no correlation is told any more, and its other tables say that nothing is
claimed. `placebo` has an arm that 0.1.0 evaluated in the order of classes: it is to be trained
anew, and the table says so.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cbablate import api
from cbablate.errors import CbablateError
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


def tables(study: Path, results: Path) -> str:
    """Every table of the study in every form."""
    plan = api.plan(api.load_study(study))
    parts = []
    for view in ("arms", *VIEWS):
        try:
            table = api.table(plan, results=results, view=view)
        except CbablateError as error:
            parts.append(f"==== {view}: {error}\n")
            continue
        parts += [f"==== {view}, {form}\n{render(table, form)}\n" for form in sorted(FORMS)]
    return "".join(parts)


@pytest.mark.parametrize("name", STUDIES)
def test_a_ledger_of_0_1_0_gives_the_tables_that_0_1_0_made_of_it(
    name: str, tmp_path: Path
) -> None:
    expected = (HERE / name / "tables.txt").read_text(encoding="utf-8")
    assert tables(*copied(name, tmp_path)) == expected


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
