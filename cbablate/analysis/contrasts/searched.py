"""Contrasts of arms that were tuned, each with what it must say of the searches behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.contrasts.replicates import Replicates

__all__ = ["searched"]


def searched(
    family: Sequence[Contrast], arms: Sequence[Sequence[str]], replicates: Replicates, metric: str
) -> list[Contrast]:
    """The contrasts in a metric, made of the values that replicates have of it; `arms` are the ids
    of those that each is of, the arm and what it is compared with.
    """
    if replicates.searches < 2:
        return [replace(one, searches=replicates.searches) for one in family]
    return [
        replace(
            one,
            searches=replicates.searches,
            replicates=replicates.shared(metric, of),
        )
        for of, one in zip(arms, family, strict=True)
    ]
