"""`OptunaMirror`: a study in Optuna's storage, to be looked at with `optuna-dashboard`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cbablate.analysis.searches.confirmation import tuning_plan
from cbablate.analysis.searches.tuning import Tuning
from cbablate.analysis.standing import Standing
from cbablate.errors import in_a_line
from cbablate.fingerprint import fingerprint
from cbablate.mirrors.optuna_parameters import Parameters
from cbablate.mirrors.port import Account, MirrorUnreachable, StudyState, accounts
from cbablate.planning.plan import Plan
from cbablate.planning.search import violations
from cbablate.records.book import Recorded
from cbablate.records.state import TrialState
from cbablate.spec.metric import Objective

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

__all__ = ["STORE_FILE", "OptunaMirror"]

STORE_FILE = "optuna.sqlite"
_CONTENT, _LAYOUT = "cbablate.content", "cbablate.layout"
_HOW = (
    "A mirror of cbablate's ledger: it may be deleted, and is written anew by `cbablate sync`. "
    "Means and intervals are in the table of `cbablate table`."
)


class OptunaMirror:
    """A study as an Optuna study of the same name, in `optuna.sqlite` of the results folder.

    Of a study that tunes, each search is one more, `<study>/<arm>`, with what it searched; of
    several of an arm, `<study>/<arm>, search #<index>`.

    Factors and hyperparameters are its parameters, the objective its value, the objective after
    each measurement the intermediate values; every other last metric is a user attribute. Optuna
    never alters an ended trial, so where one must look otherwise (another attempt, a timing, an
    edited study), its study is written anew.
    """

    name = "Optuna's storage"

    def __init__(self, folder: Path) -> None:
        self.path = folder.resolve() / STORE_FILE

    @property
    def address(self) -> str:
        """What `optuna-dashboard` is given."""
        return f"sqlite:///{self.path}"

    def sync(
        self,
        plan: Plan,
        facts: Recorded,
        *,
        state: StudyState,
        artifacts: Sequence[Path] = (),
    ) -> None:
        """Show the study; see `Mirror`. Artifacts have no place here."""
        try:
            import optuna
            from sqlalchemy.exc import SQLAlchemyError
        except ImportError as error:
            raise MirrorUnreachable(
                f"Optuna cannot be imported ({error}), so its dashboard shows nothing. Install it "
                "with `pip install optuna`; `cbablate sync` then writes everything."
            ) from error
        loudness = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            self._write(plan, facts, state)
        except (
            optuna.exceptions.OptunaError,
            SQLAlchemyError,
            RuntimeError,  # how Optuna tells that a newer Optuna wrote the file
            OSError,
        ) as error:
            raise MirrorUnreachable(
                f"Optuna's storage {self.path} did not take the study: {in_a_line(error)}. It "
                "holds nothing of its own: remove it, and `cbablate sync` writes it anew."
            ) from error
        finally:
            optuna.logging.set_verbosity(loudness)

    def _write(self, plan: Plan, facts: Recorded, state: StudyState) -> None:
        import optuna

        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        storage = optuna.storages.RDBStorage(self.address)
        try:
            now = Standing(plan, facts)
            for shown in (_replicates(now, state), *_searches(now, state)):
                study, count = _prefix(storage, shown)
                _name(study, [objective.metric for objective in shown.objectives])
                for key, value in shown.about.items():
                    if study.user_attrs.get(key) != value:
                        study.set_user_attr(key, value)
                for trial in shown.trials[count:]:
                    study.add_trial(trial)
        finally:
            storage.remove_session()
            storage.engine.dispose()


@dataclass(frozen=True)
class _Shown:
    """One Optuna study as it must look."""

    name: str
    objectives: Sequence[Objective]
    trials: Sequence[FrozenTrial]
    about: Mapping[str, Any]


def _replicates(now: Standing, state: StudyState) -> _Shown:
    """The trials that tables are made of."""
    both = now.whole
    parameters = Parameters.of(both)
    return _Shown(
        both.study.name,
        [both.study.objective],
        [_trial(both, account, parameters) for account in accounts(both, now.book)],
        _about(both, state, parameters.layout(both)),
    )


def _searches(now: Standing, state: StudyState) -> Iterator[_Shown]:
    """Each arm's search, so that Optuna's plots of hyperparameters can be looked at."""
    for tuning in now.tunings:
        proposed = tuning_plan(now.plan, tuning)
        objectives = tuning.search.objectives
        yield _Shown(
            f"{now.plan.study.name}/{tuning.search.name}",
            objectives,
            [_tuning_trial(tuning, account) for account in accounts(proposed, now.book)],
            {
                _LAYOUT: tuning.search.id,
                "arm": tuning.search.arm.name,
                "objectives": [f"{one.direction} {one.metric}" for one in objectives],
                "sampler": tuning.search.sweep.sampler.name,
                "state": str(StudyState.COMPLETE if tuning.over else state),
                "trials planned": tuning.wanted,
                "how to read": _HOW,
            },
        )


def _prefix(storage: Any, shown: _Shown) -> tuple[Any, int]:
    """The Optuna study, and how many of its trials it has already, in order and nothing else.

    One that has anything else is made anew: Optuna lets nobody alter an ended trial.
    """
    import optuna

    def made() -> tuple[Any, int]:
        directions = [objective.direction for objective in shown.objectives]
        return optuna.create_study(storage=storage, study_name=shown.name, directions=directions), 0

    try:
        study = optuna.load_study(study_name=shown.name, storage=storage)
    except KeyError:  # no study of that name
        return made()
    written = [t.user_attrs.get(_CONTENT) for t in study.get_trials(deepcopy=False)]
    wanted = [trial.user_attrs[_CONTENT] for trial in shown.trials]
    same = study.user_attrs.get(_LAYOUT) == shown.about[_LAYOUT]
    if same and written == wanted[: len(written)]:
        return study, len(written)
    optuna.delete_study(study_name=shown.name, storage=storage)
    return made()


def _name(study: Any, metrics: list[str]) -> None:
    """Have the dashboard call the objectives by their metrics."""
    from optuna.exceptions import ExperimentalWarning

    if study.metric_names != metrics:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names(metrics)


def _about(plan: Plan, state: StudyState, layout: str) -> dict[str, Any]:
    return {
        _LAYOUT: layout,
        "question": plan.study.question,
        "objective": f"{plan.study.objective.direction} {plan.study.objective.metric}",
        "design": plan.study.design,
        "state": str(state),
        "trials planned": len(plan.trials),
        "how to read": _HOW,
    }


def _trial(plan: Plan, account: Account, parameters: Parameters) -> FrozenTrial:
    """An ended trial as Optuna keeps one; its `cbablate.content` addresses all that it says."""

    history, metric = account.history, plan.study.objective.metric
    steps = {m.spent: float(m.metrics[metric]) for m in history.measurements if metric in m.metrics}
    value = steps.get(history.last.spent) if history.last else None
    params = parameters.values(account.arm)
    distributions = {name: parameters.distributions[name] for name in params}
    return _frozen(account, [metric], [value], params=params, distributions=distributions)


def _tuning_trial(tuning: Tuning, account: Account) -> FrozenTrial:
    """An ended tuning trial, with what was proposed for it."""
    from cbablate.searching.optuna_space import distribution, spelled, typed

    sweep = tuning.search.sweep
    attempt = next(one for one in tuning.attempts if one.trial == account.trial.id)
    metrics = [objective.metric for objective in tuning.search.objectives]
    last = account.history.last
    values = [None if last is None else last.metrics.get(metric) for metric in metrics]
    params = spelled(sweep, typed(sweep, attempt.proposal))
    distributions = {name: distribution(sweep.space[name]) for name in params}
    broken = violations(tuning.search, attempt.proposal, last.metrics if last else {})
    return _frozen(
        account,
        metrics,
        values,
        params=params,
        distributions=distributions,
        constraints=broken if account.history.state is TrialState.COMPLETE else {},
    )


def _frozen(
    account: Account,
    metrics: Sequence[str],
    values: Sequence[float | None],
    *,
    params: Mapping[str, Any],
    distributions: Mapping[str, BaseDistribution],
    constraints: Mapping[str, float] = MappingProxyType({}),
) -> FrozenTrial:
    """A trial with these last values of the objectives; the curve of one is shown."""
    from optuna.trial import TrialState as Frozen
    from optuna.trial import create_trial

    history = account.history
    state = {
        TrialState.COMPLETE: Frozen.COMPLETE,
        TrialState.PRUNED: Frozen.PRUNED,
        TrialState.FAILED: Frozen.FAIL,
    }[history.state]
    attributes = _attributes(account)
    lacking = [name for name, value in zip(metrics, values, strict=True) if value is None]
    if state is Frozen.COMPLETE and lacking:
        state = Frozen.FAIL  # Optuna knows no complete trial without a value
        attributes["reason"] = f"no {', '.join(lacking)} was measured at the end"
    steps = {
        m.spent: float(m.metrics[metrics[0]])
        for m in history.measurements
        if len(metrics) == 1 and metrics[0] in m.metrics
    }
    said = values[0] if len(values) == 1 else list(values)
    told = [str(state), said, params, {str(k): v for k, v in steps.items()}, attributes]
    told += [{text: str(value) for text, value in constraints.items()}] if constraints else []
    trial = create_trial(
        state=state,
        values=[v for v in values if v is not None] if state is Frozen.COMPLETE else None,
        params=dict(params),
        distributions=dict(distributions),
        user_attrs={**attributes, _CONTENT: fingerprint([*told, history.ended])},
        intermediate_values=steps,
        constraints=dict(constraints),
    )
    trial.datetime_start = datetime.fromtimestamp(history.began or history.ended)
    trial.datetime_complete = datetime.fromtimestamp(history.ended)
    return trial


def _attributes(account: Account) -> dict[str, Any]:
    history, trial = account.history, account.trial
    attributes: dict[str, Any] = {
        "arm": account.arm.name,
        "replicate": trial.replicate,
        "seed": trial.seed,
        "trial": trial.id,
        "state": str(history.state),
    }
    if history.last is not None:
        attributes |= {name: float(value) for name, value in history.last.metrics.items()}
        for name, values in history.last.vectors.items():
            attributes[f"{name} by layer"] = [float(value) for value in values]
    for timing in account.timings:
        attributes |= timing.medians
    why = {"reason": history.reason, "failure": history.failure, "commit": account.commit}
    return attributes | {name: text for name, text in why.items() if text}
