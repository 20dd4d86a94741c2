"""What a person reads of the cost of trials: `cbablate plan STUDY --probe`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cbablate.analysis.forecast import Forecast, Price
from cbablate.phrases import counted, duration
from cbablate.planning.plan import Plan
from cbablate.statistics.estimate import Estimate

__all__ = ["probe_lines", "probe_shape"]

_NAMED = 3
"""So many arms of a shape are named; of more, the count is given."""


def probe_lines(plan: Plan, found: Forecast) -> Iterator[str]:
    """A line for each shape, then what all that is left takes."""
    unit = plan.study.budget.unit
    device = next((price.sample.device for price in found.prices if price.sample.device), "")
    yield f"Probed on this machine{f' ({device})' if device else ''}, one trial at a time:"
    for price in found.prices:
        yield from _price_lines(price, unit)
    each = f"{'' if found.measured else 'at most '}{_size(found.bytes)}"
    yield f"Disk: {each} of ledger a trial, {_size(found.bytes * found.left)} for those left."
    if not found.left:
        yield "Nothing is left to train."
    elif found.seconds is None:
        yield "Time: unknown, as not every shape could be probed."
    else:
        most = "at most " if plan.study.tune or plan.study.sequential else ""
        yield (
            f"Time for {most}{counted(found.left, 'trial')} on "
            f"{counted(found.slots, 'slot')}: {_interval(found.seconds)}, if trials side by side "
            "do not slow each other."
            if found.slots > 1
            else f"Time for {most}{counted(found.left, 'trial')} on one slot: "
            f"{_interval(found.seconds)}."
        )
    yield "Intervals are 95 % over the timed steps; another load of the machine changes them."


def probe_shape(found: Forecast) -> dict[str, Any]:
    """The key `probe` of `cbablate plan --probe --json`."""
    total = found.seconds
    return {
        "slots": found.slots,
        "left": found.left,
        "seconds": total.mean if total else None,
        "seconds_low": total.low if total else None,
        "seconds_high": total.high if total else None,
        "ledger_bytes_per_trial": found.bytes,
        "ledger_bytes_measured": found.measured,
        "shapes": [_shape(price) for price in found.prices],
    }


def _shape(price: Price) -> dict[str, Any]:
    sample = price.sample
    return {
        "arms": [arm.id for arm in price.shape.arms],
        "left": price.shape.left,
        "failure": sample.failure or None,
        "device": sample.device or None,
        "memory_bytes": sample.memory or None,
        "steps": len(sample.units),
        "seconds_setup": None if sample.failure else sample.setup,
        "seconds_end": None if sample.failure else sample.end,
        "seconds_per_unit": price.unit.mean,
        "seconds_per_unit_low": price.unit.low,
        "seconds_per_unit_high": price.unit.high,
        "seconds_per_trial": price.trial.mean,
        "seconds_per_trial_low": price.trial.low,
        "seconds_per_trial_high": price.trial.high,
    }


def _price_lines(price: Price, unit: str) -> Iterator[str]:
    names = [arm.name for arm in price.shape.arms]
    more = len(names) - _NAMED
    said = ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    yield f"  {said}"
    if price.sample.failure:
        yield f"    cannot be probed: {price.sample.failure}"
        return
    yield (
        f"    {_interval(price.unit)} {'an epoch' if unit == 'epochs' else 'a step'}, "
        f"{_interval(price.trial)} a trial, {_size(price.sample.memory)} of memory "
        f"({counted(len(price.sample.units), 'step')} timed)"
    )


def _interval(one: Estimate) -> str:
    if one.mean is None:
        return "unknown"
    if one.low is None or one.high is None:
        return _seconds(one.mean)
    return f"{_seconds(one.mean)} ({_seconds(one.low)} to {_seconds(one.high)})"


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else duration(seconds)


def _size(number: float) -> str:
    """A size in the unit that suits it, of a thousand each."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while number >= 1000 and len(units) > 1:
        number /= 1000
        del units[0]
    return f"{number:.3g} {units[0]}"
