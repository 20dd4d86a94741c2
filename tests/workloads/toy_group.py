"""A workload that trains a group at once: one array of weights, a row for each member."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget

WIDTH, EXAMPLES = 4, 16


def run(
    config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path
) -> Iterator[Measurement]:
    """One training, which is a group of one."""
    for _, item in together([config], seeds=[seed], budget=budget, workdirs=[workdir]):
        if isinstance(item, Exception):
            raise item
        yield item


def together(
    configs: Sequence[Mapping[str, Any]],
    *,
    seeds: Sequence[int],
    budget: Budget,
    workdirs: Sequence[Path],
) -> Generator[tuple[int, Measurement | Exception], Collection[int], None]:
    """Least squares by gradient descent, all members in one step of arithmetic.

    `rate` is the length of a step; one below 0 is refused after the first epoch.
    """
    drawn = [np.random.default_rng(seed) for seed in seeds]
    inputs = np.stack([rng.normal(size=(EXAMPLES, WIDTH)) for rng in drawn])
    targets = np.stack([rng.normal(size=EXAMPLES) for rng in drawn])
    rates = np.array([config["rate"] for config in configs])
    weights = np.zeros((len(configs), WIDTH))
    left = set(range(len(configs)))
    for epoch in range(1, budget.amount + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            errors = (inputs * weights[:, None, :]).sum(-1) - targets
            weights -= rates[:, None] * (errors[:, :, None] * inputs).mean(1)
            losses = (errors**2).mean(1)
        for member in sorted(left):
            if member not in left:
                continue
            item: Measurement | Exception = Measurement(
                spent=epoch, metrics={"val/score": -float(losses[member])}
            )
            if rates[member] < 0 and epoch > 1:
                item = ValueError(f"a step of {rates[member]:g} leads upwards")
                left.discard(member)
            left -= set((yield member, item) or ())
        if not left:
            return
