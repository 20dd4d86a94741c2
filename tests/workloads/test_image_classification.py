from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from cbablate.errors import StudyError, TrialFailure
from cbablate.probes.catalog import metrics_of
from cbablate.records.measurement import Measurement
from cbablate.records.sketch import Sketch
from cbablate.spec.budget import Budget
from cbablate.workloads.checkpoint import ask_for_checkpoints
from cbablate.workloads.images.image_classification import run, throughput, verify
from cbablate.workloads.images.image_config import resolve
from cbablate.workloads.images.image_metrics import METRICS, unmeasured
from tests.workloads.images import TINY, tiny


def measured(config: dict[str, Any], *, seed: int = 1, epochs: int = 1) -> list[Measurement]:
    return list(run(config, seed=seed, budget=Budget(epochs=epochs), workdir=Path()))


def test_every_metric_that_a_trial_reports_is_described_and_the_other_way_round() -> None:
    last = measured(tiny())[-1]
    asked = {m.name for m in METRICS.values() if m.source == "trial"} - set(unmeasured(tiny()))
    assert set(last.metrics) == asked
    assert set(last.vectors) <= set(METRICS)


@pytest.mark.slow
def test_probes_add_what_they_measure_and_change_nothing_else() -> None:
    """What a trial learns does not depend on what is measured of it."""
    plain = measured(tiny({"model.patch_size": 2}), epochs=2)
    config = tiny({"model.patch_size": 2, "probes": ["gradient", "jacobian", "memory", "shuffle"]})
    probed = measured(config, epochs=2)
    clocks = {"seconds", "images_per_second"}
    for one, other in zip(plain, probed, strict=True):
        for name in set(one.metrics) - clocks:
            assert one.metrics[name] == other.metrics[name], name
    last = probed[-1]
    added = set(last.metrics) - set(plain[-1].metrics)
    absent = {key.removeprefix("absent.") for key in last.notes if key.startswith("absent.")}
    assert added | absent == set(metrics_of(config["probes"]))
    while_training = set(probed[0].metrics) - set(plain[0].metrics)
    assert while_training == {"gradient/norm"}, "the others wait for the trained network"
    assert len(last.vectors["gradient/norm"]) == 2
    assert added >= {"attention/jacobian_spectral", "robust/shuffle"}


@pytest.mark.slow
def test_what_is_kept_of_a_network_is_kept_at_the_end_and_is_no_metric() -> None:
    plain = measured(tiny({"model.patch_size": 2}), epochs=2)[-1]
    first, last = measured(tiny({"model.patch_size": 2, "probes": ["maps", "alignment"]}), epochs=2)
    assert first.sketches == {}
    assert set(last.sketches) == {"tokens/grams", "attention/maps"}
    assert len(Sketch.unpacked(last.sketches["tokens/grams"]).rows) == 2
    assert set(last.metrics) == set(plain.metrics)
    assert last.vectors == plain.vectors


def test_what_is_measured_is_the_average_of_weights_where_there_is_one() -> None:
    plain = measured(tiny({"optimizer.lr": 1e-2}))[-1]
    averaged = measured(tiny({"optimizer.lr": 1e-2, "model_ema": True}))[-1]
    assert averaged.metrics["train/loss"] == plain.metrics["train/loss"]
    for name in ("val/loss", "test/loss", "attention/entropy"):
        assert averaged.metrics[name] != plain.metrics[name], name
    # 0.9998 of it is what the first of 22 updates left
    assert averaged.metrics["val/loss"] > plain.metrics["val/loss"]


@pytest.mark.slow
def test_a_model_without_attention_says_why_it_has_no_entropy() -> None:
    model = {"name": "resnet10t", "in_chans": 1}
    last = measured(resolve({**TINY, "model": model, "probes": ["distance"]}))[-1]
    assert "attention/entropy" not in last.metrics
    assert last.notes["absent.attention/entropy"] == "the model has no attention between tokens"
    assert last.notes["absent.attention/distance"] == "the model has no attention between tokens"


def test_the_test_split_is_looked_at_once_and_at_the_end() -> None:
    first, last = measured(tiny(), epochs=2)
    assert not any(name.startswith(("test/", "attention/")) for name in first.metrics)
    assert {"test/top1", "test/loss"} <= set(last.metrics)


def test_entropy_of_a_trained_model_lies_between_0_and_ln_n() -> None:
    last = measured(tiny({"model.patch_size": 2}))[-1]
    layers = last.vectors["attention/entropy"]
    assert len(layers) == 2
    assert all(0 < value <= math.log(17) + 1e-6 for value in layers)
    assert last.metrics["attention/entropy"] == pytest.approx(sum(layers) / 2)
    assert last.metrics["attention/entropy_normalized"] == pytest.approx(
        sum(layers) / 2 / math.log(17)
    )


def test_the_first_and_the_last_measurement_say_how_they_were_computed() -> None:
    first, middle, last = measured(tiny(), epochs=3)
    assert set(first.notes) == {"device", "precision", "threads", "torch", "timm"}
    assert first.notes == last.notes
    assert not middle.notes
    if not torch.cuda.is_available():
        assert first.notes["threads"] == "1"


