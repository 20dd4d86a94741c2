"""`RayExecutor`: trials placed by Ray Tune; with `ray_attempt.py` all there is of Ray.

Ray Tune does what it is good at: it places trials on cores, GPUs and machines, in one
`Tuner.fit` for a whole study, on warm actors that take one trial after another. It decides
nothing: a thin `Searcher` asks our feed for the next trial, a relay `TrialScheduler` passes on
the feed's verdicts, and what it writes to disk is thrown away.
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cbablate.errors import EnvironmentFault
from cbablate.planning.trial import Trial
from cbablate.running.executors.devices import unused_gpus
from cbablate.running.executors.port import NO_LIMITS, Ending, Feed, Keeper
from cbablate.running.executors.ray_room import nodes_of, room, whole_gpus
from cbablate.running.executors.ray_session import RaySession
from cbablate.running.isolation.limits import Limits
from cbablate.workloads.own_code.entry import Entry

try:
    import ray
    from ray import tune
    from ray.tune.schedulers import FIFOScheduler, TrialScheduler
    from ray.tune.search import Searcher

    from cbablate.running.executors.ray_attempt import (
        RETURNED,
        Attempt,
        Began,
        Given,
        Report,
        called,
    )
except ImportError as error:
    raise EnvironmentFault(
        f"Ray Tune cannot be imported ({error}). Install it with `pip install 'ray[tune]'`, or run "
        "the trials in this process with --on local."
    ) from error

__all__ = ["RayExecutor"]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""Ray colours the names of its tasks, wherever they are written."""

MOST_RETURNS = 3
"""How often a trial that has not begun is given to another worker, when one is gone or unfit."""


class RayExecutor:
    """Runs trials side by side on an embedded Ray, or on a cluster that is named.

    Args:
        gpus_per_trial: share of a GPU that a trial takes; None for one if the machine has GPUs,
            else none. Fractions place several trials on one GPU; memory is not limited by it.
        cpus_per_trial: cores a trial takes; a trial computes on one thread whatever it is.
        slots: most trials at a time; None for as many as fit.
        address: a running cluster to join; None for an embedded one on this machine, whatever
            `RAY_ADDRESS` says.
    """

    name = "ray"

    def __init__(
        self,
        *,
        gpus_per_trial: float | None = None,
        cpus_per_trial: float = 1,
        slots: int | None = None,
        address: str | None = None,
    ) -> None:
        self._gpus_wanted = gpus_per_trial
        self.gpus = gpus_per_trial or 0.0
        self._cpus = cpus_per_trial
        self._slots_wanted = slots
        self._session = RaySession(address)
        self.slots = slots or 1

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as exits:
            exits.enter_context(self._session)
            self._settle()
            exits.pop_all()
        return self

    def _settle(self) -> None:
        """See how many trials fit."""
        nodes = nodes_of(ray.nodes())
        if self._gpus_wanted is None:
            self.gpus = whole_gpus(nodes)
            unused = "" if self.gpus else unused_gpus("Ray sees none of them")
            if unused:
                print(f"cbablate: {unused}", file=sys.stderr)
        fit = room(nodes, cpus=self._cpus, gpus=self.gpus)
        self.slots = min(fit, self._slots_wanted or fit)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def execute(
        self,
        feed: Feed,
        workload: Entry,
        keeper: Keeper | None = None,
        *,
        limits: Limits = NO_LIMITS,
    ) -> None:
        """Run what the feed gives, `slots` at a time, until it is exhausted."""
        relay = _Relay(feed, workload, keeper, limits, session=self._session, gpus=self.gpus)
        resources: dict[str, float] = {"cpu": self._cpus}
        if self.gpus:
            resources["gpu"] = self.gpus
        tuner = tune.Tuner(
            tune.with_resources(Attempt, resources),
            tune_config=tune.TuneConfig(
                search_alg=_Proposals(relay),
                scheduler=_Verdicts(relay),
                num_samples=-1,
                max_concurrent_trials=self.slots,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=str(self._session.scratch / "tune"),
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # ours are kept
            ),
        )
        with _quiet_logs(), self._session.watch.guarding():
            try:
                tuner.fit()
            except Exception as error:
                relay.close()
                raise EnvironmentFault(
                    f"Ray Tune ended the study: {type(error).__name__}: {error}. What had finished "
                    "is kept; run the study again to go on."
                ) from error
        relay.close()

    def call(self, entry: Entry, *arguments: Any, **named: Any) -> Any:
        """Call a function in a worker that holds a whole machine, so that nothing runs beside it.

        On a cluster it waits until one machine's cores (and a GPU) are free.
        """
        gpus = 1 if self.gpus else 0
        given = gpus, *self._session.worker_roots
        remote = ray.remote(called).options(
            num_cpus=self._cores_of_one_machine(),
            num_gpus=gpus,
            max_retries=0,
            runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}},
        )
        try:
            with self._session.watch.guarding():
                return ray.get(remote.remote(entry, arguments, named, given))
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, Exception) else error) from None
        except ray.exceptions.RayError as error:
            raise EnvironmentFault(f"a worker of Ray died: {error}") from error

    def _cores_of_one_machine(self) -> float:
        """The cores of the smallest machine that takes trials: all of them means nobody beside."""
        nodes = nodes_of(ray.nodes())
        takes = [node for node in nodes if node.holds(cpus=self._cpus, gpus=self.gpus)]
        return min((node.cpus for node in takes), default=1.0)


