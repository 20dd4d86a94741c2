"""Trials of a study that an earlier version of its code, or of a measure, has made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from cbablate.fingerprint import canonical
from cbablate.planning.plan import Plan
from cbablate.records.facts import ArmFact, StudyFact, TrialFact
from cbablate.records.history import History
from cbablate.records.record import Record
from cbablate.records.state import TrialState

__all__ = ["earlier_versions"]


def earlier_versions(
    plan: Plan, facts: Iterable[Record], told: Mapping[str, History]
) -> tuple[str, ...]:
    """A sentence for each earlier version of an own workload that completed trials of this study,
    and one about arms whose measures were mended since.

    None where nothing of the plan is waiting: then the present version has its own. `told` are
    the histories of all trials in the ledger.
    """
    code, new = plan.description.code, History(trial="")
    states = [told.get(trial.id, new).state for trial in plan.trials]
    if states and all(state.ended for state in states):
        return ()
    if code is None:
        return tuple(_mended(plan, facts, told))
    versions: dict[str, str] = {}
    trials: dict[str, TrialFact] = {}
    asked: set[str] = set()
    searches: dict[str, str] = {}
    for fact in facts:
        if fact.kind == "arm" and (arm := ArmFact.of(fact)).workload == plan.description.name:
            versions[fact.subject] = arm.version
        elif fact.kind == "trial":
            trials[fact.subject] = TrialFact.of(fact)
        elif fact.kind == "study" and fact.subject == plan.study.name:
            study = StudyFact.of(fact)
            asked.update(study.trials)
            searches.update(study.searches)
    ended: dict[str, list[float]] = {}
    for trial, planned in trials.items():
        if trial not in asked and planned.search not in searches:
            continue
        of_arm = searches.get(planned.search) or planned.arm
        version = versions.get(of_arm, plan.description.version)
        history = told.get(trial, new)
        if version != plan.description.version and history.state is TrialState.COMPLETE:
            ended.setdefault(version, []).append(history.ended)
    return tuple(
        _sentence(code.file, version, ended[version])
        for version in sorted(ended, key=lambda version: max(ended[version]), reverse=True)
    )


def _mended(plan: Plan, facts: Iterable[Record], told: Mapping[str, History]) -> Iterator[str]:
    """The sentence about arms that the ledger has under another identity for the same config."""
    asked = {canonical(arm.config): arm for arm in plan.arms}
    former: dict[str, str] = {}
    ended: dict[str, list[float]] = {}
    for fact in facts:
        if fact.kind == "arm" and fact.subject not in plan.arm_of:
            before = ArmFact.of(fact)
            arm = asked.get(canonical(before.config))
            known = (plan.description.name, plan.description.version)
            same = (before.workload, before.version) == known
            if arm and same and before.data == plan.description.data(arm.config):
                former[fact.subject] = arm.name
        elif fact.kind == "trial" and (name := former.get(TrialFact.of(fact).arm)):
            history = told.get(fact.subject)
            if history is not None and history.state is TrialState.COMPLETE:
                ended.setdefault(name, []).append(history.ended)
    if ended:
        names = ", ".join(f"'{name}'" for name in ended)
        times = [at for each in ended.values() for at in each]
        yield (
            f"{_count(times)} made of {names} (until {_last(times)}) by an earlier cbablate, with "
            "a measure that was mended since; they are kept, and do not count: running the study "
            "trains these arms anew."
        )


def _sentence(file: str, version: str, ended: list[float]) -> str:
    return (
        f"{_count(ended)} made by an earlier version of {file} or of what it imports "
        f"({version[:8]}, until {_last(ended)}); they are kept, and count again if the code is "
        "put back."
    )


def _last(ended: list[float]) -> str:
    return datetime.fromtimestamp(max(ended), UTC).strftime("%Y-%m-%d %H:%M UTC")


def _count(ended: list[float]) -> str:
    return "1 complete trial was" if len(ended) == 1 else f"{len(ended)} complete trials were"
