"""What MLflow is to show, as pure values: a trial's entry, a study's, and MLflow's limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cbablate.analysis.searches.tuning import Tuning
from cbablate.fingerprint import canonical, fingerprint
from cbablate.mirrors.mlflow_spelling import MlflowText, key_of
from cbablate.mirrors.port import Account, StudyState
from cbablate.phrases import counted
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.state import TrialState
from cbablate.spec.loading.changes import flatten

__all__ = [
    "MetricPoint",
    "MlflowRun",
    "batches",
    "commit_of",
    "search_entry",
    "span",
    "study_entry",
    "trial_entry",
]

_METRICS, _NAMED = 800, 50
"""How many go into one request: MLflow takes 1,000 in all, 100 params, 100 tags and 1 MB."""

_STATUS = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAILED: "FAILED",
}
_STUDY_STATUS = {
    StudyState.RUNNING: "RUNNING",
    StudyState.COMPLETE: "FINISHED",
    StudyState.FAILED: "FAILED",
    StudyState.INTERRUPTED: "KILLED",
}


@dataclass(frozen=True, order=True)
class MetricPoint:
    """One value of a metric at a step; `at` in milliseconds since 1970."""

    key: str
    value: float
    at: int
    step: int


@dataclass(frozen=True)
class MlflowRun:
    """One MLflow run as it must look in the end.

    `content` addresses what can only be written once (params, curves, how it ended): an entry
    with another content is another one. Tags and timings may still change.
    """

    name: str
    status: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: tuple[MetricPoint, ...]
    timings: tuple[MetricPoint, ...]
    began: int
    ended: int
    content: str


def trial_entry(plan: Plan, account: Account, *, ledger: str) -> MlflowRun:
    """The entry of an ended trial."""
    trial, history = account.trial, account.history
    spelling = MlflowText()
    params = dict(spelling.param(key, value) for key, value in flatten(trial.config))
    points = tuple(_curves(account))
    status = _STATUS[history.state]
    began, ended = _ms(history.began or history.ended), _ms(history.ended)
    tags = {
        "mlflow.source.name": f"cbablate run {plan.study.name}",
        "mlflow.source.type": "LOCAL",
        "cbablate.role": "tuning" if trial.search else "trial",
        "cbablate.ledger": ledger,
        "cbablate.study": plan.study.name,
        "cbablate.trial": trial.id,
        "cbablate.row": f"{_place(plan, account):04}.{trial.replicate:04}",
        "cbablate.replicate": str(trial.replicate),
        "cbablate.seed": str(trial.seed),
        "cbablate.budget": f"{trial.budget.amount} {trial.budget.unit}",
        "cbablate.state": str(history.state),
        "cbablate.attempts": str(history.attempts),
    }
    said = {
        "cbablate.arm": account.arm.name,
        "cbablate.reason": history.reason,
        "cbablate.failure": history.failure,
        "cbablate.node": ", ".join(account.nodes),
        "cbablate.trained_on": ", ".join(account.devices),
        "cbablate.timed_on": account.timings[-1].device if account.timings else "",
        **{f"factor.{name}": level for name, level in account.arm.levels.items()},
        **{f"note.{name}": note for name, note in _notes(account).items()},
    }
    tags |= dict(spelling.tag(key, text) for key, text in said.items() if text)
    if history.traceback:
        tags |= dict([spelling.tail("cbablate.traceback", history.traceback)])
    tags |= commit_of(account) | spelling.told()
    content = [trial.id, ledger, status, params, [_row(p) for p in points], began, ended, _END]
    return MlflowRun(
        name=f"{account.arm.name} search {trial.replicate}" if trial.search else plan.label(trial),
        status=status,
        tags=tags,
        params=params,
        points=points,
        timings=tuple(_timed(account)),
        began=began,
        ended=ended,
        content=fingerprint(content),
    )


def study_entry(
    plan: Plan, facts: Recorded, *, told: Iterable[Account], state: StudyState, ledger: str
) -> MlflowRun:
    """The entry under which a study's trials lie; `told` are those that have ended."""
    study, spelling = plan.study, MlflowText()
    began, ended, step = span(Book.of(facts), plan)
    said = {
        "mlflow.note.content": _reading(plan),
        "cbablate.question": study.question,
        "cbablate.design": study.design,
        "cbablate.objective": f"{study.objective.direction} {study.objective.metric}",
        "cbablate.workload": f"{plan.description.name} (version {plan.description.version})",
        "cbablate.factors": ", ".join(factor.name for factor in study.factors),
    }
    params = dict(spelling.param(key, value) for key, value in flatten(plan.arms[0].config))
    tags = {
        "mlflow.source.name": f"cbablate run {study.name}",
        "mlflow.source.type": "LOCAL",
        "cbablate.role": "study",
        "cbablate.ledger": ledger,
        "cbablate.study": study.name,
        "cbablate.state": str(state),
        **dict(spelling.tag(key, text) for key, text in said.items() if text),
    }
    states = [account.history.state for account in told]
    counts = {f"trials/{s}": float(states.count(s)) for s in _STATUS}
    counts |= {"trials/planned": float(len(plan.trials)), "arms": float(len(plan.arms))}
    return MlflowRun(
        name=study.name,
        status=_STUDY_STATUS[state],
        tags=tags | spelling.told(),
        params=params,
        points=tuple(MetricPoint(key, value, ended, step) for key, value in counts.items()),
        timings=(),
        began=began,
        ended=ended,
        content=fingerprint([study.name, ledger, params]),
    )


