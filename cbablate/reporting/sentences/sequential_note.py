"""What is said of looks: the sentences of a study whose number of replicates grows."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.analysis.course import Course
from cbablate.analysis.summary import Summary
from cbablate.phrases import first_few
from cbablate.planning.plan import Plan
from cbablate.statistics.power import ALPHA

__all__ = ["VIEW_NOTE", "looks_method", "looks_notes", "progress", "stopped_early"]

VIEW_NOTE = (
    "The number of replicates was not fixed but grew until arms were decided; intervals and p "
    "values of this table do not allow for that."
)
"""Under tables whose numbers are not corrected for looking."""
_CLAIMS = {"differs": "differs", "equivalent": "no larger difference"}


def looks_method(family: int) -> str:
    """The line that names test, family and interval."""
    return (
        "Differences paired by replicate; two-sided paired t tests at group-sequential looks "
        "(Lan and DeMets 1983, O'Brien-Fleming spending), sequential p values; Sidak over the "
        f"metric's comparisons, {family} of them; simultaneous repeated 95 % confidence intervals"
    )


def looks_notes(plan: Plan, summary: Summary) -> Iterator[str]:
    """Which procedure, how far it has come, who is decided, and what is left out."""
    at = summary.course
    if at is None:
        return
    yield (
        f"Replicates: sequential, {plan.study.replicates}. {progress(at)} (spending function of "
        "O'Brien and Fleming's type, Lan and DeMets 1983). An arm that is decided gets no further "
        "seeds."
    )
    names = {arm.id: arm.name for arm in plan.arms}
    decided = [
        f"{names[arm]} ({_CLAIMS[one.claim]}, {one.replicates} seeds)"
        for arm, one in at.decisions.items()
        if one.claim is not None
    ]
    if decided:
        yield f"Decided: {first_few(decided)}. {stopped_early(summary)}"
    ended = [names[a] for a, one in at.decisions.items() if one.claim is None and a not in at.open]
    if ended and all(at.looked[arm] == at.looks.most for arm in at.decisions if arm not in at.open):
        yield f"Undecided after all {at.looks.most} seeds: {first_few(ended)}."
    if at.beyond:
        one = at.beyond == 1
        yield (
            f"Not used: {at.beyond} complete trial{'' if one else 's'} that no look has asked for; "
            f"{'it was' if one else 'they were'} trained for another study or number of replicates."
        )


def stopped_early(summary: Summary) -> str:
    """What must be known of means where an arm was decided; "" where none was."""
    at = summary.course
    if at is None or all(one.claim is None for one in at.decisions.values()):
        return ""
    return (
        "What stops early tends to look further from its reference than it is; the intervals of Δ "
        "allow for that, means alone do not."
    )


def progress(at: Course) -> str:
    """How many looks were taken, and what they spent."""
    looks = at.looks
    of = looks.most - looks.fewest + 1
    last = max(at.looked.values(), default=0)
    if not last:
        return f"No look yet, the first is at {looks.fewest} seeds; alpha spent: none"
    seeds = f"{looks.fewest}" + (f" to {last}" if at.made > 1 else "")
    least, most = (_percent(part) for part in at.spent)
    told = most if least == most else f"{least} to {most}"
    return f"{at.made} of {of} looks, at {seeds} seeds; alpha spent: {told} of {100 * ALPHA:g} %"


def _percent(part: float) -> str:
    """A part of ALPHA in per cent."""
    share = 100 * ALPHA * part
    return "less than 0.001 %" if 0 < share < 0.001 else f"{share:.2g} %"
