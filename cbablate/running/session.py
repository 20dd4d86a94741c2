"""What a driver was: machine, versions and commit, recorded with everything it measured."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["session_body"]

_PACKAGES = ("cbablate", "torch", "timm", "optuna", "ray", "mlflow", "numpy")


def session_body(folder: Path) -> dict[str, Any]:
    """The body of a `session` fact; the commit is that of the repository `folder` lies in.

    Versions are read from installed metadata, so nothing heavy is imported; what is not installed
    is left out.
    """
    return {
        "host": {
            "machine": platform.machine(),
            "processor": _processor(),
            "cores": os.cpu_count() or 1,
            "system": f"{platform.system()} {platform.release()}",
            "gpus": _gpus(),
        },
        "versions": {"python": platform.python_version(), **_versions()},
        **_commit(folder),
    }


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus() -> list[str]:
    listed = _output(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    return listed.splitlines() if listed else []


def _commit(folder: Path) -> dict[str, Any]:
    where = ["git", "-C", str(folder.resolve())]
    commit = _output([*where, "rev-parse", "HEAD"])
    if not commit:
        return {"commit": "", "dirty": False}
    return {"commit": commit, "dirty": bool(_output([*where, "status", "--porcelain"]))}


def _output(command: list[str]) -> str:
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
