"""Which GPUs a worker sees, and what is said where they cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate import api
from cbablate.errors import CbablateError, EnvironmentFault
from cbablate.planning import plan as planning
from cbablate.running.executors import devices, worker
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.spec.needs import Needs
from tests.toys import toy_file, toy_plan

torch = pytest.importorskip("torch")
no_gpu = pytest.mark.skipif(torch.accelerator.is_available(), reason="torch can use a GPU here")


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's tool lists two GPUs."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho NVIDIA H200\necho NVIDIA H200\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")


def test_what_reserves_no_gpu_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "0,1")
    devices.confine(0)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == os.environ["HIP_VISIBLE_DEVICES"] == ""


@no_gpu
def test_a_reserved_gpu_that_torch_cannot_use_is_a_sentence_with_the_machine_and_the_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    said = r"reserved 0.5 GPU on .*, but torch .* finds no GPU.*CUDA_VISIBLE_DEVICES is '1'"
    with pytest.raises(EnvironmentFault, match=said):
        devices.confine(0.5)


@pytest.mark.slow
@pytest.mark.usefixtures("two_gpus")
@no_gpu
def test_a_local_study_beside_gpus_that_torch_cannot_use_says_so_in_one_line(
    tmp_path: Path,
) -> None:
    words = ["run", str(toy_file(tmp_path)), "--on", "local", "--no-mirrors"]
    done = subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", *words, "--results", str(tmp_path / "r")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    (line,) = [line for line in done.stderr.splitlines() if "GPU" in line]
    assert line.startswith("cbablate: This machine has 2 x NVIDIA H200, but torch")
    assert line.endswith("trials train on the CPU.")


def test_a_machine_without_gpus_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.shutil, "which", lambda _: None)
    assert devices.unused_gpus() == ""
    assert devices.unused_gpus("Ray sees none of them") == ""


@pytest.mark.usefixtures("two_gpus")
def test_a_cause_that_is_known_is_not_asked_of_torch() -> None:
    said = devices.unused_gpus("Ray sees none of them")
    assert said.startswith("This machine has 2 x NVIDIA H200, but Ray sees none of them")


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(("asked", "visible"), [(9.0, None), (2.0, "1"), (0.5, ""), (0.5, "-1")])
def test_a_local_trial_that_needs_more_gpus_than_there_are_is_refused(
    asked: float, visible: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    trial = replace(toy_plan().trials[0], needs=Needs(gpus=asked))
    with pytest.raises(EnvironmentFault, match=r"this process sees \d GPUs?\. Lower `gpus` in the"):
        LocalExecutor().needs_of(trial)


@pytest.mark.usefixtures("two_gpus")
def test_a_local_trial_takes_the_gpus_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for asked in (0.0, 0.5, 2.0):
        trial = replace(toy_plan().trials[0], needs=Needs(gpus=asked))
        assert LocalExecutor().needs_of(trial) == Needs(gpus=0.0)


@no_gpu
def test_a_machine_without_gpus_trains_no_study_that_needs_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.shutil, "which", lambda _: None)
    plan = toy_plan()
    described = replace(plan.description, needs=lambda _: Needs(gpus=9.0))
    needy = planning.plan(plan.study, described)
    resources = api.Resources(on="local")
    with pytest.raises(EnvironmentFault, match="1 core and 9 GPUs, and this process sees 0 GPUs"):
        api.run(needy, results=tmp_path / "r", resources=resources, mirrored=False)


@pytest.mark.parametrize("gpus", [2, 8])
def test_a_shipped_workload_is_given_one_gpu_at_most(gpus: int, tmp_path: Path) -> None:
    resources = api.Resources(gpus_per_trial=gpus)
    for refused in (
        lambda: api.run(toy_plan(), results=tmp_path / "r", resources=resources),
        lambda: api.verify(toy_plan(), resources),
    ):
        with pytest.raises(EnvironmentFault, match=f"'toy' trains a trial on one GPU.*{gpus}"):
            refused()
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("gpus", [-1, 1.5, 0.00001, float("nan"), float("inf")])
def test_what_is_neither_a_share_nor_whole_gpus_is_refused(gpus: float) -> None:
    with pytest.raises(CbablateError, match="a share of one GPU"):
        api.Resources(gpus_per_trial=gpus).executor()
