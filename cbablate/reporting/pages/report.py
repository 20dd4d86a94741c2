"""`report`: a study as one HTML page that needs nothing else: no network, no other file.

What comes from studies and ledgers is escaped by the template, after unseen characters were
spelled out; a content security policy lets no script run but ours. Nothing tells when or where
the page was made, so that the same records give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from cbablate.analysis.outcome import Outcome, outcome
from cbablate.analysis.summary import Summary, metric_of
from cbablate.analysis.trial_outcome import TrialOutcome, outcomes
from cbablate.character import brief
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import SessionFact, WorkerFact
from cbablate.records.history import LONGEST_REASON
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from cbablate.reporting.figures.figure import WIDTH, labelled, write_figure
from cbablate.reporting.figures.picture import Picture, pictures
from cbablate.reporting.forms.web_page import KeptLines, template
from cbablate.reporting.model.cell import significant
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.environment import environment_rows
from cbablate.reporting.sentences.claim import claims
from cbablate.reporting.sentences.delta import delta, spelled
from cbablate.reporting.sentences.effect_claim import effect_claims
from cbablate.reporting.sentences.reviewer import Case, questions
from cbablate.reporting.tables.arms import outcome_table
from cbablate.reporting.tables.view import view
from cbablate.spec.loading.changes import flatten

__all__ = ["efforts", "embedded", "report", "robust_part"]

_MOST_RESAMPLED = 1_000
"""The most trials that are resampled here; beyond them, `cbablate table --robust` does it."""
_TEMPLATES = Path(__file__).parent / "templates"

_TRACEBACK = 20_000
"""How many characters of a failure are given: a stranger's exception may have millions."""


