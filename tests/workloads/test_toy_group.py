"""Workloads that train groups keep the contract of a group's stream; one that does not is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from cbablate.testing import toy_group as toys
from cbablate.testing.group_workload import GroupWorkloadContract
from cbablate.testing.workload import WorkloadContract
from cbablate.workloads import toy
from tests.workloads import toy_group


class TestLeastSquares(GroupWorkloadContract):
    workload = staticmethod(toy_group.run)
    together = staticmethod(toy_group.together)
    config = MappingProxyType({"rate": 0.1})
    failing = MappingProxyType({"rate": -0.1})
    diverging = MappingProxyType({"rate": 1e200})


class TestLeastSquaresAlone(WorkloadContract):
    workload = staticmethod(toy_group.run)
    config = MappingProxyType({"rate": 0.1})


class TestToys(GroupWorkloadContract):
    workload = staticmethod(toy.run)
    together = staticmethod(toys.together)
    config = toy.resolve({})
    failing = toy.resolve({"fault": "raise"})
    diverging = toy.resolve({"fault": "nan"})


def _deaf(configs: list[Any], **named: Any) -> Iterator[Any]:
    """Goes on with members that it was told to stop."""
    for told in toys.together(configs, **named):  # noqa: UP028 - what it is sent goes nowhere
        yield told


def _mixed(configs: list[Any], **named: Any) -> Iterator[Any]:
    """Gives the measurements of one member as another's."""
    for member, item in toys.together(configs, **named):
        yield (member + 1) % len(configs), item


def _all_fail(configs: list[Any], **named: Any) -> Iterator[Any]:
    """One member's error ends all."""
    for member, item in toys.together(configs, **named):
        if isinstance(item, Exception):
            raise item
        yield member, item


@pytest.mark.parametrize(
    ("together", "claim"),
    [
        (_deaf, "test_a_member_that_is_stopped_tells_no_more_and_touches_no_other"),
        (_deaf, "test_the_group_goes_on_until_nobody_is_left"),
        (_mixed, "test_each_member_tells_what_it_tells_by_itself"),
        (_all_fail, "test_a_member_that_raises_is_told_with_its_error_and_touches_no_other"),
    ],
)
def test_a_group_workload_that_breaks_a_claim_is_caught(
    together: Callable[..., Any], claim: str, tmp_path: Path
) -> None:
    broken = type("Broken", (TestToys,), {"together": staticmethod(together)})
    with pytest.raises((AssertionError, toy.TrialFailure)):
        getattr(broken(), claim)(tmp_path)