class _Relay:
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
        gpus: float = 0,
    ) -> None:
        self.session = session
        self.gpus = gpus
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
        return (_Relay, (None, None, None, None))

    def propose(self, ray_id: str) -> dict[str, Any] | str | None:
        if self.error is not None:
            return str(Searcher.FINISHED)
        try:
            trial = self._returned.popleft() if self._returned else self.feed.next()
            if trial is None:  # one that has not begun may be given back
                over = self.feed.exhausted and not self._given
                return str(Searcher.FINISHED) if over else None
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
        return {"given": {"value": given}, "room": {"value": (self.gpus, root, sockets)}}

    def started(self, ray_id: str, worker: Mapping[str, Any]) -> None:
        if ray_id not in self._open:
            self._open.add(ray_id)
            self._given.pop(ray_id).forget()
            self._began[ray_id] = self._heard[ray_id] = time.monotonic()
            self._guard(lambda: self.feed.started(self._by_ray[ray_id], worker))

    def measured(self, ray_id: str, report: Report) -> bool:
        """Whether the trial shall stop."""
        trial = self._by_ray[ray_id]
        self._heard[ray_id] = time.monotonic()
        measurement, saved = report.take()
        try:
            verdict = self.feed.measured(trial, measurement)
            if self.keeper is not None and saved is not None and not verdict.stop:
                self.keeper.keep(trial, saved)
        except Exception as error:  # noqa: BLE001 - raised again by close()
            self.error = self.error or error
            return True
        if verdict.stop:
            self._stopped[ray_id] = verdict.reason
        return verdict.stop or self.error is not None

    def ended(self, ray_id: str, ending: Ending) -> None:
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
        self._guard(lambda: self.feed.ended(trial, ending))

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
        if self.error is not None:
            raise self.error

    def _guard(self, tell: Any) -> None:
        if self.error is not None:
            return
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - raised again by close()
            self.error = error


class _Proposals(Searcher):
    """Asks the feed for the next trial when Ray has a slot."""

    def __init__(self, relay: _Relay) -> None:
        super().__init__()
        self._relay = relay

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        return self._relay.propose(trial_id)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing: the scheduler is told with more detail."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the ledger remembers."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: a study is run again from the ledger."""


class _Verdicts(FIFOScheduler):
    """Tells the feed what trials report, and Ray what the feed decides."""

    def __init__(self, relay: _Relay) -> None:
        super().__init__()
        self._relay = relay

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        told = result["report/value"]
        if isinstance(told, Began):
            self._relay.started(trial.trial_id, told.worker)
            return str(TrialScheduler.CONTINUE)
        if told == RETURNED:  # its next step raises, which has Ray Tune replace the worker
            return str(TrialScheduler.CONTINUE)
        stop = self._relay.measured(trial.trial_id, told)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        told = result["report/value"]
        if isinstance(told, EnvironmentFault):
            self._relay.error = self._relay.error or told
            return
        ended = told if isinstance(told, Ending) else Ending("stopped")
        self._relay.ended(trial.trial_id, ended)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        cause = _cause(trial)
        line = next(filter(None, map(str.strip, cause.splitlines()[1:])), "")
        why = f": {line[:300]}" if line else ""
        self._relay.ended(
            trial.trial_id, Ending("lost", f"the process of the trial died{why}", "lost", cause)
        )


def _cause(trial: Any) -> str:
    """What Ray knows of a trial's end; Ray Tune has written it down, but not yet stored it."""
    try:
        text = Path(str(trial.error_file)).read_text(encoding="utf-8", errors="replace")
    except (OSError, TypeError):
        text = str(trial.get_error() or "")
    return _COLOUR.sub("", text)


class _quiet_logs:  # noqa: N801 - reads as a function
    """Keeps Ray Tune's own words off stderr, but for what it calls critical, during `fit`."""

    def __enter__(self) -> None:
        self._before = logging.getLogger("ray.tune").level
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("ray.tune").setLevel(self._before)
