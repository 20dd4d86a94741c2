"""Two tasks over the same synthetic images: one needs global context, its twin has no use for it.

An image is a grid of 5 x 5 patches of 2 x 2 pixels. Each patch shows one of two patterns, rows
(+ + over - -) or columns (+ - over + -), each with probability 1/2, in a contrast whose sign is
drawn anew for every patch, under normal noise. Every pixel has the same distribution under both
patterns, and so has every linear function of a patch up to its spread: only the energy along a
pattern tells them apart, so a patch must be recognised before its evidence can be gathered.

- `context_task`: the class is the pattern that most of the 25 patches show. One patch names it
  with 58 % accuracy: the information is global.
- `context_task_twin`: the same images in the same splits; the class is the pattern of the patch
  in the middle, and no other patch says anything about it: the information is local.

The criterion of the design is where the information lies, not what a network makes of it.
`references` says how well one can do at all, and with less than the whole image.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cbablate.data.source import RawData

__all__ = ["GRID", "MEAN", "STD", "read", "read_twin", "references"]

GRID = 5
"""Patches a side; their number is odd, so that there is always a majority."""
MEAN = 128.0 / 255.0
"""Mean of a pixel stored from 0 to 255, divided by 255: zero signal."""
STD = 32.0 * 1.25**0.5 / 255.0
"""Its standard deviation: that of a sign and the noise together."""

_SIZES = {"train": 2048, "val": 1024, "test": 2048}
_SEED = 20221015
_NOISE = 0.5
"""Standard deviation of the noise on a pixel, whose signal is +1 or -1."""
_ZERO, _STEP = 128.0, 32.0
"""A pixel x is stored as the whole number nearest to 128 + 32 x, cut at 0 and 255."""
_PATTERNS = np.array([[[1, 1], [-1, -1]], [[1, -1], [1, -1]]], dtype=np.float64)


def read() -> RawData:
    """The task whose class is the majority's pattern."""
    return _source(lambda shown: shown.reshape(len(shown), -1).sum(axis=1) > GRID * GRID // 2)


def read_twin() -> RawData:
    """The task whose class is the middle patch's pattern."""
    return _source(lambda shown: shown[:, GRID // 2, GRID // 2])


def references() -> dict[str, dict[str, float]]:
    """Accuracy in percent on the test split, by task, of classifiers that know how images are made.

    `whole image` is Bayes's rule from all pixels (their rounding left aside): no classifier does
    better but by chance. The others but the last are the same from fewer patches.
    `one patch, no noise` is exact: what a single patch that is known for certain tells.
    """
    images, shown = _made()
    start = _SIZES["train"] + _SIZES["val"]
    rows = _evidence(images[start:])
    middle = GRID // 2
    near = rows[:, middle - 1 : middle + 2, middle - 1 : middle + 2]
    truth = shown[start:].reshape(len(rows), -1).sum(axis=1) > GRID * GRID // 2
    twin = shown[start:, middle, middle] == 1
    centre = rows[:, middle, middle]
    others = rows.copy()
    others[:, middle, middle] = 0.5  # says nothing
    return {
        "context_task": {
            "whole image": _percent(_majority(rows) > 0.5, truth),
            "middle 3 x 3": _percent(_majority(near) > 0.5, truth),
            "middle patch": _percent(centre > 0.5, truth),
            "all but the middle patch": _percent(_majority(others) > 0.5, truth),
            "one patch, no noise": 50.0 + 50.0 * _vote(),
        },
        "context_task_twin": {
            "whole image": _percent(centre > 0.5, twin),
            "all but the middle patch": 50.0,
        },
    }


def _made() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All images of shape (N, 1, 10, 10), and which pattern each patch shows, (N, 5, 5).

    Drawn from numpy's legacy generator, whose stream is frozen.
    """
    drawn = np.random.RandomState(_SEED)
    count = sum(_SIZES.values())
    shown = drawn.randint(0, 2, (count, GRID, GRID)).astype(np.int64)
    signs = 2.0 * drawn.randint(0, 2, (count, GRID, GRID)) - 1.0
    patches = _PATTERNS[shown] * signs[..., None, None]
    signal = patches.transpose(0, 1, 3, 2, 4).reshape(count, 2 * GRID, 2 * GRID)
    pixels = _ZERO + _STEP * (signal + _NOISE * drawn.standard_normal(signal.shape))
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)[:, None], shown


def _source(classes: Callable[[NDArray[np.int64]], NDArray[Any]]) -> RawData:
    images, shown = _made()
    labels = classes(shown).astype(np.int64)
    splits = {}
    start = 0
    for name, size in _SIZES.items():
        splits[name] = (images[start : start + size], labels[start : start + size])
        start += size
    return RawData(splits=splits, scale=255.0, mean=(MEAN,), std=(STD,))


def _evidence(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The probability that each patch shows columns, given its pixels: of shape (N, 5, 5)."""
    pixels = (images[:, 0].astype(np.float64) - _ZERO) / _STEP
    patches = pixels.reshape(-1, GRID, 2, GRID, 2).transpose(0, 1, 3, 2, 4)
    along = np.einsum("nijab,kab->nijk", patches, _PATTERNS) / _NOISE**2
    # Of either sign with equal weight, a pattern's likelihood is a cosh; logaddexp is its log.
    energy = np.logaddexp(along, -along)
    odds: NDArray[np.float64] = 1.0 / (1.0 + np.exp(energy[..., 0] - energy[..., 1]))
    return odds


def _majority(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability that most of independent patches show columns, of shape (N,)."""
    flat = chances.reshape(len(chances), -1)
    counts = np.zeros((len(flat), flat.shape[1] + 1))
    counts[:, 0] = 1.0
    for chance in flat.T:
        counts[:, 1:] = counts[:, 1:] * (1 - chance[:, None]) + counts[:, :-1] * chance[:, None]
        counts[:, 0] *= 1 - chance
    likely: NDArray[np.float64] = counts[:, flat.shape[1] // 2 + 1 :].sum(axis=1)
    return likely


def _vote() -> float:
    """By how much one vote of 25 leads with the majority: P(the others are tied)."""
    others = GRID * GRID - 1
    return float(comb(others, others // 2)) / 2.0**others


def _percent(said: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return 100.0 * float((said == truth).mean())
