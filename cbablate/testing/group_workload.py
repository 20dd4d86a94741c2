"""The contract of a group workload, as tests: inherit the class, say what to train, and run pytest.

from cbablate.testing.group_workload import GroupWorkloadContract

class TestMine(GroupWorkloadContract):
    workload = staticmethod(my_module.run)
    together = staticmethod(my_module.together)
    config = {"width": 8}
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.workloads.port import GroupWorkload, Workload

__all__ = ["GroupWorkloadContract"]

_SEEDS = (1, 2, 3)


class GroupWorkloadContract:
    """What an executor relies on that trains three members from three seeds.

    `failing` is a config with which a training raises, `diverging` one with which it comes to NaN
    or an infinity, alike to `config`; None where there is none. `tolerance` is by how much,
    relatively, a number may differ from that of a trial by itself: arithmetic on more than one
    member at once may be done in another order.
    """

    workload: ClassVar[Workload]
    together: ClassVar[GroupWorkload]
    config: ClassVar[Mapping[str, Any]]
    failing: ClassVar[Mapping[str, Any] | None] = None
    diverging: ClassVar[Mapping[str, Any] | None] = None
    budget: ClassVar[Budget] = Budget(epochs=3)
    clocks: ClassVar[frozenset[str]] = frozenset({"seconds", "images_per_second"})
    tolerance: ClassVar[float] = 0.0

    def test_each_member_tells_what_it_tells_by_itself(self, tmp_path: Path) -> None:
        told = self.told(tmp_path, [self.config] * 3)
        for member, seed in enumerate(_SEEDS):
            self.assert_equal(told[member], self.alone(tmp_path, seed))

    def test_every_member_spends_its_whole_budget_in_growing_parts(self, tmp_path: Path) -> None:
        for measurements in self.told(tmp_path, [self.config] * 3):
            spent = [each.spent for each in measurements]
            assert spent == sorted(set(spent))
            assert spent[-1] == self.budget.amount

    def test_a_member_that_is_stopped_tells_no_more_and_touches_no_other(
        self, tmp_path: Path
    ) -> None:
        told = self.told(tmp_path, [self.config] * 3, stop=[1])
        assert len(told[1]) == 1
        for member in (0, 2):
            self.assert_equal(told[member], self.alone(tmp_path, _SEEDS[member]))

    def test_the_group_goes_on_until_nobody_is_left(self, tmp_path: Path) -> None:
        told = self.told(tmp_path, [self.config] * 3, stop=[0, 1, 2])
        assert [len(measurements) for measurements in told] == [1, 1, 1]

    def test_a_member_that_raises_is_told_with_its_error_and_touches_no_other(
        self, tmp_path: Path
    ) -> None:
        self._beside(self.failing, tmp_path, lambda item: isinstance(item, Exception))

    def test_a_member_that_diverges_touches_no_other(self, tmp_path: Path) -> None:
        self._beside(self.diverging, tmp_path, lambda item: not _finite(item))

    def test_closing_the_stream_stops_the_group(self, tmp_path: Path) -> None:
        stream = self._stream(tmp_path, [self.config] * 3)
        next(stream)
        stream.close()
        assert next(stream, None) is None

    def _beside(self, odd: Mapping[str, Any] | None, folder: Path, ends: Any) -> None:
        """Train an odd member between two others, which is stopped when it ends so."""
        if odd is None:
            return
        stream = self._stream(folder, [self.config, odd, self.config])
        told: list[list[Any]] = [[], [], []]
        stop: Collection[int] | None = None
        while True:
            try:
                member, item = stream.send(stop)
            except StopIteration:
                break
            told[member].append(item)
            stop = [1] if member == 1 and not isinstance(item, Exception) and ends(item) else None
        assert ends(told[1][-1])
        assert not any(map(ends, told[1][:-1]))
        for other in (0, 2):
            self.assert_equal(told[other], self.alone(folder, _SEEDS[other]))

    def told(
        self, folder: Path, configs: Sequence[Mapping[str, Any]], *, stop: Collection[int] = ()
    ) -> list[list[Measurement]]:
        """What each member tells; those to stop are stopped at their first measurement."""
        stream = self._stream(folder, configs)
        found: list[list[Measurement]] = [[] for _ in configs]
        answer: Collection[int] | None = None
        while True:
            try:
                member, item = stream.send(answer)
            except StopIteration:
                return found
            assert isinstance(item, Measurement), f"member {member} told {item!r}"
            found[member].append(item)
            answer = [member] if member in stop else None

    def alone(self, folder: Path, seed: int) -> list[Measurement]:
        """What a training by itself tells."""
        workload, workdir = type(self).workload, _fresh(folder)
        return list(workload(dict(self.config), seed=seed, budget=self.budget, workdir=workdir))

    def assert_equal(self, told: Sequence[Measurement], alone: Sequence[Measurement]) -> None:
        assert [each.spent for each in told] == [each.spent for each in alone]
        for one, other in zip(told, alone, strict=True):
            assert one.metrics.keys() == other.metrics.keys()
            for name in one.metrics.keys() - self.clocks:
                assert math.isclose(
                    one.metrics[name], other.metrics[name], rel_tol=self.tolerance, abs_tol=0.0
                ), f"{name} after {one.spent}"
            assert one.vectors.keys() == other.vectors.keys()
            for name, values in one.vectors.items():
                assert len(values) == len(other.vectors[name]), f"{name} after {one.spent}"
                for value, expected in zip(values, other.vectors[name], strict=True):
                    assert math.isclose(value, expected, rel_tol=self.tolerance, abs_tol=0.0), (
                        f"{name} after {one.spent}"
                    )

    def _stream(self, folder: Path, configs: Sequence[Mapping[str, Any]]) -> Any:
        return type(self).together(
            [dict(config) for config in configs],
            seeds=_SEEDS,
            budget=self.budget,
            workdirs=[_fresh(folder) for _ in configs],
        )


def _finite(item: Measurement) -> bool:
    return all(map(math.isfinite, item.metrics.values()))


def _fresh(folder: Path) -> Path:
    fresh = folder / str(len(list(folder.iterdir())))
    fresh.mkdir()
    return fresh
