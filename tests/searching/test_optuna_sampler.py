"""`OptunaSampler`: what Optuna is told of a search, and what it makes of a sweep's options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from cbablate.planning.search import Search, searches
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.searching.optuna_sampler import OptunaSampler
from cbablate.spec.sweep import Parameter, Pruner, Sampler
from tests.toys import tuned_plan


def test_a_sampler_is_asked_again_for_what_its_study_lost() -> None:
    (search,) = searches(tuned_plan(trials=6))
    assert isinstance(search, Search)
    first, second = OptunaSampler(search), OptunaSampler(search)
    asked = [first.ask() for _ in range(6)]
    assert all(second.replay(one.number, one.proposal) for one in asked)


def asked_of(search: Search, values: Sequence[float], **also: float) -> list[dict[str, Any]]:
    """What is proposed where trials complete with these values, the even ones with `also`."""
    sampler, found = OptunaSampler(search), list[dict[str, Any]]()
    for number, value in enumerate(values):
        asked = sampler.ask()
        found.append(dict(asked.proposal))
        metrics = {"val/score": value, **(also if number % 2 == 0 else {})}
        sampler.tell(number, TrialState.COMPLETE, Measurement(9, metrics), asked.proposal)
    return found


def test_draws_that_break_a_constraint_are_none_of_tpes_first_random_trials() -> None:
    constraints = {"constraints": ("rate + start >= 0.9",), "sampler": Sampler(name="tpe")}
    (search,) = searches(tuned_plan(trials=14, sampler="tpe", sweep={"constraints": ()}))
    tune = search.sweep.model_copy(update=constraints)
    search = replace(search, sweep=tune)
    rising = asked_of(search, [float(n) for n in range(14)])
    falling = asked_of(search, [float(-n) for n in range(14)])
    assert rising[:10] == falling[:10], "chance does not look at values"
    assert rising[10:] != falling[10:]


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsgaii"])
def test_a_metric_that_a_constraint_names_may_be_missing_now_and_then(sampler: str) -> None:
    plan = tuned_plan(trials=14, sampler=sampler, sweep={"constraints": ("cost <= 1",)})
    (search,) = searches(plan)
    assert len(asked_of(search, [float(n) for n in range(14)], cost=0.5)) == 14


def test_conditional_parameters_need_no_option_that_nobody_wrote() -> None:
    space = {
        "fault": Parameter(kind="choice", choices=("none", "nan")),
        "rate": Parameter(kind="float", low=0.1, high=1.0, when={"fault": ("none",)}),
    }
    (search,) = searches(tuned_plan(space=space))
    alone = Sampler(name="tpe", options={"multivariate": False})
    OptunaSampler(replace(search, sweep=search.sweep.model_copy(update={"sampler": alone}))).ask()


@pytest.mark.parametrize("options", [{}, {"first_rung": 1}])
def test_intervals_count_from_the_first_rung_which_is_1_if_left_out(
    options: dict[str, int],
) -> None:
    pruner = Pruner(name="threshold", options={"lower": 0.5, "interval": 5, **options})
    (search,) = searches(tuned_plan(epochs=20, pruner=pruner))
    sampler = OptunaSampler(search)
    sampler.ask()
    values = {spent: 1.0 if spent < 5 else 0.0 for spent in range(1, 20)}
    told = [sampler.report(0, Measurement(s, {"val/score": v})) for s, v in values.items()]
    assert [spent for spent, why in zip(values, told, strict=True) if why] == [6, 11, 16]
