"""An executor as a stranger would write it: each trial in a process of its own, forked for it."""

from __future__ import annotations

import math
import multiprocessing
from multiprocessing.connection import Connection
from typing import Any, Self

from cbablate.planning.trial import Trial
from cbablate.running.executors.execution import Execution, Order
from cbablate.running.executors.port import NO_LIMITS, Ending, Feed, Grouping, Keeper, tell_end
from cbablate.running.executors.worker import worker_body
from cbablate.running.isolation.children import adopting
from cbablate.running.isolation.isolation import Isolation
from cbablate.running.isolation.limits import Limits
from cbablate.running.isolation.signals import interruptible
from cbablate.spec.needs import Needs
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.importing import unload


class ForkingExecutor:
    """Runs trials one after another, and groups not at all."""

    name = "forking"
    slots = 1

    def __init__(
        self, *, needs: Needs | None = None, slots: int | None = None, address: str | None = None
    ) -> None:
        self._needs = (needs or Needs()).settled(0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        unload()

    def needs_of(self, trial: Trial) -> Needs:
        return (trial.needs or self._needs).settled(0.0)

    def execute(
        self,
        feed: Feed,
        workload: Entry,
        keeper: Keeper | None = None,
        *,
        limits: Limits = NO_LIMITS,
        grouping: Grouping | None = None,
    ) -> None:
        every = keeper.every if keeper else math.inf
        while trials := feed.next():
            (trial,) = trials
            order = Order(workload, trial, every, keeper and keeper.offer(trial), limits)
            ours, theirs = multiprocessing.Pipe()
            fork = multiprocessing.get_context("fork")
            child = fork.Process(target=_run, args=(order, ours, theirs))
            child.start()
            theirs.close()
            feed.started(trial, worker_body())
            try:
                ending = _followed(feed, trial, ours, keeper)
            finally:
                ours.close()
                child.join()
            tell_end(feed, trial, ending)

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        return entry.load()(*arguments, **named)


def _followed(feed: Feed, trial: Trial, child: Connection, keeper: Keeper | None) -> Ending:
    """Pass on what the child tells."""
    try:
        while not isinstance(told := child.recv(), Ending):
            verdict = feed.measured(trial, told.measurement)
            if keeper and told.saved and not verdict.stop:
                keeper.keep(trial, told.saved)
            if told.printed:
                feed.printed(trial, told.printed)
            child.send(verdict.stop)
            if verdict.stop:
                return Ending("stopped", verdict.reason)
    except EOFError:
        return Ending("lost", "the process of the trial died", "lost")
    return told


def _run(order: Order, parents: Connection, driver: Connection) -> None:
    """In the child: the trial, told step by step."""
    parents.close()  # else the driver's end would not be noticed
    with adopting(), interruptible():
        run = Execution(Isolation(), order, fatal=True)
        try:
            told: Any = None
            while not isinstance(told, Ending):
                told = run.next()
                driver.send(told)
                if not isinstance(told, Ending) and driver.recv():
                    break
        except EOFError:  # the driver is gone
            pass
        finally:
            run.close()
            run.end()