def report(
    plan: Plan,
    facts: Recorded,
    *,
    found: Outcome | None = None,
    shown: Sequence[Picture] | None = None,
) -> str:
    """The page; the same plan and facts give the same text.

    Who has their outcome already, or its pictures, hands them in.
    """
    told = Book.of(facts)
    found = found or outcome(plan, told)
    plan, summary = found.plan, found.summary
    trials = outcomes(plan, told)
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    said = (*claims(plan, summary), *effect_claims(plan, summary))
    table = outcome_table(found)
    metrics = [metric_of(plan, name) for name in summary.metrics]
    return template("report.html", _TEMPLATES).render(
        plan=plan,
        table=table,
        findings=said,
        notes=[note for note in (*table.notes, table.bold) if note and note not in said],
        questions=questions(Case(plan, summary, trials, efforts(found))),
        pictures=embedded(pictures(found, trials) if shown is None else shown),
        setting=_setting(plan),
        robust=robust_part(plan, summary),
        deltas={arm.id: delta(plan, arm) for arm in plan.arms},
        metrics=[(one.name, labelled(one), one.unit) for one in metrics],
        rows=[_row(one, summary.metrics) for one in trials],
        states=[state.value for state in TrialState if _any(trials, state)],
        failures=[_failure(plan, one) for one in trials if one.history.state in _ENDED_EARLY],
        sessions=_sessions(trials, told.facts),
        workers=_workers(trials, told.facts),
        origin=environment_rows(summary.origin.traits),
        data=sorted({plan.description.data(arm.config) for arm in plan.arms} - {""}),
        style=_TEMPLATES.joinpath("report.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=_digest(script),
    )


_ENDED_EARLY = (TrialState.FAILED, TrialState.PRUNED)


def robust_part(plan: Plan, summary: Summary) -> Table | None:
    """The summary over corruptions or data sets; None of a study that has nothing to summarise
    over, or so many trials that resampling them takes longer than a report may.
    """
    if len(plan.trials) > _MOST_RESAMPLED:
        return None
    with suppress(CbablateError):  # nobody asked for it by name
        return view("robust", plan, summary)
    return None


def efforts(found: Outcome) -> dict[str, int]:
    """How many tuning trials each row's arm has had, by its id; empty where rows share a search."""
    if found.tuned is None or found.tuned.fixed is None:
        return {}
    spent = Counter[str]()
    for one in found.tuned.tunings:
        spent[one.search.arm.id] += one.complete + one.pruned + one.failed
    rows = zip(found.plan.arms, found.tuned.plan.arms, strict=True)
    return {row.id: spent[written.id] for row, written in rows}


def embedded(shown: Iterable[Picture]) -> list[dict[str, Any]]:
    """The pictures that the page shows, each as an address that holds it."""
    told: list[dict[str, Any]] = []
    for picture in shown:
        if picture.within:
            continue
        drawn = BytesIO()
        write_figure(picture.figure, drawn, form="svg")
        code = base64.b64encode(drawn.getvalue()).decode("ascii")
        told.append(
            {
                "title": picture.title,
                "words": picture.words,
                "wide": picture.figure.get_figwidth() > WIDTH,
                "source": f"data:image/svg+xml;base64,{code}",
            }
        )
    return told


def _digest(script: str) -> str:
    """The script as a content security policy names it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _setting(plan: Plan) -> list[tuple[str, str]]:
    """The study's own words, and the baseline's config as it was resolved."""
    study = plan.study
    facts = [
        ("Workload", f"{plan.description.name}, version {plan.description.version}"),
        ("Design", study.design),
        ("Arms", f"{len(plan.arms)}"),
        ("Replicates", f"{study.replicates}, from seed {study.seed}"),
        ("Budget", f"{study.budget} a trial"),
        ("Decided on", f"{study.objective.metric} ({study.objective.direction})"),
        ("Margin", "not stated" if study.margin is None else f"{study.margin:g}"),
    ]
    if study.contrast:
        facts.append(("Compared", f"levels of {study.contrast} within each combination"))
    if study.tune is not None:
        many = f"{study.searches} searches of " if study.searches > 1 else ""
        facts.append(("Tuning", f"{study.tune.name}: {many}{study.tune.trials} trials an arm"))
    leaves = dict(flatten(plan.arms[0].config))
    return [*facts, *((key, spelled(leaves, key)) for key in leaves)]


def _row(one: TrialOutcome, metrics: Sequence[str]) -> dict[str, Any]:
    """A trial as a row: raw values to sort by, and as they are shown."""
    past = one.history
    values = [one.value(name) for name in metrics]
    spent = past.last.spent if past.last else 0
    return {
        "id": one.trial.id,
        "arm": one.arm.name,
        "replicate": one.trial.replicate,
        "seed": one.trial.seed,
        "state": past.state.value,
        "why": brief(past.failure or past.reason, LONGEST_REASON),
        "spent": spent,
        "values": [(v, "" if v is None else significant(v, 6)) for v in values],
        "seconds": round(past.last.seconds, 1) if past.last else None,
        "session": past.session,
    }


def _any(trials: Sequence[TrialOutcome], state: TrialState) -> bool:
    return any(one.history.state is state for one in trials)


def _failure(plan: Plan, one: TrialOutcome) -> dict[str, Any]:
    return {
        "label": plan.label(one.trial),
        "id": one.trial.id,
        "absence": one.absence,
        "traceback": KeptLines(_end(one.history.traceback.strip("\n"))),
    }


def _sessions(trials: Sequence[TrialOutcome], facts: Iterable[Record]) -> list[dict[str, Any]]:
    """The sessions that made trials of this study: the driver's commit, versions and machine."""
    made: dict[str, int] = {}
    for one in trials:
        if one.history.session:
            made[one.history.session] = made.get(one.history.session, 0) + 1
    told: list[dict[str, Any]] = []
    for fact in facts:
        if fact.kind != "session" or fact.subject not in made:
            continue
        session = SessionFact.of(fact)
        told.append(
            {
                "id": fact.subject,
                "trials": made[fact.subject],
                "commit": str(session.commit or "not known") + session.edits,
                "versions": _pairs(session.versions),
                "host": _pairs(session.host),
            }
        )
    return told


def _workers(trials: Sequence[TrialOutcome], facts: Iterable[Record]) -> list[dict[str, Any]]:
    """The workers that trials of this study ran on: node, machine, versions, number of trials."""
    ran = Counter(worker for one in trials for worker in set(one.history.workers))
    return [
        {
            "node": worker.node,
            "trials": ran[fact.subject],
            "host": _pairs(worker.host),
            "versions": _pairs(worker.versions),
        }
        for fact in facts
        if fact.kind == "worker" and fact.subject in ran
        for worker in (WorkerFact.of(fact),)
    ]


def _pairs(told: Any) -> str:
    if not isinstance(told, Mapping):
        return ""
    leaves = dict(flatten(told))
    return ", ".join(f"{key} {_said(value)}" for key, value in leaves.items())


def _said(value: Any) -> str:
    """A value in words; a list without members, such as that of a machine's GPUs, is `none`."""
    if value == []:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _end(traceback: str) -> str:
    """The end of a traceback, where the cause is."""
    if len(traceback) <= _TRACEBACK:
        return traceback
    return f"({len(traceback) - _TRACEBACK:,} characters before)\n{traceback[-_TRACEBACK:]}"
