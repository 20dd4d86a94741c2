"""`RaySession`: a Ray that a study runs on: one of its own on this machine, or a cluster's."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shlex
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cbablate.errors import EnvironmentFault, in_a_line
from cbablate.running.executors.ray_folder import ROOTS, ray_folder
from cbablate.running.executors.ray_watch import Check, RayWatch, ports_answer, processes_live
from cbablate.running.isolation.scratch import (
    clear_abandoned,
    end_servers_of,
    remove_scratch,
    scratch_folder,
    temporary_root,
)
from cbablate.running.isolation.signals import signals_kept
from cbablate.running.isolation.stdout import stdout_kept

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_AUTH_MODE": "token",  # to join a cluster that has none, say RAY_AUTH_MODE=disabled
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # what reserves no GPU sees none
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
    from ray._private import ray_constants
except ImportError as error:
    raise EnvironmentFault(
        f"Ray Tune cannot be imported ({error}). Install it with `pip install 'ray[tune]'`, or run "
        "the trials in this process with --on local."
    ) from error

__all__ = ["RaySession"]

_TOKEN = secrets.token_hex(32)
"""Of this process's own sessions, in memory: Ray's default writes one that is readable by all. One
for all of them, since Ray remembers the first that it was given and refuses a session with another.
"""

_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's word for whether it takes part in a cluster. Without one it listens on the loopback
interface only."""


_LEAVE = 20.0
"""Seconds that leaving a dead Ray may take; it was 7 where the GCS was killed."""


class RaySession:
    """Holds Ray for the length of a `with` block, unless this process has started one before.

    `scratch` is a folder of the session's own below TMPDIR. Whatever is printed on stdout
    meanwhile, by Ray or by what it runs, goes to stderr.

    Args:
        address: a running cluster to join; None for a Ray of our own on this machine, whatever
            `RAY_ADDRESS` and files of other Rays say.
    """

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._exits = contextlib.ExitStack()
        self._watch: RayWatch | None = None
        self.scratch = Path()
        self.worker_roots: tuple[Path, Path] | tuple[None, None] = None, None
        """Where workers make their folders and their sockets, if all run on this machine and end
        with the session; None for the temporary folder of each."""

    def __enter__(self) -> Self:
        if self._address is not None and "://" in self._address:
            raise EnvironmentFault(
                f"{self._address} is an address of Ray's client, with which Ray Tune runs in "
                "another process than the ledger: give HOST:PORT, and run on a machine of the "
                "cluster."
            )
        self._watch, self.worker_roots = None, (None, None)
        with contextlib.ExitStack() as exits:
            clear_abandoned(*ROOTS)
            exits.enter_context(stdout_kept())
            self.scratch = scratch_folder("session")
            exits.callback(remove_scratch, self.scratch)
            started = not ray.is_initialized()
            if started:
                options = {} if self._address else self._embedded(exits)
                exits.callback(self._shut_down)
                with signals_kept():
                    self._connect(options)
            if started and self._address is None:
                self.worker_roots = self.scratch, _node_folder()
            self._watch = exits.enter_context(RayWatch(_check(), abandon=self._abandon))
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exits.close()

    @property
    def watch(self) -> RayWatch:
        """The watch over this Ray, within the `with` block."""
        if self._watch is None:
            raise RuntimeError("a session is watched while it is held")
        return self._watch

    def _connect(self, options: dict[str, Any]) -> None:
        logging.getLogger("ray").setLevel(logging.ERROR)
        ray._private.worker.print_to_stdstream = _Messages()
        try:
            self._begin(options)
        except Exception as error:
            where = f"join {self._address}" if self._address else "start on this machine"
            raise EnvironmentFault(
                f"Ray cannot {where}: {in_a_line(error)}. {self._remedy(str(error))}"
            ) from error

    def _begin(self, options: dict[str, Any]) -> None:
        """Join or start a Ray; one of our own that misses Ray's 30 s on a busy machine tries again.

        What came up of the first attempt ends with this process.
        """
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
                if last or not _is_late(str(error)):
                    raise
                ray.shutdown()

    def _remedy(self, reason: str) -> str:
        if self._address is not None:
            return (
                "A cluster with a token wants RAY_AUTH_TOKEN set, one without it "
                "RAY_AUTH_MODE=disabled."
            )
        if _is_late(reason):
            return "Run again when the machine is less busy, or try --on local."
        return "Mend that, or run the trials in this process with --on local."

    def _embedded(self, exits: contextlib.ExitStack) -> dict[str, Any]:
        """A Ray of our own: no dashboard, private files, large ones where TMPDIR says."""
        os.environ["RAY_AUTH_TOKEN"] = _TOKEN
        folder = ray_folder()
        exits.callback(remove_scratch, folder.parent)
        exits.callback(end_servers_of, folder.parent)  # a dead raylet leaves its agents behind
        exits.enter_context(_loopback_only())
        if folder.parent.parent != temporary_root().resolve():
            print(
                f"cbablate: {temporary_root()} is too long a path for Ray's sockets; these are in "
                f"{folder.parent.parent}",
                file=sys.stderr,
            )
        return {
            "include_dashboard": False,
            "object_spilling_directory": str(self.scratch / "spilled"),
            "_temp_dir": str(folder),
            **_python(),
        }

    def _shut_down(self) -> None:
        """Leave Ray, and end it if it is ours. A dead one may not let us go."""
        if self._watch is None or not self._watch.dead:
            ray.shutdown()
            return
        limit = threading.Timer(_LEAVE, self._watch.end_the_process)
        limit.daemon = True
        limit.start()
        try:
            ray.shutdown()
        finally:
            limit.cancel()

    def _abandon(self) -> None:
        """End what can be ended without Ray's help."""
        if self.worker_roots[0] is not None:
            for started in list(ray._private.worker._global_node.all_processes.values()):
                for process in started:
                    process.process.kill()
            end_servers_of(_node_folder())
            remove_scratch(_node_folder())
        remove_scratch(self.scratch)