def span(book: Book, plan: Plan) -> tuple[int, int, int]:
    """When the first and the last fact of a study were told, in milliseconds, and the step at
    which numbers over all of them stand: it grows whenever they may change.
    """
    began, ended = book.span([plan.study.name, *plan.trial_of]) or (0.0, 0.0)
    return _ms(began), _ms(ended), book.count


def search_entry(
    plan: Plan, tuning: Tuning, *, book: Book, state: StudyState, ledger: str
) -> MlflowRun:
    """The entry of one arm's search, under which its tuning trials lie.

    A search that is over has FINISHED, whatever becomes of the rest of the study.
    """
    stands = StudyState.COMPLETE if tuning.over else state
    search, sweep, spelling = tuning.search, tuning.search.sweep, MlflowText()
    told = sweep.model_dump(mode="json", exclude={"trials", "stop", "name"}, exclude_none=True)
    params = dict(spelling.param(key, value) for key, value in flatten(told))
    began, ended = map(_ms, book.span(attempt.trial for attempt in tuning.attempts) or (0.0, 0.0))
    objectives = [f"{one.direction} {one.metric}" for one in search.objectives]
    said = {
        "mlflow.source.name": f"cbablate run {plan.study.name}",
        "mlflow.source.type": "LOCAL",
        "cbablate.role": "search",
        "cbablate.ledger": ledger,
        "cbablate.study": plan.study.name,
        "cbablate.trial": search.id,
        "cbablate.arm": search.arm.name,
        "cbablate.search": str(search.index) if search.many > 1 else "",
        "cbablate.sweep": sweep.name,
        "cbablate.objectives": ", ".join(objectives),
        "cbablate.state": str(stands),
        **{f"factor.{name}": level for name, level in search.arm.levels.items()},
    }
    counts = {f"trials/{state}": float(tuning.states.get(state, 0)) for state in _STATUS}
    counts["trials/wanted"] = float(tuning.wanted)
    best = tuning.best
    if best is not None and best.values is not None:
        found = zip(search.objectives, best.values, strict=True)
        counts |= {key_of(f"best/{one.metric}"): value for one, value in found}
        said["cbablate.best"] = canonical(dict(best.proposal))
    tags = dict(spelling.tag(key, text) for key, text in said.items() if text)
    return MlflowRun(
        name=search.name if search.many > 1 else f"{search.arm.name} search",
        status=_STUDY_STATUS[stands],
        tags=tags | spelling.told(),
        params=params,
        points=tuple(
            MetricPoint(key, value, ended, len(tuning.attempts)) for key, value in counts.items()
        ),
        timings=(),
        began=began,
        ended=ended,
        content=fingerprint([search.id, ledger, params]),
    )


