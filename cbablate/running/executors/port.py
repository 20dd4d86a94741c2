"""`Executor`: the port to whatever runs trials, and `Feed`, what it runs them for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from cbablate.errors import TrialFailure
from cbablate.planning.trial import Trial
from cbablate.records.measurement import Measurement
from cbablate.records.state import FAILURES, Verdict
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.running.isolation.error_text import message, sentence, trace
from cbablate.running.isolation.limits import Limits
from cbablate.workloads.own_code.entry import Entry

__all__ = ["NO_LIMITS", "Ending", "Executor", "Feed", "Keeper", "raised"]


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Ending:
    """How an executor saw an attempt end; what that makes of the trial, the feed decides.

    `finished`: its stream ran out. `stopped`: closed on the feed's verdict. `raised`: it raised.
    `lost`: its process died.
    """

    how: Literal["finished", "stopped", "raised", "lost"]
    sentence: str = ""
    failure: str = "error"
    traceback: str = ""


class Feed(Protocol):
    """Where an executor gets trials from and tells what became of them; called from one thread."""

    def next(self) -> Trial | None:
        """The next trial to start; None if there is none now."""
        ...

    @property
    def exhausted(self) -> bool:
        """Whether `next` will never again give a trial."""
        ...

    def started(self, trial: Trial, worker: Mapping[str, Any]) -> None:
        """The trial has a slot and begins.

        `worker` is what its process says of itself (`running.worker.worker_body`); empty where
        that process died before it could.
        """
        ...

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        """The trial reported; the verdict says whether it goes on."""
        ...

    def ended(self, trial: Trial, ending: Ending) -> None:
        """The trial's slot is free."""
        ...


class Keeper(Protocol):
    """Who keeps the checkpoints of trials that are under way; called from the feed's thread.

    Asked before the feed is told that a trial started. Given what a trial left with a measurement
    after the feed was told of that, and only if the trial goes on.
    """

    every: float
    """How many seconds shall lie between two checkpoints of a trial."""

    def offer(self, trial: Trial) -> Saved | None:
        """What the trial goes on from; None if it starts from the beginning."""
        ...

    def keep(self, trial: Trial, saved: Saved) -> None:
        """Keep this in the place of the trial's last one."""
        ...


class Executor(Protocol):
    """Runs trials. Used as a context manager, which holds what it needs (a Ray session, say).

    Contract (tests/contracts/executor.py): every trial the feed gives is started once and ended
    once, its measurements in between and in order; after a stopping verdict a trial yields no
    more, and its stream is closed; whatever one trial raises, alters or leaves behind touches no
    other; an error in the feed ends `execute` and is raised from it.
    """

    name: str
    slots: int
    """How many trials run at a time."""
    gpus: float
    """The share of a GPU that a trial takes."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def execute(
        self,
        feed: Feed,
        workload: Entry,
        keeper: Keeper | None = None,
        *,
        limits: Limits = NO_LIMITS,
    ) -> None:
        """Run what the feed gives until it is exhausted; without a keeper, from the beginning.

        An attempt that breaks a limit has `raised`, with the failure `timeout`.
        """
        ...

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        """Call a function where trials run, with nothing running beside it."""
        ...


def raised(error: BaseException) -> Ending:
    """The ending of an attempt whose workload raised; of any error, also one that cannot be put
    into words.
    """
    failure = getattr(error, "failure", "") if isinstance(error, TrialFailure) else "error"
    return Ending(
        how="raised",
        sentence=message(error) if isinstance(error, TrialFailure) else sentence(error),
        failure=failure if failure in FAILURES else "error",
        traceback=trace(error),
    )
