"""Screening designs: a few arms from which many two-level factors can be told apart, and what
cannot be told apart in them.

A level's index is 0 or 1. In a fractional factorial some factors follow from the others: such a
one is on where an odd number of the factors of its generator are. With all off, all are off, so
the baseline is always an arm. Two effects are aliased where they are on and off in the same arms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

from cbablate.phrases import listed

__all__ = ["aliases", "columns", "fractional", "plackett_burman", "runs"]

Cell = tuple[int, ...]
_MOST_TRIED = 500
"""The most choices of generators that are compared; beyond them the first is taken."""
_MOST_PAIRS = 250_000
"""How many pairs of factors are looked at, over all choices compared."""
_LISTED = 12


def runs(design: str, factors: int) -> int:
    """How many arms a screening design has, by its number of factors."""
    if not factors:
        return 1
    return 1 << _independent(factors) if design == "fractional" else _prime(factors) + 1


def fractional(factors: int) -> list[Cell]:
    """The smallest fraction of 2^factors in which no factor is aliased with a pair of others."""
    independent = _independent(factors)
    bits = columns(factors)
    return [
        tuple((setting & column).bit_count() % 2 for column in bits)
        for setting in _settings(independent)
    ]


def plackett_burman(factors: int) -> list[Cell]:
    """As many arms as the next prime p = 3 (mod 4) and one more: 4, 8, 12, 20, 24, 32, ...

    All off, then the cyclic shifts of the row that is on at zero and at the squares modulo p: the
    rows of Paley's Hadamard matrix (Plackett and Burman 1946).
    """
    if factors == 1:
        return [(0,), (1,)]
    prime = _prime(factors)
    on = {0} | {x * x % prime for x in range(1, prime)}
    shifts = (tuple(int((row - f) % prime in on) for f in range(factors)) for row in range(prime))
    return [(0,) * factors, *shifts]


@lru_cache(maxsize=64)
def columns(factors: int) -> tuple[int, ...]:
    """Which independent factors each factor follows, as bits; an independent one follows itself.

    Generators are those of least aberration among the choices compared: no pair aliased with a
    factor, then as few pairs as possible with one another.
    """
    independent = _independent(factors)
    base = tuple(1 << i for i in range(independent))
    every = sorted(
        (mask for mask in range(1, 1 << independent) if mask.bit_count() > 1),
        key=lambda mask: (mask.bit_count(), mask),
    )
    odd = [mask for mask in every if mask.bit_count() % 2]  # these alias no pair with a factor
    wanted = factors - independent
    pool = every if math.comb(len(every), wanted) <= _MOST_TRIED else odd
    tried = max(1, min(_MOST_TRIED, _MOST_PAIRS // factors**2))
    choices = itertools.islice(itertools.combinations(pool, wanted), tried)
    return min(((*base, *one) for one in choices), key=_aberration)


def aliases(design: str, names: Sequence[str]) -> Iterator[str]:
    """Sentences that say which effects the design cannot tell apart."""
    factors = len(names)
    if design == "plackett_burman" and factors > 1:
        yield (
            f"Plackett-Burman design, {runs(design, factors)} arms: each factor's effect is mixed "
            "with parts of the interactions of all other pairs (by at most "
            f"{_mixed(factors):.2g} of each). It is right where there are no interactions."
        )
        return
    independent = _independent(factors)
    if factors <= independent:
        yield "All combinations are arms: nothing is aliased."
        return
    bits = columns(factors)
    made = [
        f"{name} is on where an odd number of {listed([names[i] for i in _bits(column)])} are"
        for name, column in zip(names[independent:], bits[independent:], strict=True)
    ]
    groups = _pairs(bits)
    clashes = [
        " = ".join(f"{names[i]} \u00d7 {names[j]}" for i, j in pairs)
        for pairs in groups.values()
        if len(pairs) > 1
    ]
    word = "V or more" if not clashes else "IV"
    yield (
        f"Fractional factorial 2^({factors}-{factors - independent}), resolution {word}: "
        f"{1 << independent} of {1 << factors:,} combinations. {'; '.join(made[:_LISTED])}"
        f"{f'; and {len(made) - _LISTED} more' if len(made) > _LISTED else ''}."
    )
    if clashes:
        more = f"; and {len(clashes) - _LISTED} more groups" if len(clashes) > _LISTED else ""
        yield (
            "Factors are aliased with no pair of others, but with interactions of three; pairs "
            f"are aliased with pairs: {'; '.join(clashes[:_LISTED])}{more}."
        )
    else:
        yield "Neither factors nor pairs are aliased with one another."


def _independent(factors: int) -> int:
    """The fewest independent factors b whose odd subsets, 2^(b - 1) of them, suffice for all."""
    return min(factors, 1 + (factors - 1).bit_length()) if factors else 0


def _settings(independent: int) -> Iterator[int]:
    """All settings of the independent factors as bits, the last factor changing fastest."""
    for cell in itertools.product((0, 1), repeat=independent):
        yield sum(on << i for i, on in enumerate(cell))


def _aberration(bits: Sequence[int]) -> tuple[int, int]:
    """How many factors are aliased with a pair, and how many pairs with a pair."""
    groups = _pairs(bits)
    known = {*bits}
    return (
        sum(len(pairs) for column, pairs in groups.items() if column in known),
        sum(math.comb(len(pairs), 2) for pairs in groups.values()),
    )


def _pairs(bits: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """Pairs of factors by the column of their interaction."""
    found: dict[int, list[tuple[int, int]]] = {}
    for i, j in itertools.combinations(range(len(bits)), 2):
        found.setdefault(bits[i] ^ bits[j], []).append((i, j))
    return found


@lru_cache(maxsize=64)
def _mixed(factors: int) -> float:
    """The largest correlation of a factor with a pair of two others in a Plackett-Burman design."""
    cells = plackett_burman(factors)
    on = [sum(cell[f] << row for row, cell in enumerate(cells)) for f in range(factors)]
    # columns are shifts of one another, so that triples with the first factor show all there is
    products = (
        2 * (on[0] ^ on[j] ^ on[k]).bit_count() - len(cells)
        for j, k in itertools.combinations(range(1, factors), 2)
    )
    return max(map(abs, products), default=0) / len(cells)


def _prime(factors: int) -> int:
    """The least prime that is 3 modulo 4 and at least so large; 1 for a single factor."""
    if factors == 1:
        return 1
    found = 3
    while found < factors or any(found % d == 0 for d in range(2, math.isqrt(found) + 1)):
        found += 4
    return found


def _bits(mask: int) -> list[int]:
    return [i for i in range(mask.bit_length()) if mask >> i & 1]