def commit_of(account: Account) -> dict[str, str]:
    """Tags that say which code trained a trial; none where its session did not know."""
    if not account.commit:
        return {}
    return {
        "mlflow.source.git.commit": account.commit,
        "cbablate.commit": account.commit,
        "cbablate.dirty": "yes" if account.dirty else "no",
    }


def batches(
    points: Iterable[MetricPoint], params: Mapping[str, str], tags: Mapping[str, str]
) -> Iterator[tuple[list[MetricPoint], list[tuple[str, str]], list[tuple[str, str]]]]:
    """Everything in portions that one request may carry; none where there is nothing."""
    metrics, named, said = list(points), list(params.items()), list(tags.items())
    part = 0
    while part * _METRICS < len(metrics) or part * _NAMED < max(len(named), len(said)):
        some = slice(part * _NAMED, (part + 1) * _NAMED)
        yield metrics[part * _METRICS : (part + 1) * _METRICS], named[some], said[some]
        part += 1


def _place(plan: Plan, account: Account) -> int:
    """Where the trial's arm stands among the arms, the reference first."""
    return next((at for at, arm in enumerate(plan.arms) if arm.id == account.arm.id), 0)


_END = 0
"""The step of what is measured at the end alone, which MLflow then draws as a bar."""


def _curves(account: Account) -> Iterator[MetricPoint]:
    """Every metric at every step, and the last vectors with an entry for each layer."""
    measured = account.history.measurements
    before = {name for one in measured[:-1] for name in one.metrics}
    for at, measurement in zip(account.history.times, measured, strict=True):
        for name, value in measurement.metrics.items():
            alone = name not in before and len(measured) > 1
            step = _END if alone else measurement.spent
            yield MetricPoint(key_of(name), float(value), _ms(at), step)
    if not measured:
        return
    last = measured[-1]
    for name, values in last.vectors.items():
        for layer, value in enumerate(values):
            key = key_of(f"{name}/layer.{layer}")
            yield MetricPoint(key, float(value), _ms(account.history.times[-1]), _END)


def _timed(account: Account) -> Iterator[MetricPoint]:
    """Medians of the timings of the trial's arm; of several timings the newest is shown."""
    for timing in account.timings:
        for name, value in timing.medians.items():
            yield MetricPoint(key_of(name), value, _ms(timing.at), _END)


def _notes(account: Account) -> dict[str, str]:
    notes: dict[str, str] = {}
    for measurement in account.history.measurements:
        notes.update({name: str(note) for name, note in measurement.notes.items()})
    return notes


def _reading(plan: Plan) -> str:
    study = plan.study
    metric = study.objective.metric
    tuned = ""
    if study.tune is not None:
        tuned = (
            "Each arm's search is a run with its tuning trials beneath (role `tuning`), which "
            "enter no mean; arms called `(tuned)` are its best proposal, trained anew from the "
            "replicates' seeds. "
        )
    return (
        f"**{study.question}**\n\n"
        f"{counted(len(plan.arms), 'arm')} x {study.repetitions} ({study.design}); decisions "
        f"{study.objective.direction} `{metric}`.\n\n"
        "How to read: the nested runs are trials, one arm trained once from one seed; replicates "
        "with the same number share their seed. Group by the tag `cbablate.arm` or `factor.*` to "
        f"compare arms. {tuned}Only trials whose `cbablate.state` is `complete` enter a mean. "
        "Runs with the role `summary` hold each arm's mean, interval and paired difference. MLflow "
        "is a mirror: the table, the figures and the report are among the artifacts."
    )


def _row(point: MetricPoint) -> list[Any]:
    return [point.key, point.value, point.at, point.step]


def _ms(at: float) -> int:
    return round(at * 1000)
