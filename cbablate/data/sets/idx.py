"""IDX files, the format of MNIST and its likes: big-endian arrays of bytes, often packed."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbablate.errors import EnvironmentFault

__all__ = ["read_idx"]

_BYTES = 0x08
"""The format's code for elements of one unsigned byte."""


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """The array of so many axes in a file of unsigned bytes, plain or `.gz`.

    Raises:
        EnvironmentFault: the file cannot be read, or is not such an array.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise EnvironmentFault(f"{path} cannot be read ({error}); get it anew") from error
    header = 4 + 4 * axes
    if len(raw) < header or raw[:4] != bytes((0, 0, _BYTES, axes)):
        raise EnvironmentFault(
            f"{path} is no IDX file of bytes with {axes} axes: it begins with {raw[:4].hex(' ')}, "
            f"expected {bytes((0, 0, _BYTES, axes)).hex(' ')}; get it anew"
        )
    shape = struct.unpack(f">{axes}I", raw[4:header])
    count = int(np.prod(shape, dtype=np.int64))
    if len(raw) - header != count:
        raise EnvironmentFault(
            f"{path} should hold {' x '.join(map(str, shape))} bytes after its header, but holds "
            f"{len(raw) - header:,}; get it anew"
        )
    return np.frombuffer(raw, dtype=np.uint8, offset=header).reshape(shape).copy()
