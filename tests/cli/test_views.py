"""The other tables of a study, as a person asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cbablate import api
from cbablate.cli.main import app
from cbablate.errors import CbablateError

# One process makes what these look at.
pytestmark = pytest.mark.xdist_group("views")

STUDY = """\
question: Do ceiling and rate add up?
workload: toy
baseline: {ceiling: 1.0, noise: 0.05}
factors:
  - name: ceiling
    levels: [{name: low}, {name: high, changes: {ceiling: 1.2}}]
  - name: rate
    levels: [{name: slow}, {name: fast, changes: {rate: 0.9}}]
design: factorial
budget: {epochs: 2}
replicates: 3
objective: {metric: val/score, direction: maximize}
report: [test/score, val/score]
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("views")
    study = folder / "grid.yaml"
    study.write_text(STUDY)
    plan = api.plan(api.load_study(study))
    api.run(plan, results=folder / "r", resources=api.Resources(on="local"), mirrored=False)
    assert (folder / "r/grid/grid-effects.tex").exists()
    return study, folder / "r"


def typed(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["table", *map(str, words)])


@pytest.mark.slow
def test_each_view_is_printed_on_request(done: tuple[Path, Path]) -> None:
    study, results = done
    assert "ceiling \u00d7 rate" in typed(study, "--results", results, "--effects").stdout
    contributed = typed(study, "--results", results, "--components", "--as", "csv").stdout
    assert contributed.startswith("study,metric,component,kind")
    assert "\\toprule" in typed(study, "--results", results, "--pairs", "--as", "latex").stdout
    assert "not causation" in typed(study, "--results", results, "--mechanism").stdout


@pytest.mark.slow
def test_a_study_that_kept_nothing_of_its_networks_is_told_how_to(done: tuple[Path, Path]) -> None:
    study, results = done
    said = typed(study, "--results", results, "--alignment")
    assert isinstance(said.exception, CbablateError)
    assert "`probes: [alignment]` in the baseline" in str(said.exception)


@pytest.mark.slow
def test_two_views_at_once_and_one_that_is_not_there_are_refused(
    done: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, results = done
    said = typed(study, "--results", results, "--effects", "--pairs")
    assert isinstance(said.exception, CbablateError)
    assert "one table at a time: --effects and --pairs" in str(said.exception)
    monkeypatch.chdir(tmp_path)
    fresh = typed(study, "--effects")
    assert isinstance(fresh.exception, CbablateError)
    assert "so far no replicates are whole" in str(fresh.exception)


def test_a_notebook_asks_for_a_view_by_its_name(done: tuple[Path, Path]) -> None:
    study, results = done
    plan = api.plan(api.load_study(study))
    assert api.table(plan, results=results, view="pairs").name == "grid-pairs"
    with pytest.raises(CbablateError, match="there are arms, effects, components"):
        api.table(plan, results=results, view="effect")


def test_a_plan_of_a_screening_design_says_what_it_cannot_tell_apart(tmp_path: Path) -> None:
    study = tmp_path / "screen.yaml"
    more = "".join(
        f"  - name: {key}\n    levels: [{{name: no}}, {{name: yes, changes: {{{key}: 0.01}}}}]\n"
        for key in ("start", "seconds")
    )
    text = STUDY.replace("design: factorial", f"{more}design: fractional")
    study.write_text(text)
    said = CliRunner().invoke(app, ["plan", str(study), "--results", str(tmp_path)]).stdout
    assert "8 arms (fractional)" in said
    assert "resolution IV: 8 of 16 combinations" in said
    assert "ceiling \u00d7 rate = start \u00d7 seconds" in said
    assert "3 replicates, 4 factors (Šidák): with 80 % power a t test sees an effect of" in said
