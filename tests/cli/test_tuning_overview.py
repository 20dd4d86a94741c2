"""What a person reads of a study that tunes: planned, under way, searched."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cbablate import api
from cbablate.cli.commands.checking import checked
from cbablate.cli.json_shape import plan_shape
from cbablate.errors import CbablateError, StudyError
from cbablate.overviews import overview
from cbablate.overviews.sweep_overview import swept
from cbablate.planning.plan import plan
from cbablate.spec.analysis import Analysis
from tests.analysis.fabrication import Telling
from tests.analysis.tuned import BOTH, replicated, searched, sweep, tuned_toys
from tests.toys import toy_plan

ROOT = Path(__file__).parent.parent.parent
PLANNED = tuned_toys({"ceiling": 2.0})


def told(*, trials: int = 6, confirm: bool = False, both: bool = False) -> Telling:
    telling = Telling()
    planned = tuned_toys(how=sweep(objectives=BOTH)) if both else PLANNED
    searched(
        telling,
        planned,
        lambda s, n, p: {"val/score": p["rate"], "cost": p["rate"] * (n % 3)},
        trials=trials,
    )
    if confirm:
        replicated(telling, planned, primary="test/score")
    return telling


def test_before_it_is_paid_for_the_plan_says_what_tuning_may_cost() -> None:
    said = overview.planned(PLANNED, [])
    assert (
        "2 arms (one_at_a_time) x 6 replicates = 12 trials of 4 epochs (48 epochs in all), " in said
    )
    assert "+ 2 searches x 6 trials = 12 tuning trials of 4 epochs (48 epochs in all)" in said
    assert "+ 2 arms x 6 confirmations at each arm's best = 12 trials of 4 epochs" in said
    assert "Sweep toy-sweep over rate, start, fault: sampler tpe, no pruner." in said
    assert "The 6 tuning seeds and the 6 seeds of replicates are disjoint" in said
    assert "To train: at most 36 trials, at most 144 epochs." in said
    assert "Time: unknown" in said


def test_the_plan_of_one_search_says_at_its_head_what_it_cannot_tell_and_what_more_would_cost() -> (
    None
):
    said = overview.planned(PLANNED, []).splitlines()
    assert said[2].startswith("One search of each arm: no difference will be called the arm's")
    assert said[3] == "`searches: 3` would put it in, for 24 more tuning trials of 4 epochs."
    few = overview.planned(tuned_toys({"ceiling": 2.0}, searches=2, replicates=8), [])
    assert "Two searches of each arm: no difference will be called the arm's" in few
    assert (
        "`searches: 3` with `replicates: 9` would put it in, for 12 more tuning trials of 4 epochs "
        "and 4 more replicates." in few
    )


def test_the_plan_of_several_searches_counts_them_all() -> None:
    planned = tuned_toys({"ceiling": 2.0}, searches=3)
    said = overview.planned(planned, [])
    assert "called the arm's" not in said
    assert "+ 2 arms x 3 searches x 6 trials = 36 tuning trials of 4 epochs (144 epochs" in said
    assert "+ 2 arms x 6 confirmations at each search's best = 12 trials of 4 epochs" in said
    assert "The 18 tuning seeds and the 6 seeds of replicates are disjoint" in said
    assert "3 searches of each arm, 1 comparison: with 80 % power" in said
    assert "Below 6 searches of each arm the t test decides alone." in said
    assert "To train: at most 60 trials, at most 240 epochs." in said


@pytest.mark.slow
def test_two_searches_of_a_single_arm_are_called_too_few_before_they_are_paid_for() -> None:
    said = overview.planned(tuned_toys(searches=2, replicates=8), ())
    assert "Two searches of each arm: no difference will be called the arm's" in said
    for searches in (1, 3):
        said = overview.planned(tuned_toys(searches=searches, replicates=9), ())
        assert "will be called the arm's" not in said


def test_the_shape_of_a_plan_counts_the_comparison_of_a_single_tuned_arm_as_its_words_do() -> None:
    planned = tuned_toys(searches=3, replicates=6)
    power = plan_shape(planned, ())["power"]
    assert power["comparisons"] == 1
    assert f"a difference of {power['detectable_sd']:.1f} times" in overview.planned(planned, ())


@pytest.mark.parametrize(
    ("how", "searches", "replicates", "words"),
    [
        ({"interval": "bca"}, 3, 6, "bca needs at least 10 searches: with 3"),
        ({"interval": "bca"}, 1, 6, "bca needs at least 10 replicates: with 6"),
        ({"test": "sign_flip"}, 24, 24, "at most 20 searches, not 24"),
    ],
)
def test_what_an_analysis_has_too_few_or_too_many_of_is_called_by_its_name(
    how: dict[str, str], searches: int, replicates: int, words: str
) -> None:
    planned = tuned_toys({"ceiling": 2.0}, searches=searches, replicates=replicates)
    study = planned.study.model_copy(update={"analysis": Analysis.model_validate(how)})
    with pytest.raises(StudyError, match=words):
        plan(study, planned.description)


def test_reading_a_tuned_study_imports_nothing_heavy(tmp_path: Path) -> None:
    study = str(ROOT / "studies" / "tuned-placement.yaml")
    program = (
        "import sys\n"
        "from cbablate.cli.main import app\n"
        "for word in ('plan', 'status', 'table'):\n"
        f"    app([word, {study!r}], standalone_mode=False)\n"
        "heavy = {'torch', 'timm', 'ray', 'mlflow', 'optuna', 'matplotlib', 'sklearn', 'pandas'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or None)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, f"imported {done.stderr}"
    assert "TUNING IS NOT OVER" in done.stdout


def test_what_is_left_shrinks_with_what_is_done() -> None:
    half = overview.planned(PLANNED, told(trials=3).facts)
    assert "Finished: 0 of 12 as written, 6 of 12 tuning, 0 of 12 confirmations." in half
    done = overview.planned(PLANNED, told(confirm=True).facts)
    assert "Nothing is left to train." in done


def test_status_tells_arms_as_written_searches_and_confirmations() -> None:
    before = overview.standing(PLANNED, told(trials=3).facts)
    assert "at the hyperparameters as written: 12 trials: 12 waiting" in before
    assert "3 trials (3 complete; 12 epochs) of 6; best so far val/score" in before
    assert "Confirmations: none yet, as no search is over." in before
    after = overview.standing(PLANNED, told(confirm=True).facts)
    assert "6 trials (6 complete; 24 epochs) of 6; best val/score" in after
    assert "Confirmations, at each arm's best: 12 trials: 12 complete" in after


def test_sweep_shows_the_best_importances_and_slices() -> None:
    said = swept(PLANNED, told().facts)
    assert "toys, tuned by toy-sweep: sampler tpe, no pruner" in said
    assert said.count("  Best: val/score ") == 2
    lines = said.splitlines()
    at = lines.index("  Importance for val/score (fANOVA, over 6 complete trials):")
    assert lines[at + 1].split()[0] == "rate", "the score is the rate, so nothing else matters"
    assert "  fault: best and median val/score by value" in lines


@pytest.mark.slow
def test_importance_stands_beside_what_chance_gives_and_nothing_is_important_in_noise() -> None:
    def lines(value: Callable[[int, dict[str, Any]], float]) -> list[str]:
        planned, telling = tuned_toys(how=sweep(trials=24)), Telling()
        searched(telling, planned, lambda s, n, p: {"val/score": value(n, dict(p))}, trials=24)
        return [line.strip() for line in swept(planned, telling.facts).splitlines()]

    warning = "Nothing is more important than chance makes it: read nothing into the order."
    noise = lines(lambda n, p: random.Random(n).gauss(0, 1))
    assert warning in noise
    found = lines(lambda n, p: 3 * p["rate"] + random.Random(n).gauss(0, 0.3))
    assert warning not in found
    (rate,) = (line for line in found if line.startswith("rate ") and "by chance" in line)
    share, mean, most = (int(one.rstrip("%,")) for one in rate.split() if "%" in one)
    assert mean <= most < share


def test_sweep_shows_the_front_where_there_are_several_objectives() -> None:
    said = swept(tuned_toys(how=sweep(objectives=BOTH)), told(both=True).facts)
    assert "that none beats in every objective" in said
    assert said.count(", to be confirmed") == 1


def test_sweep_of_nothing_says_so() -> None:
    said = swept(PLANNED, [])
    assert "0 trials (0 epochs) of 6, going on" in said
    assert "Nothing usable yet." in said


def test_sweep_of_a_study_that_does_not_tune_is_refused_with_what_to_do() -> None:
    with pytest.raises(CbablateError, match="names no sweep") as refused:
        swept(toy_plan(), [])
    assert "tune:" in str(refused.value)


def test_check_knows_a_sweep_by_its_keys() -> None:
    said = checked(ROOT / "sweeps" / "recipe-asha.yaml")
    assert said == "3 hyperparameters, 24 trials an arm, sampler tpe"
    said = checked(ROOT / "studies" / "tuned-placement.yaml")
    assert said == (
        "4 arms, 24 trials, as many confirmations, 96 tuning trials. One search of each arm: no "
        "difference will be called the arm's, as the luck of a search is not in the intervals."
    )


def test_check_tells_the_faults_of_a_sweep_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("sampler: random\ntrials: 3\n")
    with pytest.raises(StudyError, match=r"mine\.yaml:1:1: 'space' is missing"):
        checked(path)


def test_the_table_of_a_tuned_study_is_read_from_its_results(tmp_path: Path) -> None:
    assert api.table(PLANNED, results=tmp_path).notes[0].startswith("TUNING IS NOT OVER")
