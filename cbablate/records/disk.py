"""`synchronise`: what must outlast a power cut is on disk before the next step."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["synchronise"]


def synchronise(path: Path) -> None:
    """Have a file's content on disk, or the names that are in a folder.

    Raises:
        OSError: the disk does not take it.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
