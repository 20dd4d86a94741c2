"""MLflow's UI, served on this machine to this machine only, and opened on a study."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import IO, Any
from urllib.parse import quote

from cbablate.character import visible_lines
from cbablate.errors import EnvironmentFault
from cbablate.mirrors.mlflow_store import ARTIFACT_FOLDER, experiment_of, masked, store_address

__all__ = ["serve"]

_LOOPBACK = "127.0.0.1"
_START = 90.0
"""Seconds that the server may take to answer; importing MLflow on a slow disk takes most."""
_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        # Looking at curves needs no processes that execute what a client sends.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
)
_WATCHED = 'exec 3<&0; (cat <&3 >/dev/null; kill -TERM 0) & exec "$@" </dev/null 3<&-'
"""Runs a command in its process group until our end of the pipe is closed, by us or by a SIGKILL
of ours; so no server outlives the one who started it."""


def serve(
    folder: Path,
    *,
    uri: str | None = None,
    port: int | None = None,
    study: str | None = None,
    open_browser: bool = False,
) -> None:
    """Serve MLflow's UI on 127.0.0.1 until Ctrl-C or SIGTERM; its address goes to stdout.

    Args:
        folder: the results folder whose store is shown.
        uri: another store, as `--mlflow` says it. A server that runs already is only pointed at.
        port: where to listen; a free one is taken for 0 or None.
        study: the study to open; all experiments without it.
        open_browser: whether to open the address in the user's browser.

    Raises:
        EnvironmentFault: there is nothing to show, the port is taken, or the server does not
            start.
    """
    address = store_address(uri, folder)
    if address.startswith("http"):
        _tell(f"{masked(address).rstrip('/')}/", {"MLflow": ""}, open_browser)
        return
    store = Path(address.removeprefix("sqlite:///"))
    if not store.exists():
        raise EnvironmentFault(
            f"{store} does not exist, so MLflow has nothing to show. Run a study first "
            "(`cbablate run STUDY`), or name its folder with --results."
        )
    free = _free(port or 0)
    try:
        with _stopped_by_signals(), _server(_command(address, folder, free)) as process:
            _await(process, free)
            _tell(f"http://{_LOOPBACK}:{free}/", _pages(free, study), open_browser)
            process.child.wait()
            raise EnvironmentFault(f"MLflow's server ended by itself:\n{process.said()}")
    except KeyboardInterrupt:
        return  # how one leaves it


def _command(address: str, folder: Path, port: int) -> list[str]:
    hosts = f"{_LOOPBACK}:{port},localhost:{port}"
    origins = f"http://{_LOOPBACK}:{port},http://localhost:{port}"
    artifacts = (folder / ARTIFACT_FOLDER).resolve()
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", address, "--artifacts-destination", artifacts.as_uri()),
        *("--host", _LOOPBACK, "--port", str(port), "--workers", "1"),
        *("--allowed-hosts", hosts, "--cors-allowed-origins", origins),
    ]


class _Process:
    """The server's process group, and what it prints."""

    def __init__(self, child: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self.child = child
        self._log = log

    def said(self) -> str:
        """The last lines it printed."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return masked("\n".join(lines[-12:]))


@contextmanager
def _server(command: list[str]) -> Iterator[_Process]:
    """The server in a process group of its own, which is gone when the block is left."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(  # noqa: S603 - our own words; the store's address is one argument
            ["/bin/sh", "-c", _WATCHED, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **_SETTINGS},
            start_new_session=True,
        )
        try:
            yield _Process(child, log)
        finally:
            _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end, then make it."""
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            break
        until = time.monotonic() + patience
        while time.monotonic() < until and _alive(child):
            time.sleep(0.05)
    if child.stdin is not None:
        child.stdin.close()
    child.wait()


def _alive(child: subprocess.Popen[bytes]) -> bool:
    child.poll()  # reaps it, or its group would seem alive
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _await(process: _Process, port: int) -> None:
    until = time.monotonic() + _START
    while time.monotonic() < until:
        if process.child.poll() is not None:
            raise EnvironmentFault(f"MLflow's server did not start:\n{process.said()}")
        try:
            if _get(port, "/health")[0] == http.client.OK:
                return
        except OSError:
            time.sleep(0.1)
    raise EnvironmentFault(
        f"MLflow's server did not answer within {_START:.0f} s:\n{process.said()}"
    )


def _pages(port: int, study: str | None) -> dict[str, str]:
    """What to look at, by name: the rest of an address. The views are made by the mirror."""
    if study is None:
        return {"MLflow": "#/experiments"}
    name = quote(experiment_of(study))
    status, text = _get(port, f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={name}")
    if status != http.client.OK:
        raise EnvironmentFault(
            f"MLflow holds no study '{study}'. Run it, or bring MLflow up to date with "
            "`cbablate sync`."
        )
    experiment: Any = json.loads(text)["experiment"]["experiment_id"]
    view = f"#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey="
    return {
        "trials": f"{view}trials",
        "summaries": f"{view}summaries",
        "curves": f"{view}curves&compareRunsMode=CHART",
        "means by arm": f"{view}arms",
        "nested": f"{view}nested",
    }


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except (OSError, OverflowError) as error:
            raise EnvironmentFault(
                f"port {port} of this machine cannot be used ({error}). Choose another with "
                "--port, or leave it out and a free one is taken."
            ) from error
        return int(probe.getsockname()[1])


def _tell(address: str, pages: Mapping[str, str], open_browser: bool) -> None:
    for name, page in pages.items():
        print(visible_lines(f"{name:>12}  {address}{page}"), flush=True)
    if open_browser:
        webbrowser.open(address + next(iter(pages.values())))


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, and Ctrl-C does so in a background job too."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
