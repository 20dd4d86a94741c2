"""What a person reads of a study's tuning: before it, while it goes on, and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.analysis.cost import Cost, TuningCost
from cbablate.analysis.searches.tuning import Tuning
from cbablate.errors import CbablateError
from cbablate.phrases import counted, duration
from cbablate.planning.analysis_rules import luck_words
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import significant
from cbablate.reporting.sentences.tuning_note import proposal_words, search_words, used_words
from cbablate.spec.sweep import Sweep
from cbablate.statistics.power import FEWEST_PAIRS, FEWEST_SEARCHES

__all__ = ["left_lines", "luck_lines", "searching_lines", "tuned_sweep", "tuning_lines"]


def tuned_sweep(plan: Plan) -> Sweep:
    """The sweep that tunes a study's arms.

    Raises:
        CbablateError: the study does not tune.
    """
    if plan.study.tune is None:
        raise CbablateError(
            f"study '{plan.study.name}' names no sweep, so there is nothing to show; "
            "`tune: ../sweeps/recipe-quick.yaml` in its file would have each arm tuned"
        )
    return plan.study.tune


def luck_lines(plan: Plan, price: TuningCost) -> Iterator[str]:
    """That too few searches let no difference be called the arm's, and what enough would cost."""
    study, words = plan.study, luck_words(plan.study, plan.arms)
    if not words:
        return
    yield words
    n = max(FEWEST_PAIRS, study.most_replicates)
    n += -n % FEWEST_SEARCHES
    more = price.search.trials // study.searches * (FEWEST_SEARCHES - study.searches)
    further = 2 * (n - study.most_replicates) * len(plan.arms)  # as written, and confirmed
    most = "at most " if study.tune and study.tune.pruner else ""
    yield (
        f"`searches: {FEWEST_SEARCHES}`{f' with `replicates: {n}`' if further else ''} would put "
        f"it in, for {counted(more, 'more tuning trial')} of {most}{study.budget}"
        f"{f' and {further} more replicates' if further else ''}."
    )
    yield ""


def tuning_lines(plan: Plan, price: TuningCost) -> Iterator[str]:
    """What tuning asks for beyond the arms as written, and that its seeds are its own."""
    study, sweep = plan.study, plan.study.tune
    if sweep is None:
        return
    arms, unit, amount = len(plan.arms), study.budget.unit, study.budget.amount
    most = "at most " if sweep.pruner else ""
    each = price.search.trials // (arms * study.searches)
    searches = f"{arms} search{'es' if arms > 1 else ''}"
    if study.searches > 1:
        searches = f"{counted(arms, 'arm')} x {study.searches} searches"
    yield (
        f"+ {searches} x {counted(each, 'trial')} = "
        f"{counted(price.search.trials, 'tuning trial')} of {most}{amount} {unit} "
        f"({most}{price.search.budget:,} {unit} in all)"
    )
    yield (
        f"+ {counted(arms, 'arm')} x {study.most_replicates} confirmations at each "
        f"{'arm' if study.searches == 1 else 'search'}'s best = "
        f"{counted(price.confirm.trials, 'trial')} of {amount} {unit} "
        f"({price.confirm.budget:,} {unit} in all)"
    )
    yield ""
    yield f"Sweep {sweep.name} over {', '.join(sweep.space)}: {search_words(sweep)}."
    yield (
        f"The {counted(sweep.trials * study.searches, 'tuning seed')} and the "
        f"{study.most_replicates} seeds of replicates are disjoint (compared one by one); "
        "replicates at fixed and at tuned hyperparameters share theirs, so they pair."
    )


def left_lines(plan: Plan, price: Cost, tuning: TuningCost) -> Iterator[str]:
    """What is finished of each kind of trial, and what the rest costs."""
    unit, most = plan.study.budget.unit, "at most " if plan.study.tune else ""
    kinds = (
        ("as written", price.trials, price.left),
        ("tuning", tuning.search.trials, tuning.search.left),
        ("confirmations", tuning.confirm.trials, tuning.confirm.left),
    )
    done = ", ".join(f"{trials - left} of {trials} {word}" for word, trials, left in kinds)
    yield f"Finished: {done}."
    left = sum(kind[2] for kind in kinds)
    if not left:
        yield "Nothing is left to train."
        return
    spent = price.budget_left + tuning.search.budget_left + tuning.confirm.budget_left
    yield f"To train: {most}{counted(left, 'trial')}, {most}{spent:,} {unit}."
    if tuning.seconds is None:
        yield f"Time: unknown; {tuning.basis}."
    else:
        yield (
            f"Time: {most}about {duration(tuning.seconds)} one trial after another, on N slots an "
            f"N-th of it ({tuning.basis})."
        )


def searching_lines(found: Sequence[Tuning]) -> Iterator[str]:
    """How far each arm's search is, and the best it has found."""
    width = max((len(one.search.name) for one in found), default=0)
    yield "Searches:"
    yield ""
    for one in found:
        yield f"  {one.search.name:<{width}}  {used_words(one)} of {one.wanted}{_best(one)}"


def _best(one: Tuning) -> str:
    if one.best is None or one.best.values is None:
        return "; nothing usable yet" if one.attempts else ""
    metric = one.search.objectives[one.decides].metric
    value = one.best.values[one.decides]
    stands = "best" if one.over else "best so far"
    return f"; {stands} {metric} {significant(value, 6)} at {proposal_words(one.best.proposal)}"
