"""Quotas: a number of images shared out over classes."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["quotas"]


def quotas(sizes: Sequence[int], count: int) -> list[int]:
    """`count` shared out over classes in proportion to their sizes, in whole numbers.

    Hamilton's method: every class has its exact share rounded down, and what is left goes to the
    largest remainders, to the earlier class where they are equal.
    """
    total = sum(sizes)
    if not 0 <= count <= total:
        raise ValueError(f"{count} images cannot be shared out of {total}")
    if not total:
        return [0] * len(sizes)
    shares = [count * size // total for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda i: (-(count * sizes[i] % total), i))
    for i in by_remainder[: count - sum(shares)]:
        shares[i] += 1
    return shares
