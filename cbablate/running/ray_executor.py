"""`RayExecutor`: trials placed by Ray Tune; with `ray_attempt.py` all there is of Ray.

Ray Tune does what it is good at: it places trials on cores, GPUs and machines, in one
`Tuner.fit` for a whole study, on warm actors that take one trial after another. It decides
nothing: a thin `Searcher` asks our feed for the next trial, a relay `TrialScheduler` passes on
the feed's verdicts, and what it writes to disk is thrown away.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cbablate.errors import EnvironmentFault
from cbablate.planning.trial import Trial
from cbablate.records.history import measurement_of
from cbablate.running.executor import Ending, Feed, Keeper, default_slots
from cbablate.running.scratch import clear_abandoned, scratch_folder
from cbablate.running.signals import signals_kept
from cbablate.workloads.entry import Entry

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_AUTH_MODE": "token",  # to join a cluster that has none, say RAY_AUTH_MODE=disabled
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # Ray's 15 makes trials give way to everything else on a machine
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the driver handles signals, the same in every executor
    "RAY_AIR_NEW_OUTPUT": "0",  # the other one prints at any verbosity
    "TUNE_WARN_THRESHOLD_S": "30",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # its snapshots are nobody's truth
    "TUNE_FORCE_TRIAL_CLEANUP_S": "15",
}
for _name, _value in _QUIET.items():  # Ray reads some of these when it is imported
    os.environ.setdefault(_name, _value)

try:
    import ray
    from ray import tune
    from ray.tune.schedulers import FIFOScheduler, TrialScheduler
    from ray.tune.search import Searcher

    from cbablate.running.ray_attempt import Attempt, Began, Given, Report, called
except ImportError as error:
    raise EnvironmentFault(
        f"Ray Tune cannot be imported ({error}). Install it with `pip install 'ray[tune]'`, or run "
        "the trials in this process with --on local."
    ) from error

__all__ = ["RayExecutor"]

_TOKEN = secrets.token_hex(32)
"""Of this process's own sessions, in memory: Ray's default writes one that is readable by all. One
for all of them, since Ray remembers the first that it was given and refuses a session with another.
"""


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
        self._address = address
        self._scratch = Path()
        self._owns_session = False
        self.slots = slots or 1

    def __enter__(self) -> Self:
        clear_abandoned()
        self._scratch = scratch_folder("ray")
        try:
            self._settle()
        except BaseException:
            self._disconnect()
            raise
        return self

    def _settle(self) -> None:
        """Connect, and see how many trials fit."""
        if not ray.is_initialized():
            with signals_kept():
                self._connect()
            self._owns_session = True
        there = ray.cluster_resources()
        gpus = int(there.get("GPU", 0))
        if self._gpus_wanted is None:
            self.gpus = 1.0 if gpus else 0.0
        elif self._gpus_wanted > gpus:
            raise EnvironmentFault(
                f"a trial asks for {self._gpus_wanted:g} GPUs; Ray sees {gpus} here. Lower "
                "--gpus-per-trial, or leave it out."
            )
        fit = default_slots(self.gpus, cores=int(there.get("CPU", 1) / self._cpus), gpus=gpus)
        self.slots = min(fit, self._slots_wanted or fit)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._disconnect()

    def execute(self, feed: Feed, workload: Entry, keeper: Keeper | None = None) -> None:
        """Run what the feed gives, `slots` at a time, until it is exhausted."""
        relay = _Relay(feed, workload, keeper)
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
                storage_path=str(self._scratch / "tune"),
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # ours are kept
            ),
        )
        with _quiet_logs():
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
        remote = ray.remote(called).options(
            num_cpus=_cores_of_one_machine(),
            num_gpus=1 if self.gpus else 0,
            max_retries=0,
            runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}},
        )
        try:
            return ray.get(remote.remote(entry, arguments, named))
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, Exception) else error) from None
        except ray.exceptions.RayError as error:
            raise EnvironmentFault(f"a worker of Ray died: {error}") from error

    def _connect(self) -> None:
        logging.getLogger("ray").setLevel(logging.ERROR)
        if self._address is None:
            os.environ["RAY_AUTH_TOKEN"] = _TOKEN
        try:
            self._begin()
        except Exception as error:
            remedy = "Run again when the machine is less busy, or try --on local."
            if self._address is not None:
                remedy = (
                    "A cluster with a token wants RAY_AUTH_TOKEN set, one without it "
                    "RAY_AUTH_MODE=disabled."
                )
            where = f"join {self._address}" if self._address else "start on this machine"
            raise EnvironmentFault(f"Ray cannot {where}: {error}. {remedy}") from error

    def _begin(self) -> None:
        """Join or start a Ray; one of our own that misses Ray's 30 s on a busy machine tries again.

        What came up of the first attempt ends with this process.
        """
        options = {} if self._address else self._embedded()
        for last in (self._address is not None, True):
            try:
                ray.init(
                    address=self._address or "local",
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **options,
                )
                return
            except Exception as error:
                if last or "timed out" not in str(error):
                    raise
                ray.shutdown()

    def _embedded(self) -> dict[str, Any]:
        """A Ray of our own: no dashboard, private files, workers that import while it starts."""
        return {
            "include_dashboard": False,
            "_temp_dir": str(self._scratch / "ray"),
        }

    def _disconnect(self) -> None:
        if self._owns_session:
            ray.shutdown()
            self._owns_session = False
        shutil.rmtree(self._scratch, ignore_errors=True)


class _Relay:
    """Passes Ray's events to the feed, and keeps the first error the feed raises.

    Ray logs and forgets some exceptions of its callbacks; a ledger that cannot be written must
    stop the study, so the error is kept here and raised when `fit` is over.
    """

    def __init__(self, feed: Feed, workload: Entry, keeper: Keeper | None) -> None:
        self.feed = feed
        self.workload = workload
        self.keeper = keeper
        self.error: Exception | None = None
        self._by_ray: dict[str, Trial] = {}
        self._given: dict[str, Given] = {}
        self._open: set[str] = set()
        self._stopped: dict[str, str] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """An empty shell: Ray pickles its callbacks into a snapshot that nobody reads."""
        return (_Relay, (None, None, None))

    def propose(self, ray_id: str) -> dict[str, Any] | str | None:
        if self.error is not None:
            return str(Searcher.FINISHED)
        try:
            trial = self.feed.next()
            if trial is None:
                return str(Searcher.FINISHED) if self.feed.exhausted else None
            every, saved = math.inf, None
            if self.keeper is not None:
                every, saved = self.keeper.every, self.keeper.offer(trial)
            given = Given(self.workload, trial, every, saved)
        except Exception as error:  # noqa: BLE001 - raised again by close()
            self.error = error
            return str(Searcher.FINISHED)
        self._by_ray[ray_id] = trial
        self._given[ray_id] = given
        return {"given": {"value": given}}

    def started(self, ray_id: str, worker: Mapping[str, Any]) -> None:
        if ray_id not in self._open:
            self._open.add(ray_id)
            self._given.pop(ray_id).forget()
            self._guard(lambda: self.feed.started(self._by_ray[ray_id], worker))

    def measured(self, ray_id: str, report: Report) -> bool:
        """Whether the trial shall stop."""
        trial = self._by_ray[ray_id]
        body, saved = report.take()
        try:
            verdict = self.feed.measured(trial, measurement_of(body))
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
        self.started(ray_id, {})  # an actor can die before Ray calls its trial started
        trial = self._by_ray.pop(ray_id)
        self._open.discard(ray_id)
        if ray_id in self._stopped:
            ending = Ending("stopped", self._stopped.pop(ray_id))
        self._guard(lambda: self.feed.ended(trial, ending))

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
        stop = self._relay.measured(trial.trial_id, told)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        told = result["report/value"]
        ended = told if isinstance(told, Ending) else Ending("stopped")
        self._relay.ended(trial.trial_id, ended)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        self._relay.ended(
            trial.trial_id,
            Ending("lost", "the process of the trial died", "lost", str(trial.get_error() or "")),
        )


def _cores_of_one_machine() -> float:
    """The cores of the smallest machine that has some: all of them means nobody beside us."""
    cores = [node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]]
    return float(min((count for count in cores if count), default=1.0))


class _quiet_logs:  # noqa: N801 - reads as a function
    """Keeps Ray Tune's own words off stderr, but for what it calls critical, during `fit`."""

    def __enter__(self) -> None:
        self._before = logging.getLogger("ray.tune").level
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("ray.tune").setLevel(self._before)
