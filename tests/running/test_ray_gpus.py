"""Pretended GPUs on two nodes: what is counted, what is refused, what a trial sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.skipif(torch.accelerator.is_available(), reason="torch can use a GPU here"),
    pytest.mark.xdist_group("ray gpus"),  # one process starts the cluster that these look at
    pytest.mark.slow,
]

PROGRAM = """
import json, os, sys
from dataclasses import replace
os.environ["RAY_AUTH_MODE"] = "disabled"
from ray.cluster_utils import Cluster
from cbablate.errors import CbablateError
from cbablate.running.executors.ray_executor import RayExecutor
from cbablate.testing.feeds import TOY, Diary, stream
from cbablate.spec.needs import Needs
from cbablate.workloads.own_code.entry import Entry
from tests.toys import toy_plan

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
for _ in range(2):
    cluster.add_node(num_cpus=3, num_gpus=1)
cluster.wait_for_nodes()
told = {}
feed = Diary(toy_plan(epochs=2, replicates=1).trials)
try:
    with RayExecutor(address=cluster.address, needs=Needs(gpus=0)) as executor:
        told["slots of 0"] = executor.slots
        sees = stream("tells_what_it_sees")
        executor.execute(feed, sees)
        told["sees"] = [value.notes for _, what, value in feed.told if what == "measured"]
        for gpus in (None, 0.4, 1, 2):
            feed = Diary(toy_plan(epochs=2, replicates=1).trials)
            try:
                with RayExecutor(address=cluster.address, needs=Needs(gpus=gpus)) as other:
                    told[f"slots of {gpus}"] = other.slots
                    if gpus == 1:
                        other.execute(feed, TOY)
            except CbablateError as error:
                told[f"error of {gpus}"] = [error.exit_code, str(error)]
                told[f"trials of {gpus}"] = feed.told
            if gpus == 1:
                try:
                    with other: other.call(Entry("builtins:dict"))
                except CbablateError as error:
                    told["error of a call"] = [error.exit_code, str(error)]
    (own, *_) = toy_plan(epochs=2, replicates=1).trials
    with RayExecutor(address=cluster.address) as other:
        for needs in (Needs(cpus=2, gpus=0.5), Needs(cpus=4)):
            try:
                other.execute(Diary((replace(own, needs=needs),)), TOY)
            except CbablateError as error:
                told[f"error of its own {needs}"] = [error.exit_code, str(error)]
finally:
    cluster.shutdown()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="c") as short:
        (Path(short) / "ray").mkdir()
        # Ray's own test cluster hands Python's path to a shell unquoted: one without a space.
        (Path(short) / "venv").symlink_to(sys.prefix)
        python = Path(short, "venv", Path(sys.executable).relative_to(sys.prefix))
        done = subprocess.run(
            [python, "-c", PROGRAM],
            env=os.environ | {"RAY_TMPDIR": short, "CUDA_VISIBLE_DEVICES": "0,1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)  # and nothing beside it is on stdout


def test_a_head_without_cores_and_shares_across_gpus_are_not_counted(told: dict[str, Any]) -> None:
    assert told["slots of 0"] == 6
    assert told["slots of 0.4"] == 4
    assert told["slots of None"] == told["slots of 1"] == 2


def test_a_trial_that_no_node_holds_is_refused_at_once(told: dict[str, Any]) -> None:
    code, sentence = told["error of 2"]
    assert code == 4
    assert "1 core and 2 GPUs, all on one node" in sentence
    assert "(3 cores, 1 GPU)" in sentence


def test_a_trial_that_reserves_no_gpu_sees_none(told: dict[str, Any]) -> None:
    assert told["sees"] == [{"CUDA_VISIBLE_DEVICES": ""}]


def test_a_trial_whose_gpu_does_not_start_ends_the_study_and_has_not_begun(
    told: dict[str, Any],
) -> None:
    code, sentence = told["error of 1"]
    assert code == 4
    assert "reserved 1 GPU" in sentence and "--gpus-per-trial 0" in sentence
    assert told["trials of 1"] == []


def test_so_does_whatever_else_is_called_with_one(told: dict[str, Any]) -> None:
    code, sentence = told["error of a call"]
    assert code == 4
    assert "reserved 1 GPU" in sentence


def test_what_a_trial_says_that_it_takes_is_what_is_reserved(told: dict[str, Any]) -> None:
    code, sentence = told["error of its own 2 cores and 0.5 GPUs"]
    assert code == 4
    assert "a trial has reserved 0.5 GPU" in sentence
    code, sentence = told["error of its own 4 cores"]
    assert code == 4
    assert "a trial takes 4 cores and 1 GPU, all on one node" in sentence