@pytest.mark.slow
def test_a_few_epochs_teach_something() -> None:
    config = tiny({"optimizer.lr": 1e-2, "batch_size": 32, "model.weight_init": "reset"})
    curve = [m.metrics for m in measured(config, epochs=6)]
    assert curve[-1]["train/loss"] < curve[0]["train/loss"] / 1.5
    assert curve[-1]["val/top1"] > 50.0


def test_a_diverging_training_says_so() -> None:
    config = tiny({"optimizer": {"name": "sgd", "lr": 1e12}})
    with pytest.raises(TrialFailure) as raised:
        measured(config, epochs=2)
    assert raised.value.failure == "diverged"


def test_a_warm_up_beyond_the_budget_is_told() -> None:
    with pytest.raises(StudyError, match="warmup_epochs"):
        measured(tiny({"schedule.warmup_epochs": 2}))


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="only a CPU repeats bit for bit")
def test_another_process_with_more_threads_elsewhere_gives_the_same_bits(tmp_path: Path) -> None:
    here = [
        (m.spent, {k: v for k, v in m.metrics.items() if "second" not in k})
        for m in measured(tiny())
    ]
    code = (
        "import torch, numpy, random; torch.set_num_threads(2); torch.manual_seed(9);"
        "from tests.workloads.test_image_classification import measured, tiny;"
        "print([(m.spent, {k: v for k, v in m.metrics.items() if 'second' not in k})"
        " for m in measured(tiny())])"
    )
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(here)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_arms_are_timed_in_training_and_inference_once_a_round() -> None:
    configs = {"plain": tiny(), "cb": tiny({"context": {"operator": "cb"}, "batch_size": 32})}
    threads = torch.get_num_threads()
    found = throughput(configs, rounds=2)
    assert torch.get_num_threads() == threads
    assert set(found) == set(configs)
    for rates in found.values():
        assert set(rates) == {m.name for m in METRICS.values() if m.source == "timing"}
        assert all(len(values) == 2 and min(values) > 0 for values in rates.values())
        # inference leaves out the backward pass: generous, for a machine with other load
        assert max(rates["throughput/infer"]) > min(rates["throughput/train"])


def test_timing_no_arms_is_no_work() -> None:
    assert throughput({}, rounds=3) == {}


def test_verify_tells_of_the_optimizer_too() -> None:
    configs = {"good": tiny(), "bad": tiny({"optimizer.name": "adamv"})}
    assert list(verify(configs)) == ["bad"]
    assert "no optimizer 'adamv'" in verify(configs)["bad"][0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"context": {"operator": "noise"}, "batch_size": 1}, "write a larger batch_size"),
        ({"context": {"operator": "other_image"}, "batch_size": 1}, "write a larger batch_size"),
        ({"context": {"operator": "cb"}, "batch_size": 1}, None),
        ({"context": {"operator": "other_image"}, "batch_size": 2}, None),
    ],
)
def test_a_placebo_that_would_be_shown_the_image_itself_is_refused(
    changes: dict[str, Any], words: str | None
) -> None:
    told = verify({"arm": tiny({"model.patch_size": 2, **changes})})
    assert told == {} if words is None else words in told["arm"][0]


def left(config: dict[str, Any], workdir: Path) -> list[Measurement]:
    """What a training of three epochs tells, and in `workdir` what its second one left."""
    ask_for_checkpoints(workdir, every=0.0)
    return list(run(config, seed=1, budget=Budget(epochs=3), workdir=workdir))


def again(config: dict[str, Any], workdir: Path, *, epochs: int = 3) -> list[Measurement]:
    return list(run(config, seed=1, budget=Budget(epochs=epochs), workdir=workdir))


def without_clocks(told: list[Measurement]) -> list[dict[str, float]]:
    clocks = {"seconds", "images_per_second"}
    return [{k: v for k, v in m.metrics.items() if k not in clocks} for m in told]


def test_a_training_goes_on_from_its_checkpoint_with_its_clock(tmp_path: Path) -> None:
    whole = left(tiny(), tmp_path)
    rest = again(tiny(), tmp_path)
    assert [m.spent for m in rest] == [3]
    assert without_clocks(rest) == without_clocks(whole[2:])
    assert rest[0].seconds > whole[1].seconds
    assert "checkpoint" not in rest[0].notes


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["cut", "another config", "another budget"])
def test_a_checkpoint_that_does_not_fit_is_not_used_and_a_note_says_so(
    harm: str, tmp_path: Path
) -> None:
    whole = left(tiny(), tmp_path)
    config, epochs = tiny(), 3
    if harm == "cut":
        file = tmp_path / "checkpoint" / "state.pt"
        file.write_bytes(file.read_bytes()[:-100])
    elif harm == "another config":
        config = tiny({"optimizer.lr": 3e-3})
    else:
        epochs = 4
    told = again(config, tmp_path, epochs=epochs)
    assert [m.spent for m in told] == list(range(1, epochs + 1))
    assert "started again, the checkpoint was not used: it " in told[0].notes["checkpoint"]
    if harm == "cut":
        assert without_clocks(told) == without_clocks(whole)
