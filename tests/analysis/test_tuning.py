"""What a search found: read off facts, whoever asks."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.analysis.cost import tuning_cost
from cbablate.analysis.outcome import outcome
from cbablate.analysis.searches.slices import slices
from cbablate.analysis.searches.tuning import Tuning, tunings
from cbablate.analysis.standing import Standing
from cbablate.planning.plan import Plan
from cbablate.planning.search import searches
from cbablate.spec.metric import Objective
from cbablate.spec.sweep import Proposal, Stop
from tests.analysis.fabrication import Telling
from tests.analysis.tuned import BOTH, proposed, replicated, searched, sweep, tuned_toys

RATE = {"rate": 0.5, "start": 1, "fault": "none"}


def by_number(_search: int, number: int, _proposal: Proposal) -> dict[str, float]:
    return {"val/score": float(number)}


def one_search(planned: Plan, telling: Telling) -> Tuning:
    return tunings(planned, telling.facts)[0]


def test_a_study_that_does_not_tune_has_no_tunings() -> None:
    planned = tuned_toys().study.model_copy(update={"tune": None})
    from cbablate.planning.plan import plan

    assert tunings(plan(planned, tuned_toys().description), []) == ()


def test_the_best_is_the_complete_trial_with_the_best_last_value() -> None:
    planned, telling = tuned_toys({"ceiling": 2.0}), Telling()
    searched(telling, planned, by_number)
    found = tunings(planned, telling.facts)
    assert [one.best.number if one.best else None for one in found] == [5, 5]
    assert all(one.over for one in found)
    assert Standing(planned, telling.facts).proposals.keys() == {
        one.id for one in searches(planned)
    }


def test_what_is_minimized_is_best_where_it_is_least() -> None:
    planned = tuned_toys()
    study = planned.study.model_copy(
        update={"objective": Objective(metric="val/score", direction="minimize")}
    )
    from cbablate.planning.plan import plan

    planned, telling = plan(study, planned.description), Telling()
    searched(telling, planned, by_number)
    best = one_search(planned, telling).best
    assert best is not None and best.number == 0


@pytest.mark.parametrize("ending", ["pruned", "diverged", "error", "open"])
def test_a_trial_that_is_not_complete_is_never_the_best(ending: str) -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, by_number, ending=lambda _s, n: ending if n == 5 else "complete")
    best = one_search(planned, telling).best
    assert best is not None and best.number == 4


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_never_the_best(value: float) -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, lambda s, n, p: {"val/score": value if n == 5 else float(n)})
    best = one_search(planned, telling).best
    assert best is not None and best.number == 4


def test_a_trial_that_lacks_the_metric_is_never_the_best() -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, lambda s, n, p: {"other" if n == 5 else "val/score": float(n)})
    best = one_search(planned, telling).best
    assert best is not None and best.number == 4


def test_of_equal_trials_the_first_is_the_best() -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, lambda s, n, p: {"val/score": 1.0})
    best = one_search(planned, telling).best
    assert best is not None and best.number == 0


def test_a_trial_that_breaks_a_constraint_on_metrics_is_never_the_best() -> None:
    planned = tuned_toys(how=sweep(constraints=("val/score + rate <= 3.5",)))
    telling = Telling()
    searched(telling, planned, by_number)
    one = one_search(planned, telling)
    kept = [a.number for a in one.attempts if a.number + a.proposal["rate"] <= 3.5]
    assert one.best is not None and one.best.number == max(kept)


def test_a_search_is_over_when_each_of_its_trials_has_ended() -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, by_number, trials=5)
    assert not one_search(planned, telling).over
    assert Standing(planned, telling.facts).proposals == {}
    trial = proposed(telling, planned, 0, 5, RATE)
    one = one_search(planned, telling)
    assert not one.over and one.open == 1
    telling.complete(trial, {"val/score": 99.0})
    assert Standing(planned, telling.facts).proposals == {searches(planned)[0].id: RATE}


def test_a_search_of_failures_only_is_over_and_has_no_best() -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, by_number, ending=lambda _s, _n: "error")
    one = one_search(planned, telling)
    assert one.over and one.failed == 6 and one.best is None
    assert Standing(planned, telling.facts).proposals == {}


def test_a_shortened_sweep_says_what_it_would_have_said_from_the_start() -> None:
    long, short = tuned_toys(how=sweep(trials=6)), tuned_toys(how=sweep(trials=3))
    telling, fewer = Telling(), Telling()
    searched(telling, long, by_number)
    searched(fewer, short, by_number)
    before, after = tunings(short, telling.facts), tunings(short, fewer.facts)
    assert [a.number for a in before[0].attempts] == [0, 1, 2]
    assert before[0].best == after[0].best


def test_a_total_of_trials_is_shared_equally() -> None:
    planned = tuned_toys({"ceiling": 2.0}, how=sweep(stop=Stop(trials=5)))
    assert [one.wanted for one in tunings(planned, [])] == [2, 2]


def test_once_the_hours_are_spent_all_arms_end_the_round() -> None:
    planned = tuned_toys({"ceiling": 2.0}, how=sweep(stop=Stop(hours=1e-9)))
    telling = Telling()
    searched(telling, planned, by_number, trials=2)
    telling.complete(proposed(telling, planned, 0, 2, RATE), {"val/score": 0.5})
    first, second = tunings(planned, telling.facts)
    assert (first.wanted, first.over) == (3, True)
    assert (second.wanted, second.over) == (3, False)


def test_the_front_is_what_no_other_beats_in_every_objective() -> None:
    planned, telling = tuned_toys(how=sweep(objectives=BOTH)), Telling()
    values = [(1.0, 5.0), (2.0, 6.0), (2.0, 7.0), (0.5, 1.0), (0.5, 1.0), (3.0, 9.0)]
    searched(
        telling,
        planned,
        lambda s, n, p: {"val/score": values[n][0], "cost": values[n][1]},
    )
    one = one_search(planned, telling)
    assert [attempt.number for attempt in one.front] == [0, 1, 3, 4, 5]
    assert one.best is not None and one.best.number == 5, "the study decides on val/score"


@pytest.mark.slow
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 2), min_size=6, max_size=6))
def test_every_trial_is_on_the_front_or_beaten_by_one_that_is(values: list[Any]) -> None:
    planned, telling = tuned_toys(how=sweep(objectives=BOTH)), Telling()
    searched(
        telling,
        planned,
        lambda s, n, p: {"val/score": float(values[n][0]), "cost": float(values[n][1])},
    )
    one = one_search(planned, telling)
    front = {attempt.number for attempt in one.front}
    for number, (score, cost) in enumerate(values):
        beaten = any(
            (a >= score and b <= cost) and (a > score or b < cost)
            for a, b in (values[other] for other in front)
        )
        assert beaten != (number in front)


@pytest.mark.slow
@given(st.integers(0, 2**16))
def test_the_order_of_facts_in_memory_changes_nothing(seed: int) -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, by_number)
    shuffled = [*telling.facts]
    random.Random(seed).shuffle(shuffled)
    assert tunings(planned, shuffled) == tunings(planned, telling.facts)


def test_no_search_trial_enters_a_mean() -> None:
    planned, telling = tuned_toys({"ceiling": 2.0}), Telling()
    searched(telling, planned, lambda s, n, p: {"val/score": 1e6, "test/score": 1e6})
    replicated(telling, planned, primary="test/score")
    found = outcome(planned, telling.facts)
    assert found.tuned is not None and found.tuned.fixed is not None
    for one in (*found.summary.arms, *found.tuned.fixed.arms):
        assert one.counts.complete == 6
        mean = one.estimates["test/score"].mean
        assert mean is not None and mean < 100


def test_rows_are_arms_at_tuned_hyperparameters_beside_the_fixed_ones() -> None:
    planned, telling = tuned_toys({"ceiling": 2.0}), Telling()
    searched(telling, planned, by_number)
    replicated(telling, planned, primary="test/score", gain=3.0)
    found = outcome(planned, telling.facts)
    assert found.tuned is not None and found.tuned.fixed is not None
    for row, fixed in zip(found.summary.arms, found.tuned.fixed.arms, strict=True):
        assert row.arm.name == fixed.arm.name and row.arm.id != fixed.arm.id
        tuned_mean, mean = row.estimates["test/score"].mean, fixed.estimates["test/score"].mean
        assert tuned_mean is not None and mean is not None
        assert tuned_mean - mean == pytest.approx(3.0, abs=0.2)


def test_without_factors_tuned_is_compared_with_fixed_in_pairs() -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, by_number)
    replicated(telling, planned, primary="test/score")
    found = outcome(planned, telling.facts)
    assert [one.arm.name for one in found.summary.arms] == ["fixed", "tuned"]
    contrast = found.summary.arms[1].contrasts["test/score"]
    assert contrast.n == 6 and contrast.difference is not None
    assert contrast.difference == pytest.approx(1.3, abs=0.2)


def test_slices_hold_every_trial_that_has_the_parameter() -> None:
    planned, telling = tuned_toys(), Telling()
    searched(telling, planned, by_number, ending=lambda _s, n: "pruned" if n % 2 else "complete")
    one = one_search(planned, telling)
    for key in one.search.sweep.space:
        parts = slices(one, key)
        assert sum(part.proposed for part in parts) == 6
        assert sum(part.complete for part in parts) == 3
        assert max(part.best for part in parts if part.best is not None) == 4.0


def test_the_cost_of_tuning_counts_searches_and_confirmations() -> None:
    planned, telling = tuned_toys({"ceiling": 2.0}), Telling()
    before = tuning_cost(planned, [])
    assert (before.search.trials, before.search.budget) == (12, 48)
    assert (before.confirm.trials, before.confirm.left) == (12, 12)
    assert before.seconds is None
    searched(telling, planned, by_number)
    assert tuning_cost(planned, telling.facts).search.left == 0
    replicated(telling, planned, primary="test/score")
    assert tuning_cost(planned, telling.facts).confirm.left == 0
