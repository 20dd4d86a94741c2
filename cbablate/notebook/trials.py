"""`Trials`: every trial of a study as a row, and all that they measured on their way as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, overload

from cbablate.analysis.searches.confirmation import tuning_plan
from cbablate.analysis.standing import Standing
from cbablate.analysis.trial_outcome import TrialOutcome, outcomes
from cbablate.notebook.rows import Rows
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import WorkerFact
from cbablate.reporting.model.sheet import Value
from cbablate.spec.loading.changes import flatten

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Trials", "trials"]

_ONE = ("replicate", "seed", "state", "spent", "seconds")
_OTHER = ("attempts", "failure", "reason", "host", "trial", "arm_id")
_MEASURED = ("spent", "seconds", "metric", "layer", "value")


@dataclass(frozen=True)
class _Staged:
    """A trial, what it was for, and which search proposed it; "" where none did."""

    stage: str
    search: str
    one: TrialOutcome


@dataclass(frozen=True, repr=False)
class Trials(Sequence[Mapping[str, Value]]):
    """The trials of a study, a row each, by column.

    Metrics are those of the last measurement, under their own names and as they were recorded:
    unscaled and unrounded, of trials that failed or were pruned, too. Only rows whose `state` is
    `complete` enter a table.
    """

    rows: Rows
    _staged: tuple[_Staged, ...]
    _factors: tuple[str, ...]

    def curves(self) -> Rows:
        """All that was measured, in long form: a row for each value of a metric, in its order.

        `layer` is None of a scalar; of a vector it counts from 0.
        """
        columns = ("stage", "arm", *_levels(self._factors), "replicate", "seed", "state")
        return Rows(
            self.rows.title.replace("trials", "measurements"),
            (*columns, *_MEASURED, "trial"),
            tuple(chain.from_iterable(map(self._measured, self._staged))),
            noun="value",
        )

    def to_pandas(self) -> DataFrame:
        """The rows as a data frame, one a trial.

        Raises:
            EnvironmentFault: pandas is not installed.
        """
        return self.rows.to_pandas()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.rows.columns

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Value]: ...
    @overload
    def __getitem__(self, index: slice) -> list[Mapping[str, Value]]: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, Value] | list[Mapping[str, Value]]:
        return self.rows[index]

    def __repr__(self) -> str:
        return repr(self.rows)

    def _repr_html_(self) -> str:
        return self.rows._repr_html_()

    def _repr_markdown_(self) -> str:
        return self.rows._repr_markdown_()

    def _measured(self, staged: _Staged) -> Iterator[tuple[Value, ...]]:
        trial, arm, past = staged.one.trial, staged.one.arm, staged.one.history
        levels = (arm.levels.get(name) for name in self._factors)
        head = (staged.stage, arm.name, *levels, trial.replicate, trial.seed, past.state.value)
        for measurement in past.measurements:
            at = (measurement.spent, measurement.seconds)
            for name, value in measurement.metrics.items():
                yield (*head, *at, name, None, float(value), trial.id)
            for name, vector in measurement.vectors.items():
                for layer, value in enumerate(vector):
                    yield (*head, *at, name, layer, float(value), trial.id)


def trials(plan: Plan, facts: Recorded) -> Trials:
    """The trials of a plan as facts tell of them; those that have not begun are `waiting`."""
    book = Book.of(facts)
    staged = tuple(_staged(plan, book))
    factors = tuple(factor.name for factor in plan.study.factors)
    space = tuple(plan.study.tune.space) if plan.study.tune else ()
    every = (one.one.history.last for one in staged)
    metrics = tuple(dict.fromkeys(chain.from_iterable(one.metrics for one in every if one)))
    fixed = ("stage", "arm", *_levels(factors), *_ONE, *_OTHER, *(("search",) if space else ()))
    named = (*_apart(space, "config", fixed), *_apart(metrics, "metric", (*fixed, *space)))
    hosts = _hosts(book)
    return Trials(
        Rows(
            f"{plan.study.name}, trials",
            ("stage", "arm", *_levels(factors), *_ONE, *named, *fixed[fixed.index("attempts") :]),
            tuple(_row(one, factors, (space, metrics), hosts) for one in staged),
            noun="trial",
        ),
        staged,
        factors,
    )


def _staged(plan: Plan, book: Book) -> Iterator[_Staged]:
    """The trials in the order of a study: as written, searched, confirmed."""
    now = Standing(plan, book)
    if plan.study.tune is None:
        yield from (_Staged("replicate", "", one) for one in outcomes(now.asked, book))
        return
    confirmed = now.confirmations
    for one in outcomes(plan, book):
        if one.trial.id not in confirmed.trial_of:
            yield _Staged("as written", "", one)
    for tuning in now.tunings:
        name = tuning.search.name
        for one in outcomes(tuning_plan(plan, tuning), book):
            yield _Staged("search", name, one)
    yield from (_Staged("confirmation", "", one) for one in outcomes(confirmed, book))


def _row(
    staged: _Staged,
    factors: Sequence[str],
    keys: tuple[Sequence[str], Sequence[str]],
    hosts: Mapping[str, str],
) -> tuple[Value, ...]:
    one, (space, metrics) = staged.one, keys
    past, last = one.history, one.history.last
    flat = dict(flatten(one.trial.config)) if space else {}
    found = last.metrics if last else {}
    host = hosts.get(past.workers[-1]) if past.workers else None
    return (
        *(staged.stage, one.arm.name, *(one.arm.levels.get(name) for name in factors)),
        *(one.trial.replicate, one.trial.seed, past.state.value),
        *(last.spent if last else 0, last.seconds if last else None),
        *(_plain(flat.get(key)) for key in space),
        *(float(found[name]) if name in found else None for name in metrics),
        *(past.attempts, past.failure or None, past.reason or None, host),
        *(one.trial.id, one.trial.arm, *((staged.search or None,) if space else ())),
    )


def _levels(factors: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"factor {name}" for name in factors)


def _apart(names: Sequence[str], kind: str, taken: Sequence[str]) -> tuple[str, ...]:
    """The names as columns; one that is taken says what kind of name it is."""
    return tuple(f"{kind} {name}" if name in taken else name for name in names)


def _hosts(book: Book) -> Mapping[str, str]:
    """The machine of each worker, by the worker's id."""
    told = ((fact.subject, WorkerFact.of(fact)) for fact in book.facts if fact.kind == "worker")
    return {subject: worker.node for subject, worker in told if worker.node}


def _plain(value: Any) -> Value:
    return value if value is None or isinstance(value, str | int | float) else str(value)
