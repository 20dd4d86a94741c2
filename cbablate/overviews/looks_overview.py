"""What a person reads of a study whose number of replicates grows, before it ends."""

from __future__ import annotations

from cbablate.analysis.cost import cost
from cbablate.analysis.course import looks_of
from cbablate.analysis.standing import Standing
from cbablate.phrases import amount, counted, duration
from cbablate.planning.plan import Plan
from cbablate.reporting.sentences.sequential_note import progress

__all__ = ["cost_lines", "look_lines", "standing_lines"]


def look_lines(plan: Plan) -> list[str]:
    """How a study looks; nothing of one with a fixed number of replicates."""
    looks, grows = looks_of(plan), plan.study.sequential
    if looks is None or grows is None:
        return []
    early = "" if looks.fewest == grows.min else " (fewer cannot be claimed)"
    return [
        f"Looks at the differences after {looks.fewest} replicates{early} and after each further "
        f"one, to {looks.most}; an arm that is decided gets no more, the reference as many as the "
        "last open arm.",
    ]


def cost_lines(standing: Standing) -> list[str]:
    """What is finished, and what is to be trained at least and at most."""
    now, most = (cost(plan, standing.book) for plan in (standing.asked, standing.may_come))
    unit = standing.plan.study.budget.unit
    lines = [
        f"Finished: {now.trials - now.left} of the {now.trials} trials that are asked for so far. "
        f"To train: {counted(now.left, 'trial')} to the next look, "
        f"{amount(now.budget_left, unit)}; {most.left} at most, {amount(most.budget_left, unit)}."
    ]
    if now.seconds is None or most.seconds is None:
        lines.append(f"Time: unknown; {most.basis}.")
    elif most.left:
        lines.append(
            f"Time: about {duration(now.seconds)} to the next look and {duration(most.seconds)} at "
            f"most, one trial after another, on N slots an N-th of it ({most.basis})."
        )
    return lines


def standing_lines(standing: Standing) -> list[str]:
    """How many looks were taken, who is decided, and how many trials may still come."""
    at = standing.course
    if at is None:
        return []
    names = {arm.id: arm.name for arm in standing.plan.arms}
    width = max(map(len, names.values()))
    lines = ["", f"Looks: {progress(at)}."]
    for arm, one in at.decisions.items():
        word = one.claim or ("open" if arm in at.open else "undecided at the last look")
        lines.append(f"  {names[arm]:<{width}}  {word}, {counted(one.replicates, 'replicate')}")
    may = len(standing.may_come.trials) - len(standing.asked.trials)
    if may:
        lines.append(f"At most {counted(may, 'further trial')} may be asked for.")
    if at.beyond:
        lines.append(
            f"Not used, as no look has asked for them: {counted(at.beyond, 'complete trial')}."
        )
    return lines
