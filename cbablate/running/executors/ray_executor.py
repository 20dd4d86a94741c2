"""`RayExecutor`: trials placed by Ray Tune; with its neighbours named `ray_` all there is of Ray.

Ray Tune does what it is good at: it places trials on cores, GPUs and machines, in one
`Tuner.fit` for a whole study, on warm actors that take one trial after another. It decides
nothing: a thin `Searcher` asks our feed for the next trial, a relay `TrialScheduler` passes on
the feed's verdicts, and what it writes to disk is thrown away.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from cbablate.errors import EnvironmentFault
from cbablate.planning.trial import Trial
from cbablate.running.executors.devices import unused_gpus
from cbablate.running.executors.port import NO_LIMITS, Feed, Grouping, Keeper
from cbablate.running.executors.ray_capacity import nodes_of, room, whole_gpus
from cbablate.running.executors.ray_session import RaySession
from cbablate.running.isolation.limits import Limits
from cbablate.running.notebook_panel import notebook_shell
from cbablate.spec.needs import Needs
from cbablate.workloads.own_code.entry import Entry

try:
    import ray
    from ray import tune

    from cbablate.running.executors.ray_attempt import RayAttempt, Room, called
    from cbablate.running.executors.ray_relay import Relay
    from cbablate.running.executors.ray_tune import Proposals, Silence, Verdicts
except ImportError as error:
    raise EnvironmentFault(
        f"Ray Tune cannot be imported ({error}). Install it with `pip install 'ray[tune]'`, or run "
        "the trials in this process with --on local."
    ) from error

__all__ = ["RayExecutor"]


class RayExecutor:
    """Runs trials side by side on an embedded Ray, or on a cluster that is named.

    It runs no groups: each trial is placed by itself.

    Args:
        needs: what a trial takes; a trial's own needs go before it, but for GPUs that are asked
            for here. A share of a GPU places several trials on one; memory is not limited by it.
            A trial computes on one thread whatever cores it takes.
        slots: most trials at a time; None for as many as fit.
        address: a running cluster to join; None for an embedded one on this machine, whatever
            `RAY_ADDRESS` says.
    """

    name = "ray"

    def __init__(
        self,
        *,
        needs: Needs | None = None,
        slots: int | None = None,
        address: str | None = None,
    ) -> None:
        self._asked = needs or Needs()
        self._needs = self._asked.settled(0.0)
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
        self._nodes = nodes_of(ray.nodes())
        self._needs = self._asked.settled(whole_gpus(self._nodes))
        if self._asked.gpus is None:
            unused = "" if self._needs.gpus else unused_gpus("Ray sees none of them")
            if unused:
                print(f"cbablate: {unused}", file=sys.stderr)
        fit = room(self._nodes, self._needs)
        self.slots = min(fit, self._slots_wanted or fit)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def needs_of(self, trial: Trial) -> Needs:
        """What is reserved for the trial.

        Raises:
            EnvironmentFault: no node holds that.
        """
        if trial.needs is None:
            return self._needs
        gpus = trial.needs.gpus if self._asked.gpus is None else self._asked.gpus
        needs = replace(trial.needs, gpus=self._needs.gpus if gpus is None else gpus)
        own = self._asked.gpus is None and trial.needs.gpus is not None
        room(self._nodes, needs, of_workload=own)
        return needs

    def execute(
        self,
        feed: Feed,
        workload: Entry,
        keeper: Keeper | None = None,
        *,
        limits: Limits = NO_LIMITS,
        grouping: Grouping | None = None,
    ) -> None:
        """Run what the feed gives, `slots` at a time, until it is exhausted."""
        relay = Relay(feed, workload, keeper, limits, session=self._session, needs_of=self.needs_of)
        tuner = tune.Tuner(
            tune.with_resources(RayAttempt, _resources),
            tune_config=tune.TuneConfig(
                search_alg=Proposals(relay),
                scheduler=Verdicts(relay),
                num_samples=-1,
                max_concurrent_trials=self.slots,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=str(self._session.scratch / "tune"),
                verbose=0,
                progress_reporter=Silence() if notebook_shell() is not None else None,
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
        gpus = 1 if self._needs.gpus else 0
        given = Room(Needs(gpus=gpus), *self._session.worker_roots)
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
        takes = [node for node in nodes if node.holds(self._needs)]
        return min((node.cpus for node in takes), default=1.0)


def _resources(config: dict[str, Any]) -> tune.PlacementGroupFactory:
    """What Ray reserves for the trial that is given with a config."""
    needs: Needs = config["room"]["value"].needs
    bundle: dict[str, float] = {"CPU": needs.cpus}
    if needs.gpus:
        bundle["GPU"] = needs.gpus
    if needs.memory is not None:
        bundle["memory"] = needs.memory
    return tune.PlacementGroupFactory([bundle])


class _quiet_logs:  # noqa: N801 - reads as a function
    """Keeps Ray Tune's own words off stderr, but for what it calls critical, during `fit`."""

    def __enter__(self) -> None:
        self._before = logging.getLogger("ray.tune").level
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("ray.tune").setLevel(self._before)
