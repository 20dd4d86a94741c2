"""`LocalExecutor`: trials in this process, one after another; needs no library but ours."""

from __future__ import annotations

import atexit
import contextlib
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, NamedTuple, Self

from cbablate.errors import EnvironmentFault, UsageError
from cbablate.phrases import counted
from cbablate.planning.trial import Trial
from cbablate.records.state import Verdict
from cbablate.running.executors.checkpoint_transport import Saved
from cbablate.running.executors.devices import unused_gpus, visible_gpus
from cbablate.running.executors.execution import Execution, GroupOrder, Order
from cbablate.running.executors.group_stream import MemberTold
from cbablate.running.executors.port import NO_LIMITS, Ending, Feed, Grouping, Keeper, tell_end
from cbablate.running.executors.ray_capacity import LOWER
from cbablate.running.executors.ray_folder import ROOTS, listen_in_a_short_folder
from cbablate.running.executors.stream import Report
from cbablate.running.executors.worker import worker_body
from cbablate.running.isolation.children import adopting, in_this_process
from cbablate.running.isolation.isolation import Isolation, Remains
from cbablate.running.isolation.limits import Limits
from cbablate.running.isolation.scratch import clear_abandoned, remove_scratch
from cbablate.running.isolation.signals import Stopped, interruptible
from cbablate.spec.needs import Needs
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.importing import unload

__all__ = ["LocalExecutor"]


