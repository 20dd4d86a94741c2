"""The order in which images are evaluated, and the batches: one for all arms, seeds and devices.

Data sets are stored class by class. An operator that looks across the batch would be told the
class by its neighbours if images were evaluated in that order, so they are evaluated in an order
that has nothing to do with what they show. It is drawn once, by digests and not by a generator: it
depends on the number of images alone, and no library can change it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from itertools import pairwise
from math import ceil

__all__ = ["evaluation_batches"]


@lru_cache(maxsize=64)
def evaluation_batches(count: int, most: int) -> tuple[tuple[int, ...], ...]:
    """The numbers from 0 to `count` - 1 in drawn order, in batches of at most `most`.

    The sizes of the batches differ by one at most: no batch is so small that an image is alone in
    it, or makes up much of what the batch has in common, unless there are as few images.
    """
    order = sorted(range(count), key=_digest)
    batches = ceil(count / most)
    cuts = [count * batch // max(1, batches) for batch in range(batches + 1)]
    return tuple(tuple(order[a:b]) for a, b in pairwise(cuts))


def _digest(image: int) -> bytes:
    return hashlib.sha256(f"evaluation {image}".encode()).digest()
