"""Origins: what the trials of a table have in common, and what not."""

from __future__ import annotations

from dataclasses import replace

from cbablate.analysis.provenance.origin import Origin
from cbablate.analysis.summary import summarize
from cbablate.records.facts import Ended, Measured, Started, WorkerFact
from cbablate.records.measurement import Measurement
from tests.analysis.fabrication import SESSION, Telling, placement


def origin_of(told: Telling) -> Origin:
    return summarize(placement(replicates=2), told.facts).origin


def test_one_session_is_not_mixed() -> None:
    told = Telling()
    told.session()
    for trial in placement(replicates=2).trials:
        told.complete(trial, {"test/top1": 1.0}, notes={"precision": "float32"})
    said = origin_of(told)
    assert said.mixed == {}
    assert said.traits["versions.torch"] == ("2.15.0",)
    assert said.traits["commit"] == ("0123456789ab",)
    assert said.traits["numerics.precision"] == ("float32",)


def test_versions_commits_and_numerics_that_differ_are_found() -> None:
    trials = placement(replicates=2).trials
    told = Telling()
    told.session("one")
    versions = {**SESSION.versions, "torch": "2.16.0"}
    told.session("two", versions=versions, dirty=True, host={"gpus": ["A", "B"], "name": "n1"})
    told.complete(trials[0], {}, session="one", notes={"precision": "float32"})
    told.complete(trials[1], {}, session="two", notes={"precision": "bfloat16"})
    said = origin_of(told)
    assert said.mixed == {
        "commit": ("0123456789ab", "0123456789ab with uncommitted changes"),
        "host.gpus": ("", "A, B"),
        "numerics.precision": ("bfloat16", "float32"),
        "versions.torch": ("2.15.0", "2.16.0"),
    }


def test_a_trial_that_went_on_elsewhere_is_of_both_places() -> None:
    trial = placement(replicates=2).trials[0]
    told = Telling()
    told.session("one")
    told.session("two", commit="f" * 40)
    told.measure(trial, {}, session="one", notes={"device": "A100", "checkpoint": "was not used"})
    reached = Measured.of(told.facts[-1]).measurement.spent
    told.tell(trial.id, Started(2, "two", reached=reached))
    told.tell(trial.id, Measured(Measurement(reached + 1, {}, notes={"device": "H100"})))
    told.tell(trial.id, Ended("complete"))
    assert origin_of(told).mixed == {
        "commit": ("0123456789ab", "f" * 12),
        "numerics.device": ("A100", "H100"),
    }


def test_where_a_host_stands_is_no_trait() -> None:
    told = Telling()
    told.session("session 1", host={"name": "n1", "gpu": {"name": "G"}}, versions="1.0", commit="")
    told.complete(placement(replicates=2).trials[0], {})
    assert origin_of(told).traits == {"host.gpu.name": ("G",), "versions": ("1.0",)}


def test_a_trial_that_did_not_enter_mixes_nothing() -> None:
    trials = placement(replicates=2).trials
    told = Telling()
    told.session("one")
    told.session("two", commit="f" * 40)
    told.complete(trials[0], {}, session="one")
    told.measure(trials[1], {}, session="two")
    told.end(trials[1], "failed", "error")
    assert origin_of(told).mixed == {}


WORKER = WorkerFact(
    node="n1",
    host={"machine": "x86_64", "processor": "Other Processor", "gpus": ["H100"]},
    versions={"torch": "2.16.0"},
)


def test_a_trial_that_names_its_worker_has_the_worker_s_traits_and_not_the_driver_s() -> None:
    first, second, *_ = placement(replicates=2).trials
    told = Telling()
    told.session()
    told.tell("w", WORKER)
    told.complete(first, {"test/top1": 1.0}, worker="w")
    said = origin_of(told)
    assert said.traits["host.gpus"] == ("H100",)
    assert said.traits["host.processor"] == ("Other Processor",)
    assert said.traits["versions.torch"] == ("2.16.0",)
    assert said.traits["commit"] == ("0123456789ab",)
    assert said.mixed == {}
    told.tell("v", replace(WORKER, node="n2", versions={"torch": "2.15.0"}))
    told.complete(second, {"test/top1": 1.0}, worker="v")
    assert origin_of(told).mixed == {"versions.torch": ("2.15.0", "2.16.0")}


def test_a_trial_that_went_on_from_another_one_s_checkpoint_has_the_workers_of_both() -> None:
    first, second, *_ = placement(replicates=2).trials
    told = Telling()
    told.session()
    told.tell("w", WORKER)
    told.tell("v", replace(WORKER, host={**WORKER.host, "gpus": ["A100"]}))
    start = Started(1, "session 1", worker="v", reached=1)
    start = replace(start, shorter=second.id, sessions=["session 1"], workers=["w"])
    told.tell(first.id, start)
    told.tell(first.id, Measured(Measurement(20, {"test/top1": 1.0}, seconds=1.0)))
    told.tell(first.id, Ended("complete"))
    assert origin_of(told).traits["host.gpus"] == ("A100", "H100")
