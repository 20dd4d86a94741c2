"""Sweep files: what they say, by themselves and to a study."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cbablate.errors import StudyError
from cbablate.planning.plan import plan
from cbablate.spec.loading.load import read_study
from cbablate.spec.loading.schema import sweep_schema
from cbablate.spec.loading.sweep_file import read_sweep
from cbablate.spec.space import active, cells, corners, draw
from cbablate.spec.sweep import Parameter, Sweep
from cbablate.workloads.catalog import describe
from tests.spec.study_files import TOY, read_own, swap

ROOT = Path(__file__).parent.parent.parent
SWEEPS = sorted((ROOT / "sweeps").glob("*.yaml"))
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))
FULL = """\
space:
  rate: {float: [1e-2, 1], log: true}
  noise: {float: [0.0, 0.5], step: 0.25, when: {fault: [none, silent]}}
  start: {int: [2, 6], step: 2}
  fault: {choice: [none, nan, silent]}
constraints: ["rate * start <= 4", val/score >= 0.1]
sampler: {tpe: {n_startup_trials: 8}}
pruner: {successive_halving: {first_rung: 1, reduction: 2}}
trials: 24
stop: {hours: 2}
"""


def sweep(folder: Path, text: str) -> Sweep:
    path = folder / "mine.yaml"
    path.write_text(text)
    found = read_sweep(path).sweep
    assert found is not None
    return found


def tuned(folder: Path, text: str) -> Any:
    """The toy study that names a sweep of this text."""
    (folder / "sweeps").mkdir(exist_ok=True)
    (folder / "sweeps" / "mine.yaml").write_text(text)
    path = folder / "x.yaml"
    path.write_text(f"{TOY}tune: sweeps/mine.yaml\n")
    return read_study(path, describe)


def test_every_word_of_a_sweep_file_is_read(tmp_path: Path) -> None:
    found = sweep(tmp_path, FULL)
    assert found.name == "mine"
    assert found.space["rate"] == Parameter(kind="float", low=0.01, high=1.0, log=True)
    assert found.space["start"] == Parameter(kind="int", low=2, high=6, step=2)
    assert found.space["noise"].when == {"fault": ("none", "silent")}
    assert found.space["fault"].choices == ("none", "nan", "silent")
    assert found.constraints == ("rate * start <= 4", "val/score >= 0.1")
    assert (found.sampler.name, found.sampler.options) == ("tpe", {"n_startup_trials": 8})
    assert found.pruner is not None
    assert found.pruner.options == {"first_rung": 1, "reduction": 2}
    assert found.trials == 24 and found.stop is not None and found.stop.hours == 2


def test_a_sampler_and_a_pruner_may_be_a_name_alone(tmp_path: Path) -> None:
    found = sweep(tmp_path, "space: {a: {int: [1, 9]}}\ntrials: 12\npruner: median\n")
    assert (found.sampler.name, found.sampler.options) == ("tpe", {})
    assert found.pruner is not None and (found.pruner.name, found.pruner.options) == ("median", {})


def test_a_study_has_the_sweep_that_it_names(tmp_path: Path) -> None:
    file = tuned(tmp_path, FULL)
    assert file.study.tune == sweep(tmp_path, FULL)
    assert file.written["tune"] == "sweeps/mine.yaml"
    assert plan(file.study, file.description).study.tune == file.study.tune


def test_faults_of_a_plan_are_placed_in_the_sweeps_file(tmp_path: Path) -> None:
    file = tuned(tmp_path, swap(FULL, "first_rung: 1", "first_rung: 9"))
    with pytest.raises(StudyError) as refused:
        plan(file.study, file.description)
    told = str(file.located(refused.value))
    assert told.startswith(f"{tmp_path / 'sweeps' / 'mine.yaml'}:8:43: pruner")


def test_a_workload_of_ones_own_is_tuned_over_keys_of_the_baseline(tmp_path: Path) -> None:
    own = (
        "question: Mine?\nworkload: mine:train\nbaseline: {optimizer: {lr: 0.1}}\n"
        "budget: {steps: 10}\nreplicates: 2\ntune: s.yaml\n"
        "objective: {metric: val/x, direction: maximize}\nreport: [val/x]\n"
    )
    text = "space: {{{}: {{float: [0.01, 1.0]}}}}\nsampler: random\ntrials: 2\n"
    (tmp_path / "s.yaml").write_text(text.format("optimizer.lr"))
    assert read_own(tmp_path, own).study.tune is not None
    (tmp_path / "s.yaml").write_text(text.format("optimizer.lrr"))
    with pytest.raises(StudyError, match=r"'optimizer\.lrr' is not a key of the study's baseline"):
        read_own(tmp_path, own)


def test_an_end_that_other_values_make_valid_is_accepted(tmp_path: Path) -> None:
    """A width that the baseline's heads do not divide is fine where heads are tuned too."""
    text = (
        "space:\n  model.embed_dim: {int: [40, 48], step: 8}\n  model.num_heads: {choice: [2, 3]}\n"
        "sampler: random\ntrials: 4\n"
    )
    study = (ROOT / "studies" / "recipe.yaml").read_text()
    (tmp_path / "s.yaml").write_text(text)
    path = tmp_path / "x.yaml"
    path.write_text(
        swap(swap(study, "../sweeps/lr-wd-gp.yaml", "s.yaml"), "num_heads: 2", "num_heads: 3")
    )
    file = read_study(path, describe)
    assert plan(file.study, file.description).arms


