"""Trials of a study that an earlier version of its code has made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cbablate.planning.plan import Plan
from cbablate.records.history import History
from cbablate.records.record import Record
from cbablate.records.state import TrialState

__all__ = ["earlier_versions"]


def earlier_versions(
    plan: Plan, facts: Iterable[Record], told: Mapping[str, History]
) -> tuple[str, ...]:
    """A sentence for each earlier version of an own workload that completed trials of this study.

    None where nothing of the plan is waiting: then the present version has its own. `told` are
    the histories of all trials in the ledger.
    """
    code, new = plan.description.code, History(trial="")
    states = [told.get(trial.id, new).state for trial in plan.trials]
    if code is None or (states and all(state.ended for state in states)):
        return ()
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


def _sentence(file: str, version: str, ended: list[float]) -> str:
    last = datetime.fromtimestamp(max(ended), UTC).strftime("%Y-%m-%d %H:%M UTC")
    trials = "1 complete trial was" if len(ended) == 1 else f"{len(ended)} complete trials were"
    return (
        f"{trials} made by an earlier version of {file} or of what it imports ({version[:8]}, "
        f"until {last}); they are kept, and count again if the code is put back."
    )
