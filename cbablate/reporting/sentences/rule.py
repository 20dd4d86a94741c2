"""The rule of claims in words: when a difference is claimed, and which tests decide that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.planning.plan import Plan
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS, FEWEST_SEARCHES
from cbablate.statistics.sign_flip import MOST_PAIRS

__all__ = ["DAGGER", "claim_rule", "decider", "fewest_words", "mark_words", "short_mark"]

DAGGER = "†"
"""The mark of a difference that is claimed (`Finding.sure`), and of no other."""
Decider = Literal["t", "both", "mixed"]
_AGREES: dict[Decider, str] = {
    "t": "",
    "both": ", and the exact sign-flip test agrees",
    "mixed": f", and, of {FEWEST_PAIRS} to {MOST_PAIRS} pairs, the exact sign-flip test agrees",
}
_BRIEFLY: dict[Decider, str] = {
    "t": "",
    "both": ", and by sign flips",
    "mixed": f", and by sign flips of {FEWEST_PAIRS} to {MOST_PAIRS} pairs",
}


def decider(plan: Plan, found: Sequence[Contrast]) -> Decider:
    """Who decides on these contrasts: the t test alone, it and the sign flips, or one or the other
    by the number of pairs.

    Alone it decides where looks are taken, below `FEWEST_PAIRS` searches and above `MOST_PAIRS`
    pairs (`analysis.verdict`). Where no contrast has enough for a finding, what is planned says.
    """
    if plan.study.sequential is not None:
        return "t"
    units = plan.searches if plan.searches > 1 else max(plan.study.most_replicates, FEWEST_PAIRS)
    counts = [one.n for one in found if one.enough] or [units]
    flipped = [FEWEST_PAIRS <= n <= MOST_PAIRS for n in counts]
    if all(flipped):
        return "both"
    return "mixed" if any(flipped) else "t"


def claim_rule(plan: Plan, found: Sequence[Contrast]) -> str:
    """When a difference is claimed."""
    return f"adjusted p < {ALPHA}{_AGREES[decider(plan, found)]}"


def mark_words(plan: Plan, found: Sequence[Contrast]) -> str:
    """What the mark means, as a sentence."""
    return f"{DAGGER}: {claim_rule(plan, found)}."


def short_mark(plan: Plan, found: Sequence[Contrast]) -> str:
    """What the mark means, as a part of a sentence."""
    return f"{DAGGER}: p < {ALPHA}{_BRIEFLY[decider(plan, found)]}"


def fewest_words(plan: Plan) -> str:
    """Below which numbers nothing is claimed: `below 6 pairs`."""
    if plan.searches > 1:
        searches = f"below {FEWEST_SEARCHES} searches of each arm"
        return f"{searches}, or {FEWEST_PAIRS} pairs of replicates,"
    return f"below {FEWEST_PAIRS} pairs"
