"""`Cost`: how many trials a plan still needs, and for how long, by the ledger's own times."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from cbablate.analysis.standing import Standing
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import ArmFact, TrialFact
from cbablate.records.history import History
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState

__all__ = ["Cost", "TuningCost", "cost", "tuning_cost"]


@dataclass(frozen=True)
class Cost:
    """What a plan asks for, and what of it is left.

    `seconds` is the time left on one slot, None where nothing tells; `basis` says in words what
    it rests on.
    """

    trials: int
    left: int
    budget: int
    budget_left: int
    seconds: float | None
    basis: str


def cost(plan: Plan, facts: Recorded) -> Cost:
    """The cost of a plan, given what its ledger has seen.

    A trial is taken to last as the median completed trial of its arm did, a unit of budget for a
    unit of budget; an arm that has none, as the median of all arms of this workload that have.
    """
    book = Book.of(facts)
    past = book.histories
    unknown = History(trial="")
    left = [trial for trial in plan.trials if not past.get(trial.id, unknown).settled]
    budget = plan.study.budget.amount
    rates = _rates(plan, book)
    seconds: float | None = None
    basis = (
        f"no completed trial of {plan.description.name} tells how long one takes; "
        "after the first, this does"
    )
    if not left:
        seconds, basis = 0.0, "nothing is left to train"
    elif rates:
        typical = statistics.median(rates.values())
        seconds = sum(rates.get(trial.arm, typical) * budget for trial in left)
        own = len({trial.arm for trial in left} & rates.keys())
        basis = (
            f"from completed trials of {own} of the {len({t.arm for t in left})} arms concerned"
            if own
            else f"from completed trials of other arms of {plan.description.name}"
        )
    return Cost(
        trials=len(plan.trials),
        left=len(left),
        budget=len(plan.trials) * budget,
        budget_left=len(left) * budget,
        seconds=seconds,
        basis=basis,
    )


@dataclass(frozen=True)
class Share:
    """Trials and their budget, and what of both is left."""

    trials: int
    left: int
    budget: int
    budget_left: int


@dataclass(frozen=True)
class TuningCost:
    """What a study that tunes asks for beyond its arms as written; at most, as a pruner may save.

    `search` counts tuning trials over all arms. `confirm` counts replicates at tuned
    hyperparameters, those of arms that have none yet among them. `tuned` searches have chosen them.
    `seconds` is the time left on one slot for these and for the arms as written together.
    """

    search: Share
    confirm: Share
    tuned: int
    seconds: float | None
    basis: str


def tuning_cost(plan: Plan, facts: Recorded) -> TuningCost:
    """The cost of tuning a plan's arms and of confirming what is found, by what has been seen.

    What is left of a search is taken to spend its whole budget, as nothing tells beforehand what
    a pruner will stop.
    """
    now = Standing(plan, facts)
    searched = now.tunings
    budget = plan.study.budget.amount
    ended = sum(one.complete + one.pruned + one.failed for one in searched)
    given = sum(one.wanted for one in searched)
    past, unknown = now.histories, History(trial="")
    done = sum(past.get(trial.id, unknown).settled for trial in now.confirmations.trials)
    fresh = len(plan.arms) * plan.study.most_replicates
    own = cost(plan, now.book)
    left = (given - ended) + (fresh - done)
    rates = _rates(plan, now.book)
    seconds = None
    if not left:
        seconds = own.seconds
    elif rates:
        typical = statistics.median(rates.values()) * budget
        seconds = None if own.seconds is None else own.seconds + left * typical
    return TuningCost(
        search=Share(given, given - ended, given * budget, (given - ended) * budget),
        confirm=Share(fresh, fresh - done, fresh * budget, (fresh - done) * budget),
        tuned=len(now.proposals),
        seconds=seconds,
        basis=own.basis if own.left or not left else "from completed trials of this workload",
    )


def _rates(plan: Plan, book: Book) -> dict[str, float]:
    """Median seconds for a unit of this plan's budget, by arm, over arms of its workload."""
    unit = plan.study.budget.unit
    ours: set[str] = set()
    seconds: dict[str, list[float]] = {}
    past = book.histories
    for fact in book.facts:
        if fact.kind == "arm" and ArmFact.of(fact).workload == plan.description.name:
            ours.add(fact.subject)
        if fact.kind == "trial" and (trial := TrialFact.of(fact)).arm in ours:
            if unit not in trial.budget:
                continue
            history = past.get(fact.subject)
            if history and history.last and history.state is TrialState.COMPLETE:
                per_unit = _per_unit(history, history.last)
                if per_unit is not None:
                    seconds.setdefault(trial.arm, []).append(per_unit)
    return {arm: statistics.median(values) for arm, values in seconds.items()}


def _per_unit(history: History, last: Measurement) -> float | None:
    """Seconds for a unit of budget: as the trial measured them, else by the driver's clock.

    A trial that went on from a checkpoint spent what lies before it in another attempt. None where
    the clock was set back meanwhile.
    """
    if last.seconds > 0:
        return last.seconds / last.spent
    spent, taken = last.spent - history.reached, history.ended - history.began
    return taken / spent if spent > 0 and taken >= 0 else None
