"""`ray_folder`: a folder for Ray whose path leaves room for the names of Ray's sockets."""

from __future__ import annotations

import multiprocessing
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from cbablate.errors import EnvironmentFault
from cbablate.running.isolation.scratch import RAYS_PART, scratch_folder, temporary_root

__all__ = ["MOST", "ROOTS", "listen_in_a_short_folder", "ray_folder", "roots", "socket_bytes"]

MOST = 103 if sys.platform == "darwin" else 107
"""Bytes that the path of a Unix socket may have."""

ROOTS = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108 - private folders in them
"""Where Ray's folder goes if TMPDIR is too long for it, the first that fits."""

_OURS = "/cbablate-01234567/r"
"""What is added to a root: a folder of mode 0700 with a random name, and Ray's own in it, which
Ray opens to everybody."""


def socket_bytes(root: Path, pid: int) -> int:
    """How long the path of the longest socket is that Ray 2.60 makes under a root."""
    session = f"/session_2026-11-30_23-59-59_999999_{pid}"
    return len(os.fsencode(f"{root}{_OURS}{session}/sockets/plasma_store"))


def roots() -> tuple[Path, ...]:
    """Where Ray's folder may be, in the order of preference: TMPDIR first."""
    return (temporary_root(), *ROOTS)


def ray_folder(candidates: Sequence[Path] | None = None) -> Path:
    """A fresh folder, in the first of the candidates (`roots()`) that is short enough and usable.

    Remove its parent: that one is a scratch folder.

    Raises:
        EnvironmentFault: none of them is; says of each why.
    """
    reasons = []
    for root in roots() if candidates is None else candidates:
        root = Path(os.path.realpath(root))
        reason = _unfit(root)
        if not reason:
            try:
                return scratch_folder(root=root) / RAYS_PART
            except EnvironmentFault as error:
                reason = str(error)
        reasons.append(reason)
    raise EnvironmentFault(
        f"Ray needs a temporary folder with a short path, since it makes sockets there whose paths "
        f"may have {MOST} bytes: {'; '.join(reasons)}. Set TMPDIR to a short one, or run the "
        "trials in this process with --on local."
    )


def listen_in_a_short_folder(shared: Path | None = None) -> Path | None:
    """Let Python's `multiprocessing` make its sockets elsewhere if TMPDIR is too long for them.

    A DataLoader's workers hand tensors over through such sockets. Their folder is `shared`, or
    else a fresh one, which is returned, to be removed when this process needs it no more.

    Raises:
        EnvironmentFault: as `ray_folder`.
    """
    longest = f"{temporary_root()}/pymp-01234567/listener-01234567"
    config = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    if len(os.fsencode(longest)) <= MOST or config.get("tempdir") is not None:
        return None
    fresh = None if shared else ray_folder().parent
    config["tempdir"] = str(shared or fresh)  # where multiprocessing.util keeps its own
    return fresh


def _unfit(root: Path) -> str:
    """Why Ray's folder cannot be in a root; empty if it can, as far as that is seen."""
    much = socket_bytes(root, os.getpid()) - MOST
    if much > 0:
        return f"{root} is {much} bytes too long"
    try:
        mode = root.stat().st_mode
    except OSError as error:
        return f"{root} cannot be used ({error.strerror})"
    return "" if stat.S_ISDIR(mode) else f"{root} is not a folder"
