"""Trials that a study has made of its arms as their config was before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cbablate.fingerprint import canonical
from cbablate.phrases import first_few
from cbablate.planning.plan import Plan
from cbablate.records.facts import ArmFact, StudyFact, TrialFact
from cbablate.records.history import History
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from cbablate.spec.loading.changes import flatten

__all__ = ["complete_trials", "earlier_configs", "last_of"]


def earlier_configs(
    plan: Plan, facts: Iterable[Record], told: Mapping[str, History]
) -> Iterator[str]:
    """A sentence about completed trials of arms that have another config by now.

    Of arms that the study still has by their names, and made by the present code. What a search
    chose for an arm is no edit of the study, so tuned studies are passed by.
    """
    if plan.study.tune is not None:
        return
    ours = {arm.name: arm.config for arm in plan.arms}
    before, of = dict[str, ArmFact](), dict[str, str]()
    asked: set[str] = set()
    for fact in facts:
        if fact.kind == "arm":
            before[fact.subject] = ArmFact.of(fact)
        elif fact.kind == "trial":
            of[fact.subject] = TrialFact.of(fact).arm
        elif fact.kind == "study" and fact.subject == plan.study.name:
            asked.update(StudyFact.of(fact).trials)
    made_by = (plan.description.name, plan.description.version)
    ended: list[float] = []
    ways = dict[str, None]()
    for trial in sorted(asked.difference(one.id for one in plan.trials)):
        arm, history = before.get(of.get(trial, "")), told.get(trial)
        if arm is None or arm.name not in ours or (arm.workload, arm.version) != made_by:
            continue
        if history is None or history.state is not TrialState.COMPLETE:
            continue
        differences = dict.fromkeys(_differences(arm.config, ours[arm.name]))
        if differences:
            ways.update(differences)
            ended.append(history.ended)
    if ended:
        yield (
            f"{complete_trials(ended)} made with another config ({first_few(ways)}; the last "
            f"{last_of(ended)}); they are kept, and count again if the config is put back."
        )


def _differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """How a config differs from what it is now, key by key: `without foo`."""
    ours, theirs = dict(flatten(was)), dict(flatten(now))
    for key in dict.fromkeys((*ours, *theirs)):
        if key not in ours:
            yield f"without {key}"
        elif key not in theirs:
            yield f"with {key}"
        elif canonical({"": ours[key]}) != canonical({"": theirs[key]}):
            yield f"with another {key}"


def last_of(ended: Sequence[float]) -> str:
    """When the last of some trials ended."""
    return datetime.fromtimestamp(max(ended), UTC).strftime("%Y-%m-%d %H:%M UTC")


def complete_trials(ended: Sequence[float]) -> str:
    """The subject of a sentence about complete trials, by when each ended."""
    return "1 complete trial was" if len(ended) == 1 else f"{len(ended)} complete trials were"
