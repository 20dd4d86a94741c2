"""`Tally`: what a function has reported, counted and turned into measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.phrases import listed
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.workloads.own_code.plain_numbers import kind_of, metric_value, whole_number

__all__ = ["Reported", "Tally", "numbers_of"]


@dataclass(frozen=True)
class Reported:
    """One call of `report`, as it was made."""

    metrics: Any
    spent: Any = None
    vectors: Any = None
    notes: Any = None


class Tally:
    """The measurements that reports come to, in their order.

    A report that says nothing of `spent` has spent one more than the last. The measurement that
    has spent the whole budget is kept back until the function ends: what is measured once, after
    training, belongs to it.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._spent = 0
        self._last: Measurement | None = None
        self._any = False

    def taken(self, reported: Reported) -> Measurement | None:
        """The measurement that a report makes; None if it is kept back.

        Raises:
            TrialFailure: what was reported is no mapping, or comes after the last measurement and
                repeats a name.
        """
        self._any = True
        measurement = self._measurement(reported)
        spent = whole_number(measurement.spent)
        whole = spent == self._budget.amount
        if self._last is not None and (whole or reported.spent is None):
            again = self._last.metrics.keys() & measurement.metrics.keys()
            if reported.spent is None and again:
                raise TrialFailure(self._repeated(_quoted(again)))
            self._last = _joined(self._last, measurement, self._repeated)
            return None
        self._spent = self._spent if spent is None else spent
        if not whole:
            return measurement
        self._last = measurement
        return None

    def end(self, returned: Any) -> Measurement | None:
        """The measurement that is left when the function has returned; None if there is none.

        Raises:
            TrialFailure: it neither reported anything nor returns a mapping of metrics.
        """
        if isinstance(returned, Mapping):
            whole = Measurement(self._budget.amount, _numbers(returned))
            return whole if self._last is None else _joined(self._last, whole, self._returned_too)
        if not self._any:
            what = "nothing" if returned is None else kind_of(returned)
            raise TrialFailure(
                f"the workload reported nothing and returned {what}: let it call "
                "cbablate.report({'val/loss': ...}), return a mapping of metrics, or `yield` "
                "Measurements",
                failure="no measurement",
            )
        return self._last

    def _measurement(self, reported: Reported) -> Measurement:
        spent = self._spent + 1 if reported.spent is None else reported.spent
        vectors = {} if reported.vectors is None else reported.vectors
        notes = {} if reported.notes is None else reported.notes
        return Measurement(spent, numbers_of(reported), vectors, notes=notes)

    def _repeated(self, names: str) -> str:
        return (
            f"the whole budget of {self._budget} was spent when {names} came once more: report "
            "each of the last numbers once, and train no longer than the budget says"
        )

    def _returned_too(self, names: str) -> str:
        return (
            f"the function returned {names} with another value than it reported after the whole "
            f"budget of {self._budget}: give it another name, or report it only once"
        )


def numbers_of(reported: Reported) -> dict[str, float]:
    """The metrics of a report, made of plain numbers.

    Raises:
        TrialFailure: they are no mapping of numbers.
    """
    if not isinstance(reported.metrics, Mapping):
        raise TrialFailure(
            f"cbablate.report() was given {kind_of(reported.metrics)}, not a mapping of metrics "
            "such as {'val/loss': 0.3}",
            failure="no measurement",
        )
    return _numbers(reported.metrics)


def _numbers(metrics: Mapping[Any, Any]) -> dict[str, float]:
    return {name: metric_value(name, value) for name, value in metrics.items()}


def _quoted(names: Iterable[str]) -> str:
    return listed([f"'{name}'" for name in sorted(names)])


def _joined(last: Measurement, more: Measurement, refused: Callable[[str], str]) -> Measurement:
    """The last measurement with more in it.

    Raises:
        TrialFailure: a name has two values.
    """
    twice = {
        name
        for name, value in more.metrics.items()
        if name in last.metrics and not _same(last.metrics[name], value)
    }
    if twice:
        raise TrialFailure(refused(_quoted(twice)))
    return replace(
        last,
        metrics={**last.metrics, **more.metrics},
        vectors={**last.vectors, **more.vectors},
        notes={**last.notes, **more.notes},
    )


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)
