"""`Relay`: passes what Ray Tune tells on to a feed, and what the feed says back."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from ray.tune.search import Searcher

from cbablate.planning.trial import Trial
from cbablate.running.executors.port import NO_LIMITS, Ending, Feed, Keeper, tell_end
from cbablate.running.executors.ray_attempt import Given, RayReport, Room
from cbablate.running.executors.ray_session import RaySession
from cbablate.running.isolation.limits import Limits
from cbablate.spec.needs import Needs
from cbablate.workloads.own_code.entry import Entry

__all__ = ["MOST_RETURNS", "Relay"]

MOST_RETURNS = 3
"""How often a trial that has not begun is given to another worker, when one is gone or unfit."""


class Relay:
    """Passes Ray's events to the feed, and keeps the first error the feed raises.

    Ray logs and forgets some exceptions of its callbacks; a ledger that cannot be written must
    stop the study, so the error is kept here and raised when `fit` is over.
    """

    def __init__(
        self,
        feed: Feed,
        workload: Entry,
        keeper: Keeper | None,
        limits: Limits = NO_LIMITS,
        *,
        session: RaySession | None = None,
        needs_of: Callable[[Trial], Needs] = lambda _trial: Needs(gpus=0.0),
    ) -> None:
        self.session = session
        self.needs_of = needs_of
        self.feed = feed
        self.workload = workload
        self.keeper = keeper
        self.limits = limits
        self.error: Exception | None = None
        self._by_ray: dict[str, Trial] = {}
        self._given: dict[str, Given] = {}
        self._returned: deque[Trial] = deque()
        self._returns: Counter[str] = Counter()
        self._open: set[str] = set()
        self._began: dict[str, float] = {}
        self._heard: dict[str, float] = {}
        self._stopped: dict[str, str] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """An empty shell: Ray pickles its callbacks into a snapshot that nobody reads."""
        return (Relay, (None, None, None, None))

    def propose(self, ray_id: str) -> dict[str, Any] | str | None:
        """The config of a trial for Ray; None if there is none now, or that there is none more."""
        if self.error is not None:
            return str(Searcher.FINISHED)
        try:
            if not self._returned:
                self._returned.extend(self.feed.next())
            if not self._returned:  # one that has not begun may be given back
                over = self.feed.exhausted and not self._given
                return str(Searcher.FINISHED) if over else None
            trial = self._returned.popleft()
            needs = self.needs_of(trial)
            every, saved = math.inf, None
            if self.keeper is not None:
                every, saved = self.keeper.every, self.keeper.offer(trial)
            given = Given(self.workload, trial, every, saved, self.limits)
        except Exception as error:  # noqa: BLE001 - raised again by close()
            self.error = error
            return str(Searcher.FINISHED)
        self._by_ray[ray_id] = trial
        self._given[ray_id] = given
        root, sockets = self.session.worker_roots if self.session else (None, None)
        return {"given": {"value": given}, "room": {"value": Room(needs, root, sockets)}}

    def started(self, ray_id: str, worker: Mapping[str, Any]) -> None:
        """A trial began; what is told of that again is passed by."""
        if ray_id not in self._open:
            self._open.add(ray_id)
            self._given.pop(ray_id).forget()
            self._began[ray_id] = self._heard[ray_id] = time.monotonic()
            self._guard(lambda: self.feed.started(self._by_ray[ray_id], worker))

    def measured(self, ray_id: str, report: RayReport) -> bool:
        """Whether the trial shall stop."""
        trial = self._by_ray[ray_id]
        self._heard[ray_id] = time.monotonic()
        told = report.take()
        try:
            verdict = self.feed.measured(trial, told.measurement)
            if told.printed:
                self.feed.printed(trial, told.printed)
            if self.keeper is not None and told.saved is not None and not verdict.stop:
                self.keeper.keep(trial, told.saved)
        except Exception as error:  # noqa: BLE001 - raised again by close()
            self.error = self.error or error
            return True
        if verdict.stop:
            self._stopped[ray_id] = verdict.reason
        return verdict.stop or self.error is not None

    def ended(self, ray_id: str, ending: Ending) -> None:
        """A trial ended, unless it only goes to another worker, or Ray itself is gone."""
        if ray_id not in self._by_ray:
            return
        if ending.how == "lost" and self.session and self.session.watch.sees_death():
            # All trials die with Ray: none of them has ended, and each goes on in the next run.
            self.error = self.error or self.session.watch.interruption()
            return
        if ending.how == "lost" and self._given_back(ray_id):
            return
        self.started(ray_id, {})  # an actor can die before Ray calls its trial started
        trial = self._by_ray.pop(ray_id)
        self._open.discard(ray_id)
        began, heard = self._began.pop(ray_id), self._heard.pop(ray_id)
        if ending.how == "lost":  # the worker ends itself where code in C holds the trial up
            broken = self.limits.broken(began=began, heard=heard, now=time.monotonic())
            if broken:
                sentence = f"{broken}; its process was ended, since it could not be interrupted"
                ending = Ending("raised", sentence, "timeout", ending.traceback)
        if ray_id in self._stopped:
            ending = Ending("stopped", self._stopped.pop(ray_id))
        self._guard(lambda: tell_end(self.feed, trial, ending))

    def _given_back(self, ray_id: str) -> bool:
        """Whether a trial whose worker is gone had not begun, and is given to another worker."""
        if ray_id in self._open:
            return False
        trial = self._by_ray[ray_id]
        if self._returns[trial.id] >= MOST_RETURNS:
            return False
        self._returns[trial.id] += 1
        self._returned.append(self._by_ray.pop(ray_id))
        self._given.pop(ray_id).forget()
        return True

    def close(self) -> None:
        """Raise what the feed raised."""
        if self.error is not None:
            raise self.error

    def _guard(self, tell: Any) -> None:
        if self.error is not None:
            return
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - raised again by close()
            self.error = error
