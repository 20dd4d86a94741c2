from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.testing.workload import WorkloadContract
from cbablate.workloads import toy
from cbablate.workloads.checkpoint import Checkpoint
from cbablate.workloads.images import image_classification
from tests.workloads.images import tiny


class TestToy(WorkloadContract):
    workload = staticmethod(toy.run)
    config = toy.resolve({})


@pytest.mark.slow
class TestImageClassification(WorkloadContract):
    workload = staticmethod(image_classification.run)
    config = tiny(
        {
            "augment": {"shift": 1, "mixup": 0.8, "cutmix": 1.0, "reprob": 0.25},
            "model": {"drop_path_rate": 0.1, "proj_drop_rate": 0.1},
            "context": {"operator": "cb_s"},
        }
    )


class TestImageClassificationInSteps(WorkloadContract):
    workload = staticmethod(image_classification.run)
    config = tiny()
    budget = Budget(steps=20)


def _stops_early(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    yield Measurement(spent=1, metrics={"val/score": float("nan")})


def _forgets_its_seed(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    _calls.append(seed)
    yield Measurement(spent=budget.amount, metrics={"val/score": float(len(_calls))})


_calls: list[int] = []


def _knows_no_seed(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    yield Measurement(spent=budget.amount, metrics={"val/score": 1.0})


def _forgets_where_it_was(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    checkpoint = Checkpoint(workdir)
    reached, total = 0, 0.0
    if checkpoint.found is not None:
        reached = int((checkpoint.found / "spent").read_text())
    for spent in range(reached + 1, budget.amount + 1):
        total += seed * spent
        if checkpoint.due:
            with checkpoint.written() as folder:
                (folder / "spent").write_text(str(spent))
        yield Measurement(spent=spent, metrics={"val/score": total})


class _Lapsing(WorkloadContract):
    workload = staticmethod(_forgets_where_it_was)
    config = MappingProxyType({})


class _Early(WorkloadContract):
    workload = staticmethod(_stops_early)
    config = MappingProxyType({})


class _Forgetful(WorkloadContract):
    workload = staticmethod(_forgets_its_seed)
    config = MappingProxyType({})


class _Deaf(WorkloadContract):
    workload = staticmethod(_knows_no_seed)
    config = MappingProxyType({})


@pytest.mark.parametrize(
    ("suite", "claim"),
    [
        (_Early(), "test_the_last_measurement_has_spent_the_whole_budget"),
        (_Early(), "test_every_metric_is_a_finite_number"),
        (_Deaf(), "test_another_seed_gives_other_numbers"),
        (_Forgetful(), "test_the_same_seed_gives_the_same_numbers"),
        (_Lapsing(), "test_a_trial_taken_up_from_a_checkpoint_ends_in_the_same_numbers"),
        (_Forgetful(), "test_a_trial_leaves_nothing_that_the_next_can_see"),
    ],
)
def test_the_contract_refuses_a_workload_that_breaks_it(
    suite: WorkloadContract, claim: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError):
        getattr(suite, claim)(tmp_path)


def test_a_workload_that_keeps_the_contract_but_its_checkpoints_fails_that_claim_only(
    tmp_path: Path,
) -> None:
    _Lapsing().test_the_same_seed_gives_the_same_numbers(tmp_path)


def test_the_contract_is_imported_without_pytest() -> None:
    import subprocess
    import sys

    code = "import sys, cbablate.testing.workload; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
