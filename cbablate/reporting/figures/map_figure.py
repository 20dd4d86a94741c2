"""`map_figure`: where arms look, side by side, on the same few images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbablate.analysis.measures.attention_map import Looked, Maps, attention_maps
from cbablate.analysis.summary import Summary
from cbablate.planning.plan import Plan
from cbablate.reporting.figures.figure import WIDTH, drawable, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["map_figure"]

_COLOURS = "cividis"
"""Even in lightness, and made for the colour-blind (Nunez, Anderton and Renslow 2018)."""
_MOST_ARMS = 12
_BRIGHTEST = 0.99
"""Of the patches; what is above is drawn as bright, so that one patch does not darken the rest."""
_CELL = 0.62
"""Inches that a row is high."""


def map_figure(plan: Plan, summary: Summary) -> Figure:
    """Below the images a row for each arm: its first layer's map of each, then its last layer's.

    A map is the class token's attention to each patch, or the mean over all patches' where there
    is none, as a multiple of uniform attention; each half has one scale for all arms and images.
    An arm without maps has a sentence in its row.

    Raises:
        LookupError: no completed trial has left maps.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    found = attention_maps(summary)
    shown = plan.arms[:_MOST_ARMS]
    count = len(found.first.pictures)
    with rc_context(settings()):
        figure = Figure(figsize=(2 * WIDTH, _CELL * (len(shown) + 1) + 0.7), layout="constrained")
        axes = figure.subplots(len(shown) + 1, 2 * count, squeeze=False)
        for axis in axes.flat:
            _bare(axis)
        for place, axis in enumerate(axes[0]):
            _picture(axis, found.first, place % count)
        for row, arm in zip(axes[1:], shown, strict=True):
            name = drawable(arm.name, longest=24)
            row[0].set_ylabel(name, rotation=0, ha="right", va="center", parse_math=False)
            if arm.id in found.lacking:
                said = drawable(f"no map: {found.lacking[arm.id]}", longest=110)
                row[0].text(0, 0.5, said, va="center", parse_math=False, clip_on=False)
        for end, title in enumerate(("First layer", "Last layer")):
            half = axes[:, end * count : (end + 1) * count]
            brightest = _brightest(found, end)
            for row, arm in zip(half[1:], shown, strict=True):
                if arm.id in found.looked:
                    drawn = _maps(row, found.looked[arm.id], end, brightest)
            bar = figure.colorbar(
                drawn, ax=list(half.flat), location="bottom", extend="max", aspect=40, pad=0.02
            )
            bar.set_label(f"{title}: attention / uniform")
        cut = f", first {len(shown)} of {len(plan.arms)} arms" * (len(plan.arms) > len(shown))
        figure.suptitle(f"Replicate {found.replicate}{cut}", x=0.01, ha="left", fontsize=8.0)
    return figure


def _bare(axis: Axes) -> None:
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def _picture(axis: Axes, looked: Looked, place: int) -> None:
    import numpy as np

    colours = np.array(looked.pictures[place]).clip(0, 1)
    three = len(colours) == 3
    axis.imshow(
        np.moveaxis(colours, 0, -1) if three else colours.mean(axis=0), cmap="gray", vmin=0, vmax=1
    )


def _maps(row: Any, looked: Looked, end: int, brightest: float) -> Any:
    """An arm's maps of one layer, one an image; the last that was drawn."""
    layers = sorted(looked.maps)
    for axis, grid in zip(row, looked.maps[layers[-end]], strict=True):
        drawn = axis.imshow(_relative(grid), cmap=_COLOURS, vmin=0.0, vmax=brightest)
    return drawn


def _brightest(found: Maps, end: int) -> float:
    """Where the scale of a layer ends, over all arms and images; above uniform attention."""
    import numpy as np

    every = [
        _relative(grid).ravel()
        for looked in found.looked.values()
        for grid in looked.maps[sorted(looked.maps)[-end]]
    ]
    return max(1.05, float(np.quantile(np.concatenate(every), _BRIGHTEST)))


def _relative(grid: tuple[tuple[float, ...], ...]) -> Any:
    """Shares as multiples of those of uniform attention."""
    import numpy as np

    shares = np.array(grid)
    return shares / shares.mean()