class LocalExecutor:
    """Runs trials in the order the feed gives them, or groups of them, in the driver's own process.

    Raises:
        UsageError: it is given a word that is one for other executors.
    """

    name = "local"
    slots = 1

    def __init__(
        self, *, needs: Needs | None = None, slots: int | None = None, address: str | None = None
    ) -> None:
        if any(word is not None for word in (needs, slots, address)):
            raise UsageError(
                "trials in this process run one after another on what it sees: GPUs per "
                "trial, slots and a Ray address are words for 'ray'"
            )
        self._isolation = Isolation()
        self._warned = False
        self._gpus: int | None = None

    def __enter__(self) -> Self:
        clear_abandoned(*ROOTS)
        listening = listen_in_a_short_folder()
        if listening is not None:  # multiprocessing goes on using it as long as the process lives
            atexit.register(remove_scratch, listening)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        unload()  # whoever imports the user's modules next gets them from their files

    def needs_of(self, trial: Trial) -> Needs:
        """Nothing is reserved; a workload that finds a GPU has it alone.

        Raises:
            EnvironmentFault: the workload's `needs` ask for more GPUs than there are.
        """
        if trial.needs and trial.needs.gpus:
            if self._gpus is None:
                self._gpus = visible_gpus()
            if trial.needs.gpus > self._gpus:
                raise EnvironmentFault(
                    f"a trial takes {trial.needs}, and this process sees "
                    f"{counted(self._gpus, 'GPU')}. {LOWER}"
                )
        return Needs(gpus=0.0)

    def execute(
        self,
        feed: Feed,
        workload: Entry,
        keeper: Keeper | None = None,
        *,
        limits: Limits = NO_LIMITS,
        grouping: Grouping | None = None,
    ) -> None:
        """Run what the feed gives until it gives nothing: with one slot, nothing else can come.

        A limit ends a trial between two steps of its Python code; one that code in C holds up goes
        on for as long as it is held up.
        """
        unused = unused_gpus()
        if unused:
            print(f"cbablate: {unused}", file=sys.stderr)
        most = grouping.most if grouping else 1
        with adopting(), interruptible():
            while trials := feed.next(most):
                if grouping is None or len(trials) == 1:
                    self._run_alone(feed, trials[0], workload, keeper, limits)
                else:
                    self._run_group(feed, trials, grouping.entry, keeper, limits)

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        """Call a function here and now."""
        self._isolation.begin()
        try:
            with adopting(), self._isolation.turn(), in_this_process():
                return self._isolation.load(entry)(*arguments, **named)
        finally:
            self._isolation.end()

    def _run_alone(
        self, feed: Feed, trial: Trial, workload: Entry, keeper: Keeper | None, limits: Limits
    ) -> None:
        every, saved = _offered(keeper, trial)
        feed.started(trial, worker_body())
        run = Execution(self._isolation, Order(workload, trial, every, saved, limits))
        del saved  # it may be large
        with self._tidied(run):
            ending = self._followed(feed, trial, run, keeper)
        tell_end(feed, trial, ending)

    def _run_group(
        self,
        feed: Feed,
        trials: Sequence[Trial],
        workload: Entry,
        keeper: Keeper | None,
        limits: Limits,
    ) -> None:
        offers = [_offered(keeper, trial) for trial in trials]
        for trial in trials:
            feed.started(trial, worker_body())
        every, saved = offers[0].every, [offer.saved for offer in offers]
        run = Execution(self._isolation, GroupOrder(workload, trials, every, saved, limits))
        del offers, saved
        open_ = dict(enumerate(trials))
        with self._tidied(run):
            ending = self._group_followed(feed, open_, run, keeper)
        for trial in open_.values():
            feed.ended(trial, ending)

    @contextlib.contextmanager
    def _tidied(self, run: Execution[Any]) -> Iterator[None]:
        """An attempt is closed and ended at the end of the block."""
        try:
            yield
        finally:
            with contextlib.suppress(Stopped):  # it is raised already
                run.close()
            remains = run.end()
        self._warn(remains)

    def _followed(
        self, feed: Feed, trial: Trial, run: Execution[Report], keeper: Keeper | None
    ) -> Ending:
        """Pass on what a trial tells; how it ended."""
        while True:
            told = run.next()
            if isinstance(told, Ending):
                return told
            verdict = _judged(feed, trial, told, keeper)
            if verdict.stop:
                ending = _stopped(verdict, run.close())
                return replace(ending, printed=run.printed())

    def _group_followed(
        self,
        feed: Feed,
        open_: dict[int, Trial],
        run: Execution[MemberTold],
        keeper: Keeper | None,
    ) -> Ending:
        """Pass on what a group tells, until the members that are left in `open_` have one end."""
        stop: set[int] = set()
        while True:
            step = run.next(stop or None)
            if isinstance(step, Ending):
                return step
            stop, member = set(), step.member
            if isinstance(step.told, Ending):
                feed.ended(open_.pop(member), step.told)
            else:
                verdict = _judged(feed, open_[member], step.told, keeper)
                if verdict.stop and len(open_) == 1:
                    return _stopped(verdict, run.close())
                if verdict.stop:
                    stop.add(member)
                    feed.ended(open_.pop(member), _stopped(verdict))

    def _warn(self, remains: Remains) -> None:
        """Say once that trials leave behind what nobody can put back here."""
        if remains.stays and not self._warned:
            self._warned = True
            print(
                f"a trial left behind what stays in this process: {', '.join(remains.stays)}. The "
                "trials after it may differ from what they would be alone; without --on local each "
                "gets a process that is as new.",
                file=sys.stderr,
            )


class _Offer(NamedTuple):
    """How often a trial shall leave a checkpoint, in seconds, and what it goes on from."""

    every: float
    saved: Saved | None


def _offered(keeper: Keeper | None, trial: Trial) -> _Offer:
    return _Offer(keeper.every, keeper.offer(trial)) if keeper else _Offer(math.inf, None)


def _judged(feed: Feed, trial: Trial, told: Report, keeper: Keeper | None) -> Verdict:
    """What the feed says to a measurement; what was left with it is kept if the trial goes on."""
    verdict = feed.measured(trial, told.measurement)
    if keeper and told.saved and not verdict.stop:
        keeper.keep(trial, told.saved)
    if told.printed:
        feed.printed(trial, told.printed)
    return verdict


def _stopped(verdict: Verdict, complaint: str = "") -> Ending:
    return Ending("stopped", "; ".join(filter(None, [verdict.reason, complaint])))
