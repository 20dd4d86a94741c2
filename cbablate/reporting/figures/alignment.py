"""`alignment_figure`: how alike arms' layers are to their reference's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbablate.analysis.measures.alignment import alignments
from cbablate.analysis.summary import Summary
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.reporting.figures.figure import line_figure
from cbablate.statistics.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["alignment_figure"]


def alignment_figure(plan: Plan, summary: Summary) -> Figure:
    """CKA by layer: each reference with itself at other seeds, and its arms with it.

    Raises:
        CbablateError: no trial has left what it takes, or nothing can be set against anything.
    """
    panels: dict[str, dict[str, list[tuple[float, Estimate]]]] = {}
    found = [one for one in alignments(plan, summary) if one.layers]
    if not found:
        raise CbablateError("no arm's layers can be set against its reference's")
    several = len({one.against for one in found}) > 1
    for one in found:
        title = f"with {plan.arm_of[one.against].name}" if several else ""
        label = f"{plan.arm_of[one.arm].name}{', other seed' if one.yardstick else ''}"
        places = list(enumerate(one.layers))
        panels.setdefault(title, {})[label] = [(float(place), layer) for place, layer in places]
    up = "CKA with the reference" if several else f"CKA with {plan.arm_of[found[0].against].name}"
    return line_figure(panels, along="Layer", up=up)