@pytest.mark.parametrize("path", [*SWEEPS, *STUDIES], ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_what_ships_is_read_and_planned(path: Path) -> None:
    if path in SWEEPS:
        assert read_sweep(path).sweep is not None
        return
    file = read_study(path, describe)
    assert plan(file.study, file.description).trials


def test_the_schema_in_the_documentation_is_the_one_of_the_types() -> None:
    kept = json.loads((ROOT / "docs" / "sweep.schema.json").read_text(encoding="utf-8"))
    assert kept == sweep_schema(), "write docs/sweep.schema.json anew: cbablate schema --of sweep"
    Draft202012Validator.check_schema(kept)


@pytest.mark.parametrize("path", SWEEPS, ids=lambda p: p.stem)
def test_the_sweeps_that_ship_follow_the_schema(path: Path) -> None:
    plain = json.loads(json.dumps(read_sweep(path).plain))
    assert [*Draft202012Validator(sweep_schema()).iter_errors(plain)] == []


def test_the_schema_refuses_options_that_a_sampler_does_not_have() -> None:
    wrong = {"space": {"a": {"int": [1, 2]}}, "trials": 3, "sampler": {"tpe": {"startup": 3}}}
    assert [*Draft202012Validator(sweep_schema()).iter_errors(wrong)]


@given(st.integers(0, 2**32))
def test_points_drawn_lie_in_the_space_and_conditions_hold(seed: int) -> None:
    space = {
        "rate": Parameter(kind="float", low=0.01, high=1.0, log=True),
        "noise": Parameter(kind="float", low=0, high=0.5, step=0.25, when={"fault": ("none",)}),
        "start": Parameter(kind="int", low=2, high=64, log=True),
        "fault": Parameter(kind="choice", choices=("none", "nan")),
    }
    point = draw(space, random.Random(seed))
    assert 0.01 <= point["rate"] <= 1.0 and point["start"] in range(2, 65)
    assert ("noise" in point) == (point["fault"] == "none") == active(space["noise"], point)
    assert point.get("noise", 0.0) in (0.0, 0.25, 0.5)


def test_corners_and_cells_are_counted() -> None:
    space = {
        "a": Parameter(kind="int", low=0, high=4, step=2),
        "b": Parameter(kind="choice", choices=("x", "y", "z")),
    }
    assert len([*corners(space)]) == 6
    assert len([*cells(space)]) == 9


PLAIN_CHOICES = """\
space:
  betas: {choice: [[0.9, 0.999], [0.8, 0.99]]}
  clip: {choice: [null, 1.0], when: {betas: [[0.9, 0.999]]}}
  flag: {choice: [0, false, "0", no]}
  optimizer: {choice: [{name: sgd, lr: 0.1}, {name: adam}]}
sampler: random
trials: 4
"""


def test_a_choice_may_be_any_plain_value_and_keeps_its_type(tmp_path: Path) -> None:
    space = sweep(tmp_path, PLAIN_CHOICES).space
    assert space["betas"].choices == ([0.9, 0.999], [0.8, 0.99])
    assert space["clip"].choices == (None, 1.0)
    assert space["clip"].when == {"betas": ([0.9, 0.999],)}
    assert [repr(one) for one in space["flag"].choices] == ["0", "False", "'0'", "'no'"]
    assert space["optimizer"].choices == ({"name": "sgd", "lr": 0.1}, {"name": "adam"})
    plain = json.loads(json.dumps(read_sweep(tmp_path / "mine.yaml").plain))
    assert [*Draft202012Validator(sweep_schema()).iter_errors(plain)] == []


SMALL = "space: {{a: {}}}\nsampler: random\ntrials: 4\n"


@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        ("{choice: [1, 2, 1.0]}", "1:28: space.a.choice[2]: 1.0 is given twice, as 1"),
        ("{choice: [[1], [1.0]]}", "1:27: space.a.choice[1]: [1] is given twice"),
        ("{choice: [null, ~]}", "1:28: space.a.choice[1]: null is given twice"),
        ("{choice: [{a: 1, b: 2}, {b: 2, a: 1}]}", "given twice"),
        ("{int: [-9007199254740993, 3]}", "whole numbers are searched between"),
        ("{float: [1e16, 2e16], step: 0.1}", "too small to tell numbers near the range's ends"),
        ("{float: [-1.5e308, 0], step: 1.5e308}", "its length is not finite"),
    ],
)
def test_choices_and_ranges_that_cannot_be_searched_are_refused_where_they_stand(
    tmp_path: Path, parameter: str, sentence: str
) -> None:
    (tmp_path / "mine.yaml").write_text(SMALL.format(parameter))
    with pytest.raises(StudyError) as refused:
        read_sweep(tmp_path / "mine.yaml")
    assert sentence in str(refused.value)


