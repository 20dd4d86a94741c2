"""Probing: each shape in a child process, whose end is no end of the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cbablate.analysis.forecast import shapes
from cbablate.errors import EnvironmentFault
from cbablate.planning.plan import Plan
from cbablate.running.cost import costs
from tests.toys import toy_plan


@pytest.mark.slow
def test_a_shape_that_raises_or_kills_its_process_is_told_and_the_others_are_probed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    plan = toy_plan({"fault": "die"}, {"fault": "raise"}, {"seconds": 0.02}, epochs=5)
    said: list[str] = []
    whole, dead, raised, slow = (s for _, s in costs(plan, shapes(plan, []), tell=said.append))
    assert "the process that probed it died" in dead.failure
    assert raised.failure == "TrialFailure: the toy was asked to raise"
    assert (whole.failure, slow.failure) == ("", "")
    assert len(slow.units) == 3
    assert all(unit >= 0.02 for unit in slow.units)
    assert slow.memory > 5_000_000
    assert said[0] == "probing shape 1 of 4: baseline"
    assert capfd.readouterr().out == ""


def test_a_workload_without_a_probe_says_so_before_anything_starts() -> None:
    plan = toy_plan()
    own = Plan(plan.study, replace(plan.description, name="mine", cost=None), plan.arms, ())
    with pytest.raises(
        EnvironmentFault, match=r"workload mine cannot be probed: .* \(image_classification, toy\)"
    ):
        next(costs(own, shapes(own, [])))