def _python() -> dict[str, Any]:
    """The option by which workers find a Python whose path a shell takes apart, at a space say."""
    quoted = shlex.quote(sys.executable)
    return {} if quoted == sys.executable else {"runtime_env": {"py_executable": quoted}}


class _Messages:
    """Says on stderr what Ray's processes complain about: the first line of each, once.

    The rest is a dump of their state. Ray calls it from a thread.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, data: Mapping[str, Any], ignore_prefix: bool = False) -> None:
        first = str(data["lines"][0]).split("\n")[0][:400]
        line = "".join(sign if sign.isprintable() else " " for sign in first)
        if line not in self._said:
            self._said.add(line)
            print(f"Ray's {data.get('pid', 'worker')}: {line}", file=sys.stderr)


def _is_late(reason: str) -> bool:
    return "timed out" in reason


@contextlib.contextmanager
def _loopback_only() -> Iterator[None]:
    """Within it, what Ray starts listens on the loopback interface only."""
    before, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False
    said = os.environ.get(_LOOPBACK)
    os.environ[_LOOPBACK] = "0"  # for the processes that Ray starts
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        os.environ.pop(_LOOPBACK)
        if said is not None:
            os.environ[_LOOPBACK] = said


def _check() -> Check:
    """Whether Ray lives: its processes if they are ours, else the servers that we depend on."""
    node = ray._private.worker._global_node
    if node is not None and node.all_processes.get("raylet"):
        ours = {"GCS": "gcs_server", "raylet": "raylet"}
        return processes_live(
            {
                name: [one.process for one in node.all_processes.get(kind, [])]
                for name, kind in ours.items()
            }
        )
    context = ray.get_runtime_context()
    addresses = {"GCS": _address(context.gcs_address)}
    for each in ray.nodes():
        if each["NodeID"] == context.get_node_id():
            addresses["raylet"] = (each["NodeManagerAddress"], int(each["NodeManagerPort"]))
    return ports_answer(addresses)


def _node_folder() -> Path:
    """The scratch folder that Ray's own files are in."""
    return Path(ray._private.worker._global_node.temp_dir).parent


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
