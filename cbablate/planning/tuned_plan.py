"""What a study's plan becomes as its searches end: confirmations, and the rows of its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cbablate.fingerprint import fingerprint
from cbablate.planning.arm import Arm, arm_id
from cbablate.planning.plan import Plan
from cbablate.planning.search import searches
from cbablate.planning.trial import Trial, trial_of
from cbablate.spec.loading.changes import apply
from cbablate.spec.sweep import Proposal

__all__ = ["confirmed", "tuned_rows", "versus_fixed"]

_Tuned = Mapping[tuple[str, int], Arm]
"""Arms at what a search chose, by the id of the arm as planned and the search's index."""


def confirmed(plan: Plan, proposals: Mapping[str, Proposal]) -> Plan:
    """The plan in which each arm has its own best hyperparameters, trained from fresh seeds.

    `proposals` are by the id of the search. Arms that have none yet keep their place and their
    config, without trials. Replicates have the seeds they have in the plan as written. An arm that
    is searched several times is here once for each config that its searches chose.
    """
    tuned = _tuned(plan, proposals)
    arms = _once(plan, tuned) if plan.study.searches == 1 else _apart(plan, tuned)
    return replace(
        plan, arms=tuple(arms), trials=_trials(plan, tuned), searches=plan.study.searches
    )


def tuned_rows(plan: Plan, proposals: Mapping[str, Proposal]) -> Plan:
    """The plan whose arms are the rows of a table of tuned arms.

    With one search for each arm these are the arms as confirmed. With several, an arm is the one
    that was planned, and its trials, which keep their ids, are at what each search chose.
    """
    if plan.study.searches == 1:
        return confirmed(plan, proposals)
    tuned = _tuned(plan, proposals)
    place = {(tuned[key].id, key[1]): key[0] for key in tuned}
    many = plan.study.searches
    trials = tuple(
        replace(trial, arm=place[trial.arm, trial.replicate % many])
        for trial in _trials(plan, tuned)
    )
    return replace(plan, trials=trials, searches=many)


def versus_fixed(plan: Plan, proposals: Mapping[str, Proposal]) -> Plan:
    """The plan that compares a single arm's tuned hyperparameters with those as written.

    Its arms are called `fixed`, the reference, and `tuned`; while there is no proposal, and where
    the best is what was written, the first stands alone. For a study without factors.

    With one search, what is compared are two configs, fixed before their trials: so the plan does
    not count it among its `searches`.
    """
    (arm,) = plan.arms
    tuned, many = _tuned(plan, proposals), plan.study.searches
    fixed = replace(arm, name="fixed")
    if all(one.id == arm.id for one in tuned.values()):
        return replace(plan, arms=(fixed,))
    row = tuned[arm.id, 0] if many == 1 else replace(arm, id=fingerprint({"tuned": arm.id}))
    row = replace(row, name="tuned", against=arm.id)
    found = {trial.replicate: replace(trial, arm=row.id) for trial in _trials(plan, tuned)}
    trials = tuple(
        trial
        for written in plan.trials
        for trial in (written, found.get(written.replicate))
        if trial is not None
    )
    return replace(plan, arms=(fixed, row), trials=trials, searches=many if many > 1 else 0)


def _tuned(plan: Plan, proposals: Mapping[str, Proposal]) -> _Tuned:
    found: dict[tuple[str, int], Arm] = {}
    for search in searches(plan):
        if search.id in proposals:
            config = plan.description.resolve(apply(search.arm.config, proposals[search.id]))
            found[search.arm.id, search.index] = replace(
                search.arm,
                id=arm_id(config, plan.description),
                config=config,
                needs=plan.description.needs(config),
            )
    return found


def _trials(plan: Plan, tuned: _Tuned) -> tuple[Trial, ...]:
    """The confirmations, all arms of one replicate before the next."""
    study = plan.study
    return tuple(
        trial_of(one, replicate, seed=study.seed, budget=study.budget)
        for replicate in range(study.most_replicates)
        for arm in plan.arms
        if (one := tuned.get((arm.id, replicate % study.searches))) is not None
    )


def _once(plan: Plan, tuned: _Tuned) -> Sequence[Arm]:
    """The arms, each at what its one search chose, or as written."""
    found = {arm.id: tuned.get((arm.id, 0), arm) for arm in plan.arms}
    return [
        replace(one, against=None if one.against is None else found[one.against].id)
        for one in found.values()
    ]


def _apart(plan: Plan, tuned: _Tuned) -> Sequence[Arm]:
    """The arms at what their searches chose; searches that chose alike have one between them."""
    found: dict[str, Arm] = {}
    for (_, index), one in tuned.items():
        against = tuned.get((one.against or "", index))
        name = f"{one.name}, search #{index}"
        if one.id in found:
            name = f"{found[one.id].name} and #{index}"
        found[one.id] = replace(one, name=name, against=against.id if against else None)
    return [*found.values()]
