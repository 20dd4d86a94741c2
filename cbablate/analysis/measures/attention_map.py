"""`Maps`: where the trials of one replicate look, arm by arm, on the same few images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cbablate.analysis.summary import Summary
from cbablate.probes.catalog import MAPS
from cbablate.records.history import History
from cbablate.records.sketch import Sketch

__all__ = ["Looked", "Maps", "attention_maps", "has_maps"]

Grid = tuple[tuple[float, ...], ...]
"""Numbers by row and column."""


@dataclass(frozen=True)
class Looked:
    """The maps of one trial: by layer, numbered from 1, by image; the shares of an image sum to 1
    before they are averaged down. `pictures` has each image as its colours, each a grid of numbers
    from 0 to 1.
    """

    about: str
    pictures: tuple[tuple[Grid, ...], ...]
    maps: Mapping[int, tuple[Grid, ...]]


@dataclass(frozen=True)
class Maps:
    """The maps of a study's arms, by arm id, all of `replicate`; and why other arms have none.

    All of `looked` were shown the same images.
    """

    replicate: int
    looked: Mapping[str, Looked]
    lacking: Mapping[str, str]

    @property
    def first(self) -> Looked:
        """Those of the first arm that has any."""
        return next(iter(self.looked.values()))


def has_maps(summary: Summary) -> bool:
    """Whether any trial that counts has left maps."""
    return any(_packed(past) for by in summary.replicates.entered.values() for past in by.values())


def attention_maps(summary: Summary) -> Maps:
    """The maps of the replicate that most arms have them of, the first of several.

    Raises:
        LookupError: no trial has any.
    """
    entered = summary.replicates.entered
    known = [r for by in entered.values() for r, past in by.items() if _packed(past)]
    if not known:
        raise LookupError("no completed trial has left maps of its attention")
    replicate = min(set(known), key=lambda one: (-known.count(one), one))
    looked: dict[str, Looked] = {}
    lacking: dict[str, str] = {}
    for arm, by in entered.items():
        past = by.get(replicate)
        if past is None:
            lacking[arm] = "its trial is not complete"
        elif not _packed(past):
            lacking[arm] = _reason(past)
        else:
            found = _read(past)
            shown = next(iter(looked.values()), found)
            if found.about == shown.about and found.maps:
                looked[arm] = found
            else:
                lacking[arm] = "it was shown other images"
    return Maps(replicate, looked, lacking)


def _packed(past: History) -> str:
    return past.last.sketches.get(MAPS, "") if past.last else ""


def _reason(past: History) -> str:
    notes: Mapping[str, str] = past.last.notes if past.last else {}
    return notes.get(f"absent.{MAPS}", "its trial has left none")


def _read(past: History) -> Looked:
    sketch = Sketch.unpacked(_packed(past))
    shape, layout, *rows = sketch.rows
    height, width, colours = map(round, shape)
    down, across, *layers = map(round, layout)
    each = 1 + len(layers)
    pictures = []
    for row in rows[::each]:
        size = height * width
        pictures.append(
            tuple(_grid(row[c * size : (c + 1) * size], height, width) for c in range(colours))
        )
    maps = {
        layer: tuple(_grid(row, down, across) for row in rows[place::each])
        for place, layer in enumerate(layers, start=1)
    }
    return Looked(sketch.about, tuple(pictures), maps)


def _grid(row: Sequence[float], height: int, width: int) -> Grid:
    return tuple(tuple(row[y * width : (y + 1) * width]) for y in range(height))
