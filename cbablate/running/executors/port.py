"""`Executor`: the port to whatever runs trials, and `Feed`, what it runs them for.

The order of calls, for each group of trials, which is one trial for most executors:

```text
executor                        feed                             keeper
   | next(most) ----------------> trials that are alike
   |                                  each of them:
   | offer(trial) --------------------------------------------> what it goes on from
   | started(trial, worker) ----> "an attempt began"
   |
   |     the workload works, until it has a measurement of one of them:
   |
   | measured(trial, m) --------> a verdict
   | printed(trial, text) ------> "what its program prints", if it runs one
   | keep(trial, saved) --------------------------------------> "kept", if it goes on
   |
   |     a trial is stopped, raises, or the workload comes to its end:
   |
   | ended(trial, ending) ------> "its slot is free", once for each
   |
   | next(most) ----------------> none; `exhausted`: execute returns
```

Calls about different trials come in any order, those about one in this one, all from one thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from cbablate.errors import TrialFailure
from cbablate.planning.trial import Trial
from cbablate.records.measurement import Measurement
from cbablate.records.state import FAILURES, Verdict
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.running.isolation.error_text import message, sentence
from cbablate.running.isolation.error_text import trace as trace_of
from cbablate.running.isolation.limits import Limits
from cbablate.spec.needs import Needs
from cbablate.workloads.own_code.entry import Entry

__all__ = ["NO_LIMITS", "Ending", "Executor", "Feed", "Grouping", "Keeper", "raised", "tell_end"]


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Ending:
    """How an executor saw an attempt end; what that makes of the trial, the feed decides.

    `finished`: its stream ran out. `stopped`: closed on the feed's verdict. `raised`: it raised.
    `lost`: its process died. `printed` is what its program has printed since its last measurement.
    """

    how: Literal["finished", "stopped", "raised", "lost"]
    sentence: str = ""
    failure: str = "error"
    traceback: str = ""
    printed: bytes = b""


@dataclass(frozen=True)
class Grouping:
    """How trials are trained together: the entry of a `workloads.port.GroupWorkload`, and how many
    at most.
    """

    entry: Entry
    most: int


class Feed(Protocol):
    """Where an executor gets trials from and tells what became of them; called from one thread."""

    def next(self, most: int = 1) -> Sequence[Trial]:
        """The next trials to start, at most so many and alike, so that a workload can train them
        together; none if there is none now.
        """
        ...

    @property
    def exhausted(self) -> bool:
        """Whether `next` will never again give a trial."""
        ...

    def started(self, trial: Trial, worker: Mapping[str, Any]) -> None:
        """The trial has a slot and begins.

        `worker` is what its process says of itself (`running.executors.worker.worker_body`);
        empty where that process died before it could.
        """
        ...

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        """The trial reported; the verdict says whether it goes on."""
        ...

    def printed(self, trial: Trial, text: bytes) -> None:
        """The trial runs a program, which has printed this since; some of it may be left out."""
        ...

    def ended(self, trial: Trial, ending: Ending) -> None:
        """The trial's slot is free. What the ending has `printed` was told before."""
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

    Contract (`cbablate.testing.executor`): every trial the feed gives is started once and ended
    once, its measurements in between and in order; after a stopping verdict a trial yields no
    more, and its stream is closed; whatever one trial raises, alters or leaves behind touches no
    other, be it of the same group; an error in the feed ends `execute` and is raised from it.

    A group's stream yields a measurement with its member, or an error with it: that member has then
    `raised`, and no other. It is sent the members that are to stop. What the stream itself raises
    is every open member's, and so is a limit that is broken. An executor that runs no groups asks
    for one trial at a time, and passes the grouping by.
    """

    name: str
    slots: int
    """How many trials, or groups of them, run at a time."""

    def needs_of(self, trial: Trial) -> Needs:
        """What is reserved for the trial."""
        ...

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
        grouping: Grouping | None = None,
    ) -> None:
        """Run what the feed gives until it is exhausted; without a keeper, from the beginning.

        An attempt that breaks a limit has `raised`, with the failure `timeout`.
        """
        ...

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        """Call a function where trials run, with nothing running beside it."""
        ...


def tell_end(feed: Feed, trial: Trial, ending: Ending) -> None:
    """Tell a feed how an attempt ended, after what its program printed at last."""
    if ending.printed:
        feed.printed(trial, ending.printed)
    feed.ended(trial, ending)


def raised(error: BaseException) -> Ending:
    """The ending of an attempt whose workload raised; of any error, also one that cannot be put
    into words.
    """
    failure, trace = "error", ""
    if isinstance(error, TrialFailure):
        failure, trace = getattr(error, "failure", ""), getattr(error, "trace", "")
    return Ending(
        how="raised",
        sentence=message(error) if isinstance(error, TrialFailure) else sentence(error),
        failure=failure if failure in FAILURES else "error",
        traceback=trace or trace_of(error),
    )
