"""`together`: toys that are trained as a group, by one step of each in turn."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.workloads import toy

__all__ = ["together"]


def together(
    configs: Sequence[Mapping[str, Any]],
    *,
    seeds: Sequence[int],
    budget: Budget,
    workdirs: Sequence[Path],
) -> Generator[tuple[int, Measurement | Exception], Collection[int], None]:
    """The curves of all, a unit of budget of each at a time."""
    streams = {
        member: iter(toy.run(config, seed=seed, budget=budget, workdir=workdir))
        for member, (config, seed, workdir) in enumerate(zip(configs, seeds, workdirs, strict=True))
    }
    while streams:
        for member in tuple(streams):
            if member not in streams:
                continue
            told: Measurement | Exception | None
            try:
                told = next(streams[member], None)
            except Exception as error:  # noqa: BLE001 - a member's own failure
                told = error
            if not isinstance(told, Measurement):
                del streams[member]
            if told is not None:
                for stopped in (yield member, told) or ():
                    streams.pop(stopped, None)
