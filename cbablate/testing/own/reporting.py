"""The workloads beside this file as functions that report, for the contract of executors.

Every generator of `hostile` and `streams` is here under its own name, as a function that does not
yield: it hands what the generator yields to `cbablate.report`.
"""

from __future__ import annotations

import contextlib
import decimal
import inspect
import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import hostile  # type: ignore[import-not-found]  # beside this file
import streams  # type: ignore[import-not-found]
from greenlet import greenlet

import cbablate
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget


def __getattr__(name: str) -> Callable[..., None]:
    yielding = getattr(hostile, name, None) or getattr(streams, name, None)
    if not inspect.isgeneratorfunction(yielding):
        raise AttributeError(name)

    def workload(config: Mapping[str, Any], *, seed: int, budget: Budget, workdir: Path) -> None:
        with contextlib.closing(
            yielding(config, seed=seed, budget=budget, workdir=workdir)
        ) as measurements:
            for each in measurements:
                cbablate.report(
                    each.metrics, spent=each.spent, vectors=each.vectors, notes=each.notes
                )

    return workload


def misbehaves(config: dict[str, Any], budget: Budget) -> Any:
    """Does what its config asks, which no function should."""
    how = config["how"]
    config["how"] = "altered"
    if how == "nothing":
        return None
    if how == "a number":
        return 0.5
    if how == "no mapping":
        cbablate.report(0.5)  # type: ignore[arg-type]  # on purpose
    elif how == "a word":
        cbablate.report({"val/score": "good"})
    elif how == "vectors in words":
        cbablate.report({"val/score": 1.0}, vectors="many")  # type: ignore[arg-type]  # on purpose
    elif how == "backwards":
        cbablate.report({"val/score": 1.0}, spent=1)
        cbablate.report({"val/score": 1.0}, spent=1)
    elif how == "too much":
        cbablate.report({"val/score": 1.0}, spent=budget.amount + 1)
    elif how == "once too often":
        for _ in range(budget.amount + 1):
            cbablate.report({"val/score": 1.0})
    elif how == "two values":
        cbablate.report({"val/score": 1.0}, spent=budget.amount)
        return {"val/score": 2.0}
    elif how == "altered":
        raise ValueError("the config of one trial was altered by another")
    else:
        cbablate.report({"val/score": 1.0}, spent=budget.amount)
    return None


def goes_on(config: Mapping[str, Any], budget: Budget) -> None:
    """Catches what stops it, and does what its config asks."""
    how = config["how"]
    for spent in range(1, budget.amount):
        try:
            cbablate.report({"val/score": 1.0}, spent=spent)
        except cbablate.TrialStopped:
            if how == "raises":
                raise RuntimeError("not now") from None
            if how.startswith("ends"):
                return
            with contextlib.suppress(cbablate.TrialStopped):
                cbablate.report({"val/score": 1.0})
            while how == "reports for ever":
                with contextlib.suppress(BaseException):
                    cbablate.report({"val/score": 1.0})
            return


def reports_from(config: Mapping[str, Any]) -> None:
    """Reports from where its config says."""
    how = config["how"]
    if how == "thread":
        thread = threading.Thread(target=cbablate.report, args=({"val/score": 1.0},))
        thread.start()
        thread.join()
        cbablate.report({"val/score": 1.0})
    elif how == "process":
        with multiprocessing.get_context("fork").Pool(1) as pool:
            pool.apply(cbablate.report, ({"val/score": 1.0},))
    else:
        _nested(50)


def _nested(depth: int) -> None:
    """Reports with a hundred frames, a context and an exception around it."""
    if depth:
        try:
            raise LookupError(str(depth))
        except LookupError:
            with decimal.localcontext(prec=depth):
                _nested(depth - 1)
                if decimal.getcontext().prec != depth:
                    raise ValueError("another's context") from None
    else:
        greenlet(lambda: cbablate.report({"val/score": 1.0})).switch()


def yields_and_reports(config: Mapping[str, Any], budget: Budget) -> Iterator[Measurement]:
    """Does both, which cannot be."""
    cbablate.report({"val/score": 1.0})
    yield Measurement(budget.amount, {"val/score": 1.0})


def tests_last(config: Mapping[str, Any], budget: Budget) -> dict[str, float] | None:
    """Tests once, after training."""
    how = config["how"]
    for _ in range(budget.amount):
        cbablate.report({"val/score": float("nan") if how == "both" else 1.0})
    if how == "returned":
        return {"test/score": 1.0}
    cbablate.report({"test/score": 1.0})
    return {"val/score": float("nan"), "test/score": 1.0} if how == "both" else None


def draws(config: Mapping[str, Any]) -> dict[str, float]:
    """Draws a number from its seed, which it does not take."""
    trial = cbablate.current_trial()
    if trial is None or trial.config != config or not trial.workdir.is_dir():
        raise ValueError(f"this is {trial}")
    return {"seed": float(trial.seed), "draw": random.random()}
