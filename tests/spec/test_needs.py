"""What a trial takes, as a value."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cbablate.errors import UsageError
from cbablate.planning.plan import plan
from cbablate.planning.search import searches
from cbablate.planning.tuned_plan import confirmed
from cbablate.records.facts import Started
from cbablate.spec.needs import Needs
from cbablate.workloads.catalog import describe
from tests.toys import tuned_plan


def test_a_trial_takes_what_its_workload_says_and_is_the_same_trial() -> None:
    def needs(config: Any) -> Needs:
        return Needs(gpus=config["ceiling"])

    study = tuned_plan({"ceiling": 2.0}, space=None).study
    toy = describe("toy", Path())
    unsaid, said = plan(study, toy), plan(study, replace(toy, needs=needs))
    assert [trial.id for trial in said.trials] == [trial.id for trial in unsaid.trials]
    assert {trial.needs for trial in unsaid.trials} == {None}
    assert [trial.needs for trial in said.trials[:2]] == [Needs(gpus=1.0), Needs(gpus=2.0)]
    proposal = {"ceiling": 4.0}
    tuning = searches(said)[0].trial(0, proposal, said.description)
    assert tuning.needs == Needs(gpus=4.0)
    (first, *_) = confirmed(said, {searches(said)[0].id: proposal}).trials
    assert first.needs == Needs(gpus=4.0)


def test_what_is_open_is_settled_once() -> None:
    assert Needs().settled(1.0) == Needs(gpus=1.0)
    assert Needs(gpus=0.5).settled(1.0) == Needs(gpus=0.5)
    assert Needs().reserved_gpus == 0.0


def test_a_start_names_the_gpus_that_are_reserved() -> None:
    def body(needs: Needs) -> dict[str, Any]:
        return Started(1, "s", gpus=needs.reserved_gpus).body()

    assert body(Needs(gpus=0.25))["gpus"] == 0.25
    assert "gpus" not in body(Needs(gpus=0.0))
    assert "gpus" not in body(Needs())


@pytest.mark.parametrize(
    "amounts",
    [
        {"gpus": 1.5},
        {"gpus": -1},
        {"gpus": math.nan},
        {"cpus": -1},
        {"cpus": math.nan},
        {"cpus": 1e-5},
        {"cpus": math.inf},
        {"nodes": 0},
        {"memory": 0},
    ],
)
def test_what_cannot_be_reserved_is_refused(amounts: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="a trial takes"):
        Needs(**amounts)


def test_needs_are_said_in_words() -> None:
    assert str(Needs()) == "1 core"
    assert str(Needs(cpus=2, gpus=2)) == "2 cores and 2 GPUs"
    words = str(Needs(gpus=0.5, nodes=2, memory=8_000_000_000))
    assert words == "1 core, 0.5 GPUs, 8 GB of memory and 2 nodes"
