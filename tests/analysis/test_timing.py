"""Timings: which stage is printed."""

from __future__ import annotations

import math

from cbablate.analysis.provenance.timing import timings
from cbablate.records.facts import WorkerFact
from tests.analysis.fabrication import Telling

METRIC = "throughput/train"


def test_the_median_stands_between_the_slowest_and_the_fastest_round() -> None:
    told = Telling()
    told.time("a", [3.0, 1.0, 2.0, 10.0], device="cpu")
    said = timings(told.facts, ["a"])[METRIC]["a"]
    assert (said.median, said.low, said.high, said.rounds) == (2.5, 1.0, 10.0, 4)
    assert (said.batch, said.device) == ("stage 1", "cpu")


def test_the_newest_stage_that_covers_all_arms_is_used() -> None:
    told = Telling()
    for batch, speed in (("old", 1.0), ("new", 2.0)):
        for arm in ("a", "b"):
            told.time(arm, [speed], batch=batch)
    told.time("a", [9.0], batch="partial")
    said = timings(told.facts, ["a", "b"])[METRIC]
    assert [(said[arm].median, said[arm].batch) for arm in ("a", "b")] == [(2.0, "new")] * 2


def test_an_arm_that_was_never_timed_is_not_waited_for() -> None:
    told = Telling()
    for arm in ("a", "b"):
        told.time(arm, [1.0], batch="both")
    told.time("a", [9.0], batch="partial")
    said = timings(told.facts, ["a", "b", "never trained"])[METRIC]
    assert {arm: one.batch for arm, one in said.items()} == {"a": "both", "b": "both"}


def test_without_such_a_stage_each_arm_has_its_newest() -> None:
    told = Telling()
    told.time("a", [1.0], batch="first")
    told.time("b", [2.0], batch="second")
    told.time("a", [3.0], batch="third")
    told.time("b", [math.nan], batch="fourth")
    said = timings(told.facts, ["a", "b"])[METRIC]
    assert {arm: one.batch for arm, one in said.items()} == {"a": "third", "b": "second"}


def test_other_studies_arms_are_passed_by() -> None:
    told = Telling()
    told.time("stranger", [1.0])
    assert timings(told.facts, ["a"]) == {}


def test_the_device_is_the_sessions_where_the_stage_does_not_say() -> None:
    told = Telling()
    told.session("session 1")
    told.session("session 2", host={"gpus": ["H", "H"], "processor": "P"})
    told.session("session 3", host="a machine")
    for number in (1, 2, 3):
        told.time(f"arm {number}", [1.0], batch="b", session=f"session {number}")
    said = timings(told.facts, [f"arm {n}" for n in (1, 2, 3)])[METRIC]
    assert [one.device for one in said.values()] == ["Some Processor at 2 GHz", "H", ""]


def test_a_stage_names_the_worker_that_timed_it() -> None:
    told = Telling()
    told.session("session 1", host={"gpus": [], "processor": "of the driver"})
    told.tell("w", WorkerFact("n1", {"gpus": ["H100"], "processor": "P"}, {}))
    told.time("a", [1.0], worker="w", device="H100")
    said = timings(told.facts, ["a"])[METRIC]["a"]
    assert (said.device, said.worker) == ("H100", "w")
