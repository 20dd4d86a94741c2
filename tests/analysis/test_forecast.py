"""What the trials that are left cost, from a few steps of each shape."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.analysis.forecast import ArmShape, CostSample, Forecast, forecast, shapes
from cbablate.planning.plan import Plan, plan
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.testing.mirror_facts import Story
from cbablate.testing.mirror_facts import toy_plan as paced
from cbablate.workloads.catalog import describe
from tests.analysis.tuned import sweep, tuned_toys
from tests.toys import toy_plan
from tests.workloads.images import TINY

PLAN = toy_plan({"ceiling": 2.0}, epochs=5, replicates=3)
SECONDS = st.floats(1e-4, 1e4)


def of(planned: Plan, *samples: CostSample, slots: int = 1) -> Forecast:
    return forecast(planned, [], zip(shapes(planned, []), samples, strict=True), slots=slots)


def test_a_trial_is_its_units_and_what_comes_before_and_after_them() -> None:
    found = of(PLAN, *[CostSample(setup=2.0, units=(1.0, 3.0), end=4.0, memory=7)] * 2)
    price = found.prices[0]
    assert (price.unit.mean, price.trial.mean) == (2.0, 16.0)
    half = 12.706204736 * math.sqrt(2) / math.sqrt(2)  # t of one degree of freedom, sd of (1, 3)
    assert price.trial.high == pytest.approx(16 + 5 * half)
    assert found.seconds is not None
    assert found.seconds.mean == pytest.approx(6 * 16.0)


def test_a_time_is_never_less_than_none() -> None:
    price = of(PLAN, *[CostSample(units=(0.01, 5.0))] * 2).prices[0]
    assert (price.unit.low or 0) < 0 == price.trial.low


@given(st.lists(SECONDS, min_size=2, max_size=6), st.integers(1, 16))
def test_twice_the_slots_take_half_the_time(units: list[float], slots: int) -> None:
    one, more = (
        of(PLAN, *[CostSample(units=tuple(units))] * 2, slots=n).seconds for n in (slots, 2 * slots)
    )
    assert one is not None
    assert more is not None
    assert more.mean == pytest.approx((one.mean or 0) / 2)
    assert one.low is not None
    assert one.low <= (one.mean or 0) <= (one.high or 0)


def test_a_shape_that_cannot_be_probed_leaves_the_total_unknown_unless_it_is_done() -> None:
    planned = paced()
    slow, brisk = planned.arms
    unknown, known = CostSample(failure="it raised"), CostSample(units=(1.0, 1.0))
    assert of(planned, unknown, known).seconds is None
    story = Story().complete(*(trial for trial in planned.trials if trial.arm == slow.id))
    left = shapes(planned, story.facts)
    assert [shape.left for shape in left] == [0, 2]
    found = forecast(planned, story.facts, zip(left, (unknown, known), strict=True))
    assert found.seconds is not None
    assert found.seconds.mean == 2 * 3.0
    assert [shape.arms[0] for shape in left] == [slow, brisk]


def test_arms_that_differ_in_rates_alone_are_one_shape() -> None:
    levels = (
        Level(name="as it is"),
        Level(name="fast", changes={"optimizer.lr": 4e-3}),
        Level(name="broadcast", changes={"context": {"operator": "cb", "place": "mlp.end"}}),
    )
    study = Study(
        name="rates",
        question="?",
        workload="image_classification",
        baseline=TINY,
        factors=(Factor(name="rate", levels=levels),),
        budget=Budget(epochs=2),
        replicates=2,
        objective=Objective(metric="val/top1", direction="maximize"),
        report=("test/top1",),
    )
    planned = plan(study, describe("image_classification", Path()))
    alike, other = shapes(planned, [])
    assert [arm.name for arm in alike.arms] == ["as it is", "fast"]
    assert (alike.left, other.left) == (4, 2)


def test_tuning_trials_and_confirmations_are_trials_of_their_arm() -> None:
    planned = tuned_toys({"ceiling": 2.0}, how=sweep(trials=6))
    assert [shape.left for shape in shapes(planned, [])] == [6 + 6 + 6] * 2


def test_what_a_trial_takes_in_the_ledger_is_read_off_it_once_there_is_one() -> None:
    planned = paced()
    before = of(planned, *[CostSample(units=(1.0,))] * 2)
    assert not before.measured
    facts = Story().complete(*planned.trials).facts
    told: list[tuple[ArmShape, CostSample]] = [
        (shape, CostSample()) for shape in shapes(planned, facts)
    ]
    after = forecast(planned, facts, told)
    assert (after.measured, after.left) == (True, 0)
    assert 500 < after.bytes < 5000
