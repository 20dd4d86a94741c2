"""`reasons`: why trials are in a state, a line for each; those that failed alike share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cbablate.analysis.likeness import likeness
from cbablate.character import brief, visible
from cbablate.phrases import first_few
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.history import LONGEST_REASON, History
from cbablate.records.state import TrialState

__all__ = ["reasons"]

_TRACEBACK = 5_000


def reasons(plan: Plan, past: Mapping[str, History], state: TrialState) -> list[str]:
    """A line for each of the plan's trials in this state, with where its traceback ends."""
    groups: dict[str, list[tuple[Trial, History]]] = {}
    for trial in plan.trials:
        history = past.get(trial.id)
        if history is None or history.state is not state:
            continue
        failed = state is TrialState.FAILED
        alike = likeness(history.failure, history.reason) if failed else trial.id
        groups.setdefault(alike, []).append((trial, history))
    return [line for group in groups.values() for line in _told(plan, group)]


def _told(plan: Plan, group: Sequence[tuple[Trial, History]]) -> list[str]:
    (trial, history), *others = group
    spent = history.last.spent if history.last else 0
    failure = f"{history.failure}: " if history.failure else ""
    reason = brief(visible(history.reason), LONGEST_REASON)
    label = f"{plan.label(trial)} ({spent}/{trial.budget})"
    alike = f"{len(group)} trials failed alike, first " if others else ""
    lines = [f"  {alike}{label}: {failure}{reason or f'attempt {history.attempts}'}"]
    lines += [f"      {brief(line, LONGEST_REASON)}" for line in _last_lines(history)]
    if others:
        lines.append(f"      then {first_few(plan.label(other) for other, _ in others)}")
    return lines


def _last_lines(history: History) -> list[str]:
    """Where a traceback ends: its last three lines, without the reason's second and later ones."""
    end = history.traceback[-_TRACEBACK:].strip().splitlines()
    repeated = history.reason.strip().splitlines()[1:]
    if repeated and end[-len(repeated) :] == repeated:
        end = end[: -len(repeated)]
    return end[-3:]
