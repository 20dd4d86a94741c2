"""Trials of a study that an earlier version of its code, of its data or of a measure has made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cbablate.analysis.provenance.earlier_configs import (
    complete_trials,
    earlier_configs,
    last_of,
)
from cbablate.fingerprint import canonical
from cbablate.phrases import listed
from cbablate.planning.plan import Plan
from cbablate.records.facts import ArmFact, StudyFact, TrialFact
from cbablate.records.history import History
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from cbablate.spec.code import Code
from cbablate.spec.description import Description

__all__ = ["earlier_versions"]


_NAMED = 4
"""The most files that a sentence names as those of which one was edited."""
_DIGEST = re.compile(r"[0-9a-f]{20}")


class _Made(NamedTuple):
    """What a trial was made by: a workload, its version, its data."""

    workload: str
    version: str
    data: str


@dataclass(frozen=True)
class _Known:
    """What a ledger has of trials, and of this study.

    `data_now` is the data of an arm as they are now, where a config names files. `words` are the
    workload as the study's file said it, by the trials and searches that it asked for then.
    """

    made: dict[str, _Made] = field(default_factory=dict)
    data_now: dict[str, str] = field(default_factory=dict)
    trials: dict[str, TrialFact] = field(default_factory=dict)
    searches: dict[str, str] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=dict)


def earlier_versions(
    plan: Plan, facts: Sequence[Record], told: Mapping[str, History]
) -> tuple[str, ...]:
    """A sentence for each earlier version of an own workload, or of its data, that completed trials
    of this study, one about arms whose measures were mended since, and one about arms whose config
    was another.

    None where nothing of the plan is waiting: then the present version has its own. `told` are
    the histories of all trials in the ledger.
    """
    described, new = plan.description, History(trial="")
    states = [told.get(trial.id, new).state for trial in plan.trials]
    if states and all(state.ended for state in states):
        return ()
    configs = earlier_configs(plan, facts, told)
    if described.own is None:
        return (*_mended(plan, facts, told), *configs)
    known = _known(plan, facts)
    data = described.data(plan.arms[0].config) if plan.arms else ""
    now = _Made(described.name, described.version, data)
    ended: dict[_Made, list[float]] = {}
    mapping = plan.study.model_dump(mode="json")["workload"]
    same_words: dict[_Made, bool] = {}
    for trial, planned in known.trials.items():
        if trial not in known.words and planned.search not in known.words:
            continue
        by = known.searches.get(planned.search) or planned.arm
        made, history = known.made.get(by, now), told.get(trial, new)
        current = now._replace(data=known.data_now.get(by, data))
        if made != current and history.state is TrialState.COMPLETE:
            same_code = made[:2] == now[:2]
            made = made if same_code else made._replace(data="")
            ended.setdefault(made, []).append(history.ended)
            words = known.words.get(planned.search or trial)
            same = isinstance(mapping, dict) and mapping == words
            same_words[made] = same_words.get(made, True) and same
    latest_first = sorted(ended, key=lambda made: max(ended[made]), reverse=True)
    return (
        *(_sentence(described, made, now, ended[made], same_words[made]) for made in latest_first),
        *configs,
    )


def _known(plan: Plan, facts: Iterable[Record]) -> _Known:
    described, known = plan.description, _Known()
    for fact in facts:
        if fact.kind == "arm":
            arm = ArmFact.of(fact)
            known.made[fact.subject] = _Made(arm.workload, arm.version, arm.data)
            if described.program is not None and arm.workload == described.name:
                known.data_now[fact.subject] = described.data(arm.config)
        elif fact.kind == "trial":
            known.trials[fact.subject] = TrialFact.of(fact)
        elif fact.kind == "study" and fact.subject == plan.study.name:
            study = StudyFact.of(fact)
            known.searches.update(study.searches)
            words = study.study.get("workload")
            known.words.update(dict.fromkeys([*study.trials, *study.searches], words))
    return known


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
            f"{complete_trials(times)} made of {names} (the last {last_of(times)}) by an earlier "
            "cbablate, with a measure that was mended since; they are kept, and do not count: "
            "running the study trains these arms anew."
        )


def _sentence(
    described: Description, made: _Made, now: _Made, ended: list[float], same_words: bool
) -> str:
    when, vouched = f"the last {last_of(ended)}", not _DIGEST.fullmatch(made.version)
    shown = made.version if vouched else made.version[:8]
    if made.workload != now.workload:
        by, back = f"by another workload, {made.workload} ({shown}, {when})", "workload"
    elif made.version != now.version and vouched:
        by, back = f"under version {shown}, which was vouched for ({when})", "version"
    elif made.version != now.version:
        by, back = f"by {_edited(described, same_words)} ({shown}, {when})", "code"
    else:
        named = " or other files that a config names" if described.program else ""
        by = f"with other data{named} ({made.data[:8] or 'none declared'}, {when})"
        back = "data"
    verb = "are" if back == "data" else "is"
    again = f"they are kept, and count again if the {back} {verb} put back."
    return f"{complete_trials(ended)} made {by}; {again}"


def _edited(described: Description, same_words: bool) -> str:
    """What may have been edited: a ledger has one digest of all that a workload runs.

    `same_words`: the study's own file says the command, and in the same words as before.
    """
    own = described.own
    if own is None:
        return f"an earlier version of {described.name}"
    paths = [one.path for one in (own.modules if isinstance(own, Code) else own.files)]
    names = [path.replace("\\", "/").rpartition("/")[2] for path in paths if path]
    names = [own.file, *(name for name in dict.fromkeys(names) if name != own.file)]
    if len(names) > _NAMED or own.distributions:
        rest = "what it imports" if isinstance(own, Code) else "the other code of its command"
        names = [own.file, rest]
    by = f"an earlier version of {listed(names, 'or')}"
    return by if isinstance(own, Code) or same_words else f"{by} or by another command"
