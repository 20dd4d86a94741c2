"""Temporary folders of a driver and its trials, and removing those that a kill left behind."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from pathlib import Path

__all__ = ["clear_abandoned", "remove_own", "scratch_folder"]


def scratch_folder(word: str) -> Path:
    """A fresh folder, mode 0700, whose name tells whose it is: user, host, process."""
    return Path(tempfile.mkdtemp(prefix=f"{_prefix()}{os.getpid()}-{word}-"))


def clear_abandoned() -> None:
    """Remove the folders of this user's processes on this host that are no more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_prefix()}*"):
        process = folder.name.removeprefix(_prefix()).partition("-")[0]
        try:
            if process.isdigit() and folder.lstat().st_uid == os.getuid():
                os.kill(int(process), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # gone meanwhile, or a process that is not ours to ask
            continue


def remove_own() -> None:
    """Remove the folders of this process."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_prefix()}{os.getpid()}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _prefix() -> str:
    """Short, since Ray's sockets lie below it and their paths may have 107 characters.

    The host's name is part of it: containers may share a folder and not their processes.
    """
    host = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:12]
    return f"cbablate-{os.getuid()}-{host}-"
