"""Whose turn it is: how many trials each search gets, and which one proposes next."""

from __future__ import annotations

from collections.abc import Sequence

from cbablate.spec.sweep import Sweep

__all__ = ["most_each", "turn", "wanted"]


def most_each(sweep: Sweep, searches: int) -> int:
    """How many trials each search gets at most; a total is shared out equally."""
    if sweep.stop is None or sweep.stop.trials is None:
        return sweep.trials
    return min(sweep.trials, max(1, sweep.stop.trials // searches))


def wanted(
    sweep: Sweep, proposed: Sequence[int], *, hours: float = 0.0, gpu_hours: float = 0.0
) -> int:
    """How many trials each search gets, as things stand.

    Once a total of hours is spent, as many as the search that has most, so that all end with the
    same number.

    Args:
        sweep: what says how many, and when to stop.
        proposed: how many each search has.
        hours: spent by the ended tuning trials of all arms, one slot each.
        gpu_hours: likewise, each counted by its share of GPUs.
    """
    limit, stop = most_each(sweep, len(proposed)), sweep.stop
    reached = stop is not None and (
        (stop.hours is not None and hours >= stop.hours)
        or (stop.gpu_hours is not None and gpu_hours >= stop.gpu_hours)
    )
    return min(limit, max(proposed, default=0)) if reached else limit


def turn(
    sweep: Sweep, proposed: Sequence[int], *, hours: float = 0.0, gpu_hours: float = 0.0
) -> int | None:
    """The index of the search that proposes next, the first of those that have least; None if none.

    Searches take turns, so that at no time has one been given two trials more than another.
    """
    fewest = min(range(len(proposed)), key=lambda index: proposed[index], default=None)
    if fewest is None:
        return None
    most = wanted(sweep, proposed, hours=hours, gpu_hours=gpu_hours)
    return fewest if proposed[fewest] < most else None
