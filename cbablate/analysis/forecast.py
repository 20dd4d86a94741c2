"""`Forecast`: what the trials that are left will cost, from a few steps of each shape of them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cbablate.analysis.standing import Standing
from cbablate.fingerprint import fingerprint
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.planning.tuned_plan import tuned_rows
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import Ended, Measured, Started
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.statistics.estimate import Estimate, estimate

__all__ = ["ArmShape", "CostSample", "Forecast", "Price", "forecast", "shapes"]

_ROW = 150
"""Bytes that a fact takes in the ledger beside its body, indices included."""
_METRIC, _BODY = 40, 120
"""Bytes of one metric of a measurement, and of the rest of its body."""


@dataclass(frozen=True)
class CostSample:
    """What a workload's probe told of a config; `failure` where it could not.

    `setup` and `end` are seconds before the first step and after the last, `units` seconds that a
    unit of budget takes, one for each timed step, `memory` bytes, `device` what held them.
    """

    setup: float = 0.0
    units: tuple[float, ...] = ()
    end: float = 0.0
    memory: int = 0
    device: str = ""
    failure: str = ""


@dataclass(frozen=True)
class ArmShape:
    """Arms whose trials cost the same, the first of which stands for them; `left` to train."""

    arms: tuple[Arm, ...]
    left: int


@dataclass(frozen=True)
class Price:
    """What one trial of a shape costs: seconds a unit of budget, and seconds in all."""

    shape: ArmShape
    sample: CostSample
    unit: Estimate
    trial: Estimate


@dataclass(frozen=True)
class Forecast:
    """What all that is left costs. `seconds` are those of `slots` slots that are always busy.

    `seconds` is None where a shape that has trials left could not be probed. `bytes` is what a
    trial takes in the ledger; `measured` whether that was read off the ledger.
    """

    prices: tuple[Price, ...]
    left: int
    slots: int
    seconds: Estimate | None
    bytes: int
    measured: bool


def shapes(plan: Plan, facts: Recorded) -> list[ArmShape]:
    """The distinct shapes of a plan's arms, in the order of their first arms.

    Tuning trials and confirmations count as trials of their arm's shape as written.
    """
    left = _left(plan, facts)
    alike: dict[str, list[Arm]] = {}
    for arm in plan.arms:
        alike.setdefault(fingerprint(plan.description.shape(arm.config)), []).append(arm)
    return [ArmShape(tuple(arms), sum(left[arm.id] for arm in arms)) for arms in alike.values()]


def forecast(
    plan: Plan,
    facts: Recorded,
    samples: Iterable[tuple[ArmShape, CostSample]],
    *,
    slots: int = 1,
) -> Forecast:
    """The forecast of a plan from a sample of each of its shapes.

    Intervals are 95 % t-intervals over the timed steps: they tell how steadily these went, not
    how another load of the machine would change them.
    """
    amount = plan.study.budget.amount
    prices = tuple(_price(shape, sample, amount) for shape, sample in samples)
    wanted = [price for price in prices if price.shape.left]
    seconds = None
    if all(price.trial.mean is not None for price in wanted):
        seconds = _total(wanted, slots)
    size, measured = _ledger_bytes(plan, facts)
    return Forecast(
        prices, sum(price.shape.left for price in prices), slots, seconds, size, measured
    )


def _left(plan: Plan, facts: Recorded) -> Counter[str]:
    """Trials still to train by the arm as planned, tuning and confirmations among them, and all
    that looks may ask for.
    """
    now = Standing(plan, facts)
    past, unknown = now.histories, History(trial="")
    left = Counter(
        trial.arm for trial in now.may_come.trials if not past.get(trial.id, unknown).settled
    )
    if plan.study.tune is None:
        return left
    for tuning in now.tunings:
        ended = tuning.complete + tuning.pruned + tuning.failed
        left[tuning.search.arm.id] += max(0, tuning.wanted - ended)
    rows = tuned_rows(plan, now.proposals)
    done = Counter(trial.arm for trial in rows.trials if past.get(trial.id, unknown).settled)
    for written, tuned in zip(plan.arms, rows.arms, strict=True):
        left[written.id] += plan.study.most_replicates - done[tuned.id]
    return left


def _price(shape: ArmShape, sample: CostSample, amount: int) -> Price:
    unit = estimate(sample.units, len(sample.units))
    once = sample.setup + sample.end
    return Price(shape, sample, unit, _scaled(unit, amount, once))


def _scaled(one: Estimate, times: float, plus: float = 0.0) -> Estimate:
    """The estimate of so many times a quantity, and a constant."""

    def scaled(value: float | None, plus: float = plus) -> float | None:
        return None if value is None else max(0.0, value * times + plus)

    return Estimate(
        scaled(one.mean),
        scaled(one.low),
        scaled(one.high),
        scaled(one.sd, 0.0),
        one.n,
        one.planned,
    )


def _total(prices: Sequence[Price], slots: int) -> Estimate:
    """The sum over all trials left; shapes are timed apart, so their errors add as squares do."""
    mean = math.fsum((p.trial.mean or 0.0) * p.shape.left for p in prices) / slots
    halves = [
        0.0 if p.trial.half_width is None else p.trial.half_width * p.shape.left for p in prices
    ]
    half = math.hypot(*halves) / slots
    steps = sum(p.trial.n for p in prices)
    return Estimate(mean, max(0.0, mean - half), mean + half, None, steps, steps)


def _ledger_bytes(plan: Plan, facts: Recorded) -> tuple[int, bool]:
    """Bytes of a trial's facts: as completed trials of this plan have, else at most so many."""
    past = Book.of(facts).histories
    ours = [
        past[trial.id]
        for trial in plan.trials
        if trial.id in past and past[trial.id].state is TrialState.COMPLETE
    ]
    if ours:
        return round(sum(map(_bytes, ours)) / len(ours)), True
    lacking = plan.description.unmeasured(plan.arms[0].config)
    metrics = sum(
        metric.source == "trial" and name not in lacking
        for name, metric in plan.description.metrics.items()
    )
    config = _size(plan.arms[0].config)
    return config + plan.study.budget.amount * (_ROW + _BODY + _METRIC * metrics), False


def _bytes(history: History) -> int:
    """Bytes of the facts of a trial's last attempt."""
    attempt, session = history.attempt, history.session
    bodies = [
        Started(attempt, session, worker=(history.workers or ("",))[-1]).body(),
        *(Measured(each, attempt, session).body() for each in history.measurements),
        Ended(history.state, attempt=attempt, session=session).body(),
    ]
    return sum(map(_size, bodies))


def _size(body: Mapping[str, object]) -> int:
    return _ROW + len(json.dumps(body, default=str))
