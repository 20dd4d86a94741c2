"""Rates measured fairly: everything under comparison in turn, round after round."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from math import ceil

__all__ = ["rates"]

_WARM_UP = 3


def rates(
    steps: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    seconds: float = 0.3,
    synchronize: Callable[[], object] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Calls a second of each step by name, one value a round.

    Each step is warmed up and timed once to learn how many calls fill `seconds`. Then every round
    times all of them, starting one further each time, so that a machine which slows down or
    heats up slows all alike. `synchronize` waits until the device has done what it was given.
    """
    names = list(steps)
    calls = {name: _calls(steps[name], seconds, synchronize, clock) for name in names}
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names) if names else 0
        for name in names[first:] + names[:first]:
            steps[name]()  # its weights and code are in the caches again
            taken = _taken(steps[name], calls[name], synchronize, clock)
            found[name].append(calls[name] / taken)
    return found


def _calls(
    step: Callable[[], object],
    seconds: float,
    synchronize: Callable[[], object],
    clock: Callable[[], float],
) -> int:
    for _ in range(_WARM_UP):
        step()
    count = 1
    while (taken := _taken(step, count, synchronize, clock)) < seconds / 10:
        count *= 4
    return max(2, ceil(count * seconds / taken))


def _taken(
    step: Callable[[], object],
    calls: int,
    synchronize: Callable[[], object],
    clock: Callable[[], float],
) -> float:
    synchronize()
    began = clock()
    for _ in range(calls):
        step()
    synchronize()
    return clock() - began
