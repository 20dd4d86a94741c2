"""What a driver was: its machine, versions and commit, recorded once for each call of `run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbablate.running.executors.worker import output_of, worker_body

__all__ = ["session_body"]


def session_body(folder: Path) -> dict[str, Any]:
    """The body of a `session` fact; the commit is that of the repository `folder` lies in.

    The machine is the driver's. Where trials ran, their own `worker` facts tell.
    """
    worker = worker_body()
    return {"host": worker["host"], "versions": worker["versions"], **_commit(folder)}


def _commit(folder: Path) -> dict[str, Any]:
    where = ["git", "-C", str(folder.resolve())]
    commit = output_of([*where, "rev-parse", "HEAD"])
    if not commit:
        return {"commit": "", "dirty": False}
    return {"commit": commit, "dirty": bool(output_of([*where, "status", "--porcelain"]))}
