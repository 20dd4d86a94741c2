"""What a driver was: its machine, versions and commit, recorded once for each call of `run`."""

from __future__ import annotations

from pathlib import Path

from cbablate.records.facts import SessionFact
from cbablate.running.executors.worker import output_of, worker_body

__all__ = ["session_fact"]


def session_fact(folder: Path) -> SessionFact:
    """The `session` fact of this process; the commit is that of the repository `folder` lies in.

    The machine is the driver's. Where trials ran, their own `worker` facts tell.
    """
    worker = worker_body()
    where = ["git", "-C", str(folder.resolve())]
    commit = output_of([*where, "rev-parse", "HEAD"])
    return SessionFact(
        host=worker["host"],
        versions=worker["versions"],
        commit=commit,
        dirty=bool(commit and output_of([*where, "status", "--porcelain"])),
    )
