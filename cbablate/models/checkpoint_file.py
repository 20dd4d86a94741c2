"""A file of weights, known by its content. No library that trains is imported here."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

__all__ = ["content"]

_DIGITS = 20
_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".tar")


def content(path: str) -> str:
    """Eighty bits of SHA-256 over the bytes of a file, as 20 hexadecimal digits.

    Raises:
        ValueError: there is no such file of weights, or it cannot be read.
    """
    file = Path(path)
    if file.suffix not in _SUFFIXES:
        raise ValueError(
            f"checkpoint '{path}' is none that can be read: a name ends in {', '.join(_SUFFIXES)}"
        )
    try:
        stat = file.stat()
        if not file.is_file():
            raise ValueError(f"checkpoint '{path}' is not a file")
        return _digest(file, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise ValueError(
            f"checkpoint '{path}' cannot be read: {error.strerror} (a path is taken from the "
            f"folder that cbablate is started in, now {Path.cwd()})"
        ) from None


@lru_cache(maxsize=64)
def _digest(file: Path, _size: int, _changed: int) -> str:
    """The digest of a file's present content; size and time of change tell another one."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:_DIGITS]
