"""`Case`: a cell under explanation, with the lines on every trial that is behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cbablate.analysis.contrasts.replicates import complete, values
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.analysis.trial_outcome import TrialOutcome
from cbablate.planning.plan import Plan
from cbablate.records.facts import SessionFact, WorkerFact
from cbablate.records.record import Record
from cbablate.reporting.model.column import Column

__all__ = ["Case", "absent_lines", "pair_lines", "trial_lines"]


@dataclass(frozen=True)
class Case:
    """All that a cell's explanation is made from."""

    plan: Plan
    summary: Summary
    trials: Sequence[TrialOutcome]
    facts: Sequence[Record]
    arm: ArmSummary
    column: Column
    chosen: Sequence[str] = ()
    """What each of an arm's searches chose, where there are several, in words."""

    @property
    def searches(self) -> int:
        """How many searches the values are averaged in; 0 where each stands by itself."""
        return self.plan.searches if self.plan.searches > 1 else 0

    @property
    def unit(self) -> str:
        """That of the cell's numbers."""
        unit = metric_of(self.plan, self.column.metric).unit
        return "pp" if unit == "%" and self.column.quantity in ("difference", "p") else unit

    def of(self, arm: str) -> list[TrialOutcome]:
        """An arm's trials."""
        return [one for one in self.trials if one.arm.id == arm]


def trial_lines(case: Case, name: str, trials: Sequence[TrialOutcome]) -> Iterator[str]:
    """The trials that entered, then those that did not."""
    commits, nodes = _commits(case.facts), _nodes(case.facts)
    rows = [
        (
            *(f"#{one.trial.replicate}", one.trial.id, str(one.trial.seed), repr(one.value(name))),
            *(one.history.session, commits.get(one.history.session, "")),
            ", ".join(dict.fromkeys(nodes.get(each, "") for each in one.history.workers)),
        )
        for one in trials
        if one.value(name) is not None
    ]
    yield ""
    yield f"Entered: {len(rows)} trials"
    yield from _aligned(
        [("", "trial", "seed", _head(case, name), "session", "commit", "node"), *rows]
        if rows
        else []
    )
    yield from absent_lines(trials, name)


def _head(case: Case, name: str) -> str:
    """The head of its values: its label and unit, where they are not as they were reported."""
    metric = metric_of(case.plan, name)
    if metric.scale == 1:
        return name
    return f"{metric.label} ({metric.unit})" if metric.unit else metric.label


def pair_lines(case: Case, name: str, reference: str) -> Iterator[str]:
    """The pairs of trials that entered, then what did not."""
    at = case.summary.course  # a difference is of the pairs that were looked at
    within = (at.looked[case.arm.arm.id] if at else 0) or case.plan.study.most_replicates
    ours = {
        one.trial.replicate: one for one in case.of(case.arm.arm.id) if one.trial.replicate < within
    }
    theirs = {one.trial.replicate: one for one in case.of(reference)}
    if case.plan.study.analysis.correction == "dunnett":
        entered = {arm: values(by, name) for arm, by in case.summary.replicates.entered.items()}
        blocks = complete(entered, [arm for arm, by in entered.items() if by])
        ours = {replicate: one for replicate, one in ours.items() if replicate in blocks}
    rows: list[tuple[str, ...]] = []
    for replicate in sorted(ours.keys() & theirs.keys()):
        a, b = ours[replicate].value(name), theirs[replicate].value(name)
        if a is not None and b is not None:
            ids = (ours[replicate].trial.id, theirs[replicate].trial.id)
            rows.append((f"#{replicate}", repr(a), repr(b), repr(a - b), *ids))
    yield ""
    yield f"Entered: {len(rows)} pairs"
    head = ("", "this arm", "reference", "difference", "this trial", "its reference")
    yield from _aligned([head, *rows] if rows else [])
    yield from absent_lines([*ours.values(), *theirs.values()], name)


def absent_lines(trials: Sequence[TrialOutcome], name: str) -> Iterator[str]:
    """Each trial that did not enter, and why."""
    out = [one for one in trials if one.absence or (name and one.value(name) is None)]
    if out:
        yield ""
        yield f"Not entered: {len(out)} trials"
    for one in out:
        why = one.absence or f"complete, but its last measurement has no finite {name}"
        yield f"  {one.arm.name} #{one.trial.replicate}  {one.trial.id}  {why}"


def _commits(facts: Iterable[Record]) -> Mapping[str, str]:
    sessions = {fact.subject: SessionFact.of(fact) for fact in facts if fact.kind == "session"}
    return {
        name: str(session.commit or "not known")[:12] + session.edits
        for name, session in sessions.items()
    }


def _nodes(facts: Iterable[Record]) -> Mapping[str, str]:
    """The node of each worker; what 0.1.0 recorded names none."""
    return {fact.subject: WorkerFact.of(fact).node for fact in facts if fact.kind == "worker"}


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        yield "  " + "  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip()
