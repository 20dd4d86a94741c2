"""`Curve`: the measurements of a trial that has ended, packed until somebody looks at them."""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Sequence
from typing import overload

from cbablate.records.measurement import Measurement

__all__ = ["Curve", "packed"]

_LONG = 16
"""Shorter curves are not worth packing."""


class Curve(Sequence[Measurement]):
    """A long curve as a fifth of its bytes: a ledger may have hundreds of thousands of
    measurements, of which most work needs the last of each trial alone.
    """

    __slots__ = ("_last", "_length", "_packed")

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self._last = measurements[-1]
        self._length = len(measurements)
        self._packed = marshal.dumps(_rows(measurements[:-1]))

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Measurement: ...
    @overload
    def __getitem__(self, index: slice) -> list[Measurement]: ...
    def __getitem__(self, index: int | slice) -> Measurement | list[Measurement]:
        if isinstance(index, int) and index in (-1, self._length - 1):
            return self._last
        return [*self][index]

    def __iter__(self) -> Iterator[Measurement]:
        rows = marshal.loads(self._packed)  # noqa: S302 - packed by us, in this process
        for spent, seconds, (names, layered, notes), values, layers, sketches in rows:
            metrics = dict(zip(names, values, strict=True))
            vectors = dict(zip(layered, layers, strict=True))
            yield Measurement(spent, metrics, vectors, seconds, notes, sketches)
        yield self._last

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]  # as of a list


def packed(measurements: Sequence[Measurement]) -> Sequence[Measurement]:
    """The measurements, packed if they are many and as a ledger holds them."""
    return Curve(measurements) if len(measurements) >= _LONG else measurements


def _rows(measurements: Sequence[Measurement]) -> list[tuple[object, ...]]:
    """What is to be packed; names and notes that stay the same are one object, packed once."""
    rows: list[tuple[object, ...]] = []
    same: tuple[object, ...] = ()
    for one in measurements:
        names = tuple(one.metrics), tuple(one.vectors), dict(one.notes)
        same = same if names == same else names
        values, layers = tuple(one.metrics.values()), tuple(one.vectors.values())
        rows.append((one.spent, one.seconds, same, values, layers, dict(one.sketches)))
    return rows
