"""The contract of a workload, as tests: inherit the class, say what to train, and run pytest.

    from cbablate.testing.workload import WorkloadContract

    class TestMine(WorkloadContract):
        workload = staticmethod(my_module.run)
        config = {"width": 8}

pytest itself is not imported here. A claim that fails raises `AssertionError` with a sentence.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.workloads.checkpoint import FOLDER, Checkpoint, ask_for_checkpoints
from cbablate.workloads.own_code.current_trial import CurrentTrial
from cbablate.workloads.own_code.reported_stream import stream_of

__all__ = ["WorkloadContract"]


class WorkloadContract:
    """What the machinery relies on, asked of one workload with one config.

    `clocks` are the metrics that a wall clock decides, which need not repeat. `random` says
    whether another seed gives other numbers.
    """

    workload: ClassVar[Callable[..., Any]]
    config: ClassVar[Mapping[str, Any]]
    budget: ClassVar[Budget] = Budget(epochs=2)
    clocks: ClassVar[frozenset[str]] = frozenset({"seconds", "images_per_second"})
    random: ClassVar[bool] = True

    def test_it_yields_measurements_whose_spent_grows(self, tmp_path: Path) -> None:
        """Judges and plots go by `spent`."""
        spent = [measurement.spent for measurement in self._all(tmp_path)]
        _claim(bool(spent), "nothing was yielded")
        _claim(spent[0] > 0, f"the first measurement has spent {spent[0]}")
        _claim(spent == sorted(set(spent)), f"spent does not grow: {spent}")

    def test_the_last_measurement_has_spent_the_whole_budget(self, tmp_path: Path) -> None:
        """A trial that ends before is FAILED."""
        last = self._all(tmp_path)[-1].spent
        _claim(
            last == self.budget.amount,
            f"the last measurement has spent {last} of {self.budget.amount} {self.budget.unit}",
        )

    def test_every_metric_is_a_finite_number(self, tmp_path: Path) -> None:
        """A trial with a value that is not finite is FAILED: diverged."""
        for measurement in self._all(tmp_path):
            for name, value in measurement.metrics.items():
                _claim(
                    isinstance(value, int | float) and math.isfinite(value),
                    f"{name} is {value!r} after {measurement.spent} {self.budget.unit}",
                )

    def test_the_same_seed_gives_the_same_numbers(self, tmp_path: Path) -> None:
        """Trials are paired by seed, and run again after a crash; both rely on this."""
        first, again = (self._numbers(tmp_path, seed=1) for _ in range(2))
        _claim(first == again, "two trainings from one seed gave different numbers")

    def test_a_trial_leaves_nothing_that_the_next_can_see(self, tmp_path: Path) -> None:
        """Warm workers run one trial after the other."""
        alone = self._numbers(tmp_path, seed=1)
        self._numbers(tmp_path, seed=2)
        after = self._numbers(tmp_path, seed=1)
        _claim(alone == after, "a training gave other numbers after another one had run")

    def test_two_trials_side_by_side_do_not_meet(self, tmp_path: Path) -> None:
        """One process may hold several trials and take their measurements in turn."""
        alone = self._numbers(tmp_path, seed=1)
        streams = [self._stream(tmp_path, seed) for seed in (1, 2)]
        pairs = list(zip(*streams, strict=False))
        beside = [self._repeatable(measurement) for measurement, _ in pairs]
        _claim(alone == beside, "a training gave other numbers while another one ran in turn")

    def test_another_seed_gives_other_numbers(self, tmp_path: Path) -> None:
        """Replicates that are copies of one another would make every interval too small."""
        if self.random:
            one, other = (self._numbers(tmp_path, seed=seed) for seed in (1, 2))
            _claim(one != other, "two seeds gave the same numbers")

    def test_closing_the_stream_stops_the_trial(self, tmp_path: Path) -> None:
        """This is how a trial is pruned."""
        stream = self._stream(tmp_path, 1)
        next(stream)
        close = getattr(stream, "close", None)
        _claim(callable(close), "the stream has no close(): return a generator")
        if close is not None:
            close()
        _claim(next(stream, None) is None, "the stream went on after it was closed")

    def test_a_trial_taken_up_from_a_checkpoint_ends_in_the_same_numbers(
        self, tmp_path: Path
    ) -> None:
        """A trial may be cut short anywhere; one that leaves no checkpoint starts again."""
        whole = self._numbers(tmp_path, seed=1)
        for told in range(1, len(whole)):
            left = self._left_after(told, tmp_path)
            if left is None:
                continue
            next(
                self._stream(tmp_path, 2)
            )  # what another trial does to the process does not matter
            again = [self._repeatable(m) for m in self._stream(tmp_path, 1, checkpoint=left)]
            spent = whole[told - 1][0]
            _claim(
                again == whole[told:],
                f"a training taken up after {spent} {self.budget.unit} told {again}, "
                f"the one that was never cut short {whole[told:]}",
            )

    def _left_after(self, told: int, folder: Path) -> Path | None:
        """The checkpoint of a trial that was closed after so many measurements, if it left one."""
        workdir = self._workdir(folder, 1)
        ask_for_checkpoints(workdir, every=0.0)
        stream = self._stream_in(workdir, 1)
        for _ in range(told):
            next(stream)
        stream.close()
        left = workdir / FOLDER
        return left if left.is_dir() else None

    def _stream(self, folder: Path, seed: int, *, checkpoint: Path | None = None) -> Any:
        workdir = self._workdir(folder, seed)
        if checkpoint is not None:
            shutil.copytree(checkpoint, workdir / FOLDER)
        return self._stream_in(workdir, seed)

    def _workdir(self, folder: Path, seed: int) -> Path:
        workdir = folder / f"{len(list(folder.iterdir()))}-{seed}"
        workdir.mkdir()
        return workdir

    def _stream_in(self, workdir: Path, seed: int) -> Any:
        trial = CurrentTrial(self.config, seed, self.budget, workdir, Checkpoint(workdir))
        return iter(stream_of(type(self).workload, trial))

    def _all(self, folder: Path, *, seed: int = 1) -> list[Measurement]:
        return list(self._stream(folder, seed))

    def _numbers(self, folder: Path, *, seed: int) -> list[Any]:
        return [self._repeatable(measurement) for measurement in self._all(folder, seed=seed)]

    def _repeatable(self, measurement: Measurement) -> tuple[int, dict[str, float], Any]:
        metrics = {
            name: value for name, value in measurement.metrics.items() if name not in self.clocks
        }
        return measurement.spent, metrics, dict(measurement.vectors)


def _claim(holds: bool, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)
