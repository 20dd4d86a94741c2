from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from cbablate.errors import EnvironmentFault
from cbablate.training import compute as module
from cbablate.training.compute import Compute, alone, choose

CPU = Compute(torch.device("cpu"), "float32")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_work_has_one_thread_and_whoever_reads_has_its_own_back() -> None:
    seen = []

    def work() -> Iterator[int]:
        for item in range(2):
            seen.append(torch.get_num_threads())
            yield item

    for _ in alone(work(), CPU):  # type: ignore[arg-type]  # a generator, written as an iterator
        assert torch.get_num_threads() == 2
    assert seen == [1, 1]
    assert torch.get_num_threads() == 2


def test_settings_come_back_after_an_error() -> None:
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(ZeroDivisionError):
            _fail()
        assert torch.get_float32_matmul_precision() == "medium"
        assert torch.get_num_threads() == 2
    finally:
        torch.set_float32_matmul_precision("highest")


def _fail() -> None:
    with CPU.settings():
        assert torch.get_float32_matmul_precision() == "highest"
        raise ZeroDivisionError


def test_closing_runs_the_works_own_cleaning_up() -> None:
    done = []

    def work() -> Iterator[int]:
        try:
            yield 1
        finally:
            done.append(torch.get_num_threads())

    stream = alone(work(), CPU)  # type: ignore[arg-type]  # a generator, written as an iterator
    next(stream)
    stream.close()
    assert done
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("asked", "has", "given"),
    [("auto", True, "bfloat16"), ("auto", False, "float32"), ("float32", True, "float32")],
)
def test_a_gpu_trains_in_bfloat16_where_it_can(
    asked: str, has: bool, given: str, gpu: list[bool]
) -> None:
    gpu.append(has)
    chosen = choose(asked)  # type: ignore[arg-type]  # the words of a study
    assert (chosen.device.type, chosen.precision) == ("cuda", given)


def test_bfloat16_on_a_gpu_without_it_is_refused(gpu: list[bool]) -> None:
    gpu.append(False)
    with pytest.raises(EnvironmentFault, match="Old GPU has no bfloat16"):
        choose("bfloat16")


@pytest.mark.parametrize(("asked", "given"), [("auto", "float32"), ("bfloat16", "bfloat16")])
def test_a_cpu_trains_in_float32_unless_told(
    asked: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.torch.cuda, "is_available", lambda: False)
    assert choose(asked) == Compute(torch.device("cpu"), given)  # type: ignore[arg-type]  # the words of a study


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A GPU that has bfloat16 or not, as the test appends."""
    has: list[bool] = []
    cuda = module.torch.cuda
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    monkeypatch.setattr(cuda, "current_device", lambda: 0)
    monkeypatch.setattr(cuda, "get_device_name", lambda _: "Old GPU")
    monkeypatch.setattr(cuda, "is_bf16_supported", lambda including_emulation=True: has[0])
    return has
