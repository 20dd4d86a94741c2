"""`stream_of`: what a user's function measures, whether it yields, reports or returns it."""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.workloads.own_code.current_trial import CurrentTrial
from cbablate.workloads.own_code.declaration import taken_by
from cbablate.workloads.own_code.fiber import Fiber
from cbablate.workloads.own_code.tally import Reported, Tally

__all__ = ["ReportedStream", "stream_of"]


def stream_of(function: Callable[..., Any], trial: CurrentTrial) -> Any:
    """What a function measures for a trial, one by one: an iterator, if it is a workload.

    It is given as much of the trial as its parameters take. One that takes no seed finds the
    generators of Python, and of NumPy and PyTorch if they are imported, started from it.

    Raises:
        Exception: whatever calling the function raises.
    """
    positional, names = taken_by(function)
    named = {name: getattr(trial, name) for name in names}

    def call() -> Any:
        if "seed" not in names:
            _start_generators(trial.seed)
        return function(trial.config, **named) if positional else function(**named)

    return call() if inspect.isgeneratorfunction(function) else ReportedStream(call, trial)


class ReportedStream:
    """The measurements that a function reports and returns; closing it stops the function.

    Nothing of the function runs before the first is asked for. If it returns an iterator, the
    measurements of that come after those that it reported.
    """

    def __init__(self, call: Callable[[], Any], trial: CurrentTrial) -> None:
        self.trial = trial
        self._call = call
        self._tally = Tally(trial.budget)
        self._given = trial.checkpoint.found is not None
        self._anchored = False
        self._fiber: Fiber | None = None
        self._rest: Iterator[Any] | None = None
        self._refused: Exception | None = None
        self._over = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._over:
            raise StopIteration
        if self._rest is not None:
            return next(self._rest)
        self._fiber = self._fiber or Fiber(self._run, self)
        try:
            handed = self._fiber.resume()
        except BaseException:
            self._over = True
            raise
        if self._refused is not None:  # and the function has caught that
            self._over = True
            raise self._refused
        if not self._fiber.over:
            return handed
        if isinstance(handed, Iterator):
            self._rest = handed
            return next(self)
        self._over = True
        last = self._tally.end(handed)
        if last is None:
            raise StopIteration
        return last

    def close(self) -> None:
        """Stop the function where it reports.

        Raises:
            BaseException: whatever it raises on that.
        """
        self._over = True
        if self._fiber is not None:
            self._fiber.stop()
        close = getattr(self._rest, "close", None)
        if close is not None:
            close()

    def take(self, reported: Reported) -> None:
        """Called where the function reports: hand on what that comes to.

        A report that cannot be taken fails the trial, even if the function catches the error: the
        reports after it would each be counted one too low.

        Raises:
            TrialStopped: nothing more is wanted.
            TrialFailure: it cannot be taken.
        """
        if self._fiber is None:
            raise RuntimeError("a report came before the function was called")
        self._fiber.heed()
        if self._refused is not None:
            self._fiber.halt(None)  # for good
        try:
            self._anchor(reported)
            measurement = self._tally.taken(reported)
        except Exception as error:
            self._refused = error
            raise
        if measurement is not None:
            self._fiber.halt(measurement)

    def _anchor(self, reported: Reported) -> None:
        """Counting from the start is right only where the training cannot have begun elsewhere.

        Raises:
            TrialFailure: nothing has said yet what is spent, and there is a checkpoint.
        """
        self._anchored = self._anchored or reported.spent is not None
        if self._anchored or not (self._given or self.trial.checkpoint.found is not None):
            return
        what = "was given the checkpoint of an earlier attempt" if self._given else "left one"
        raise TrialFailure(
            f"a function with a checkpoint says what is spent, and this one, which {what}, called "
            "cbablate.report() without: write cbablate.report({...}, spent=epoch), so that a "
            "training that goes on is not counted from the start"
        )

    def _run(self) -> Any:
        try:
            return self._call()
        except StopIteration as error:  # it would be taken for the end
            raise RuntimeError("the function raised StopIteration") from error


def _start_generators(seed: int) -> None:
    random.seed(seed)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    if torch is not None:
        torch.manual_seed(seed % 2**63)
