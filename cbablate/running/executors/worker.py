"""What a worker is: the machine and the versions that a trial ran with, told by the worker itself.

A driver may have another processor, no GPU and other libraries than the nodes that train, so a
trial's machine is never read off the driver.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
import socket
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cbablate.records.facts import WorkerFact
from cbablate.workloads.own_code.entry import Entry

__all__ = ["MEASURED_HERE", "measured_here", "output_of", "worker_body"]

MEASURED_HERE = "cbablate.running.executors.worker:measured_here"
"""The name of `measured_here` as an `Entry`."""

_PACKAGES = ("cbablate", "torch", "timm", "optuna", "ray", "mlflow", "numpy")


@functools.cache
def worker_body() -> dict[str, Any]:
    """The body of a `worker` fact: this process's node, host and versions.

    Versions are read from installed metadata, so nothing heavy is imported; what is not installed
    is left out. `gpus` are those that this process may use. A process asks once.
    """
    host = {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "gpus": _gpus(),
    }
    versions = {"python": platform.python_version(), **_versions()}
    return WorkerFact(node=socket.gethostname(), host=host, versions=versions).body()


def measured_here(entry: Entry, *arguments: Any, **named: Any) -> tuple[dict[str, Any], Any]:
    """This worker's body, and what the entry returns; for `Executor.call`."""
    return worker_body(), entry.load()(*arguments, **named)


def output_of(command: list[str]) -> str:
    """What a command prints; empty where it is absent, fails or takes too long."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            command, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _versions() -> dict[str, str]:
    versions: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus() -> list[str]:
    """The models of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES limits them."""
    listing = output_of(["nvidia-smi", "--query-gpu=index,uuid,name", "--format=csv,noheader"])
    gpus = [line.split(", ", 2) for line in listing.splitlines() if line.count(", ") >= 2]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [name for _, _, name in gpus]
    wanted = [word.strip() for word in visible.split(",")]
    return [
        name
        for word in wanted
        for index, uuid, name in gpus
        if word == index or (word.startswith("GPU-") and uuid.startswith(word))
    ]
