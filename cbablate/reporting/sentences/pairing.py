"""Pairing notes: what is paired, what that gained, and who could not be paired."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.summary import Summary
from cbablate.phrases import first_few
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Number
from cbablate.statistics.power import FEWEST_PAIRS

__all__ = ["WELCH", "apart", "gain", "pair_word", "several", "units_paired"]

WELCH = "‡"
"""The mark of a difference that no seed is behind on both sides."""
_HARDLY = 1.05


def pair_word(plan: Plan) -> str:
    """What is paired: seeds; of arms that are searched more than once, searches."""
    return "search" if plan.searches > 1 else "seed"


def several(plan: Plan) -> str:
    """The same, of more than one."""
    return "searches" if plan.searches > 1 else "seeds"


def units_paired(summary: Summary) -> str:
    """What is paired, in words of the method."""
    several = summary.replicates.searches > 1
    return "search, each the mean over its replicates" if several else "replicate"


def gain(plan: Plan, found: Sequence[Contrast]) -> Iterator[str]:
    """What pairing gained.

    Two pairs always have a correlation of 1 or -1, and of 5 pairs without any the 95 % interval
    reaches from -0.88 to 0.88: below `FEWEST_PAIRS` nothing is said.
    """
    how, word = plan.study.analysis, pair_word(plan)
    enough = [one for one in found if one.n >= FEWEST_PAIRS]
    gains = [one.gain for one in enough if one.gain is not None]
    if gains and how.correction != "dunnett" and how.interval == "t":
        alike = [one.correlation for one in enough if one.correlation is not None]
        typically = statistics.median(gains)
        how_alike = (
            f" (correlation of paired {several(plan)} {Number(statistics.median(alike), 2).plain})"
            if alike
            else ""
        )
        typical = "median of the comparisons" if len(gains) > 1 else "one comparison"
        if len(enough) < len(found):
            typical += f" of {FEWEST_PAIRS} or more pairs"
        times, way = max(typically, 1 / typically), "shorter" if typically > 1 else "longer"
        words = "as long as without it" if times < _HARDLY else f"{times:.1f} times {way}"
        yield f"Pairing by {word} made the intervals of Δ {words}{how_alike}; {typical}."


def apart(summary: Summary) -> Iterator[str]:
    """Who could not be paired."""
    primary = summary.primary
    those = [
        one.arm.name
        for one in summary.arms
        if primary in one.contrasts
        and not one.contrasts[primary].paired
        and one.contrasts[primary].p is not None
    ]
    if those:
        yield (
            f"{WELCH}: not paired, as no seed is shared (Welch's t test and t-interval instead): "
            f"{first_few(those)}."
        )
