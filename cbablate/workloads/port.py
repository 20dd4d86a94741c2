"""`Workload`: the port through which cbablate runs anybody's training."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget

__all__ = ["CostStream", "GroupWorkload", "Throughput", "Verify", "Workload"]


class Workload(Protocol):
    """A training, told as a stream of measurements. Closing the stream stops it.

    Called once for each trial, in a process that may have run other trials before: set your
    seeds, and leave no global state that a later trial could see. Yield whenever something is
    worth judging or plotting, with `spent` growing; the last measurement must have spent the
    whole budget, or the trial is FAILED. Raise to fail.

    A workload that can go on from where it was leaves what it needs for that in the folder
    `workdir / "checkpoint"`, whole before it yields the measurement that spent so much. If the
    attempt is cut short, that folder is there when the trial is attempted again; the first
    measurement then has spent more than the checkpoint, `seconds` count on, and every number is
    as if nothing had happened. One that it cannot use it may pass by, starting from the beginning
    with a note that says why. `workloads.checkpoint.Checkpoint` knows when one is due. A workload
    that never writes any is always started from the beginning.

    One whose description says that a config is `open_ended` leaves a checkpoint with its last
    measurement too, from which a trial of a larger budget starts.
    """

    def __call__(
        self, config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
    ) -> Iterator[Measurement]:
        """Train `config` from `seed`; `workdir` is a folder of the attempt's own.

        It holds nothing of the workload's but the checkpoint of an earlier attempt.
        """
        ...


class GroupWorkload(Protocol):
    """Several trainings at once, told as one stream of measurements, each with its member.

    Members are alike (`Description.together`), and each must report what it would if it were
    trained by itself, in any order among the members. What `Workload` says of seeds, state,
    checkpoints and the last measurement holds for each; a member that was never interrupted and
    one that goes on from a checkpoint may be in one group. A member whose training fails is yielded
    with the error, and then no more; whatever the generator raises fails all that are still open.
    The generator is sent the members to stop, and yields nothing of them any more; it is closed
    once there is nobody left.
    """

    def __call__(
        self,
        configs: Sequence[Mapping[str, Any]],
        *,
        seeds: Sequence[int],
        budget: Budget,
        workdirs: Sequence[Path],
    ) -> Generator[tuple[int, Measurement | Exception], Collection[int], None]:
        """Train all of `configs`, each from its seed, with a folder of its own.

        Yields the index of a member with its measurement or error, and is sent the indices of
        those that are to stop, mostly none.
        """
        ...


class Verify(Protocol):
    """What only the workload's libraries can know about configs, asked before anything trains."""

    def __call__(self, configs: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
        """Sentences about what is wrong, by arm name, from configs by arm name; {} if nothing."""
        ...


class Throughput(Protocol):
    """Times arms alone on the device, interleaved over rounds.

    Called once for all arms, with nothing else running.
    """

    def __call__(
        self, configs: Mapping[str, Mapping[str, Any]], *, rounds: int
    ) -> dict[str, dict[str, list[float]]]:
        """One value a round, by metric name (`throughput/train`), by the arm id given."""
        ...


class CostStream(Protocol):
    """Tells what a trial costs from a few of its steps, in a process that does nothing else.

    Called once for each shape (see `Description.shape`); nothing is recorded of it.
    """

    def __call__(self, config: Mapping[str, Any], *, budget: Budget) -> dict[str, Any]:
        """Plain values by these names.

        `setup` and `end` are seconds before the first step and after the last one. `units` are
        seconds that one unit of the budget takes, one for each step that was timed. `memory` is
        the most that was held, in bytes, and `device` what it was held by.
        """
        ...
