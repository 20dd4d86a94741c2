"""Trials of a study that an earlier version of its code, or of a measure, has made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cbablate.fingerprint import canonical
from cbablate.planning.plan import Plan
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
    bodies: dict[str, Mapping[str, Any]] = {}
    asked: set[str] = set()
    searches: dict[str, str] = {}
    for fact in facts:
        if fact.kind == "arm" and fact.body.get("workload") == plan.description.name:
            versions[fact.subject] = str(fact.body.get("version"))
        elif fact.kind == "trial":
            bodies[fact.subject] = fact.body
        elif fact.kind == "study" and fact.subject == plan.study.name:
            asked.update(fact.body.get("trials", ()))
            searches.update(fact.body.get("searches", {}))
    ended: dict[str, list[float]] = {}
    for trial, body in bodies.items():
        search = str(body.get("search", ""))
        if trial not in asked and search not in searches:
            continue
        arm = searches.get(search) or str(body.get("arm"))
        version = versions.get(arm, plan.description.version)
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
            arm = asked.get(canonical(fact.body.get("config", {})))
            known = (plan.description.name, plan.description.version)
            same = (fact.body.get("workload"), fact.body.get("version")) == known
            if arm and same and fact.body.get("data") == plan.description.data(arm.config):
                former[fact.subject] = arm.name
        elif fact.kind == "trial" and fact.body.get("arm") in former:
            history = told.get(fact.subject)
            if history is not None and history.state is TrialState.COMPLETE:
                ended.setdefault(former[str(fact.body["arm"])], []).append(history.ended)
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
