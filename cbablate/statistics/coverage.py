"""How often intervals that are called 95 % hold the true mean, by the number of replicates.

Simulated with normal differences, 10,000 times each: `python -m benchmarks simulations` prints
these numbers, a test simulates some of them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["BCA", "FEWEST_FOR_BCA", "bca_coverage"]

FEWEST_FOR_BCA = 10
"""With fewer replicates a BCa interval is not offered: it covers too little to be called 95 %."""
BCA: Mapping[int, float] = MappingProxyType(
    {
        **{3: 0.693, 5: 0.840, 6: 0.855, 8: 0.884, 10: 0.908},
        **{12: 0.908, 15: 0.922, 20: 0.928, 30: 0.933},
    }
)


def bca_coverage(replicates: int) -> float:
    """The coverage of BCa intervals at a number of replicates, or the next smaller simulated one.

    0 for one replicate, which has no interval.
    """
    return max((share for n, share in BCA.items() if n <= replicates), default=0.0)