def test_a_condition_is_on_a_choice_and_not_on_what_python_calls_equal_to_it(
    tmp_path: Path,
) -> None:
    text = "space:\n  a: {{choice: [0, 2]}}\n  b: {{int: [1, 9], when: {{a: {}}}}}\n"
    path = tmp_path / "mine.yaml"
    path.write_text(f"{text.format('false')}sampler: random\ntrials: 4\n")
    with pytest.raises(StudyError, match="false is not a choice of 'a'"):
        read_sweep(path)
    path.write_text(f"{text.format('0.0')}sampler: random\ntrials: 4\n")
    assert read_sweep(path).sweep is not None


def test_a_constraint_on_a_choice_needs_choices_that_are_numbers(tmp_path: Path) -> None:
    text = (
        "space: {{noise: {{choice: [{}]}}}}\nconstraints: [noise <= 0.2]\n"
        "sampler: grid\ntrials: {}\n"
    )
    with pytest.raises(StudyError, match="choices that are not numbers"):
        file = tuned(tmp_path, text.format("0.1, true", 2))
        plan(file.study, file.description)
    file = tuned(tmp_path, text.format("0.1, 0.2, 0.3", 2))
    assert plan(file.study, file.description).study.tune is not None


@pytest.mark.parametrize("high", ["0.6", "0.60"])
def test_a_grid_has_the_cell_at_the_end_of_a_stepped_range(tmp_path: Path, high: str) -> None:
    text = (
        f"space: {{noise: {{float: [0.0, {high}], step: 0.2}}}}\n"
        "constraints: [noise <= 0.6]\nsampler: grid\ntrials: 4\n"
    )
    file = tuned(tmp_path, text)
    assert plan(file.study, file.description).study.tune is not None
