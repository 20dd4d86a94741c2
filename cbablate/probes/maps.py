"""The probe `maps`: where the first and the last layer of attention look, on a few images.

The map of an image is the row of the class token, its mean over heads; of a model without one, the
mean over the rows of all patches. Patches alone are kept, divided by what falls on them: the shares
of the image. Rows are summed tile by tile, so no (N, N) map is held but where it fits a tile.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from cbablate.probes.alignment import about
from cbablate.probes.attention.scores import Attended, layers_of, listening, tiles
from cbablate.probes.catalog import MAPS
from cbablate.probes.geometry import Grid, grid_of
from cbablate.probes.probe import Absent, ProbeResult, Subject
from cbablate.records.sketch import Sketch

__all__ = ["IMAGES", "PIXELS", "SIDE", "maps", "measure"]

IMAGES = 4
"""How many images are kept."""
SIDE = 32
"""Maps of more patches a side are averaged down to this."""
PIXELS = 48
"""The side of a kept image, in pixels."""


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """The maps and their images, or why there are none.

    The sketch's rows: the images' height, width and colours; the maps' height and width and the
    numbers, from 1, of the layers shown; then for each image its pixels from 0 to 1, colour by
    colour, and its map in each layer.
    """
    del asked
    images, _ = subject.held_out.spaced(IMAGES)
    grid = _readable(subject, images)
    if isinstance(grid, Absent):
        return ProbeResult(absent={MAPS: grid})
    found = maps(subject, images, grid)
    if not all(bool(each.isfinite().all()) for each in found.values()):
        return ProbeResult(absent={MAPS: Absent("its attention is not of finite numbers")})
    small = [_small(each, SIDE) for each in found.values()]
    pictures = _small(_shown(images, subject), PIXELS)
    colours, height, width = pictures.shape[1:]
    rows: list[Sequence[float]] = [
        (height, width, colours),
        (*small[0].shape[-2:], *(layer + 1 for layer in found)),
    ]
    for index, picture in enumerate(pictures):
        rows.append(picture.flatten().tolist())
        rows += [layer[index].flatten().tolist() for layer in small]
    return ProbeResult(
        sketches={MAPS: Sketch(about(images), tuple(tuple(map(float, r)) for r in rows))}
    )


def maps(subject: Subject, images: Tensor, grid: Grid) -> dict[int, Tensor]:
    """Maps of shape (B, 1, height, width) by layer from 0, of the first layer and the last."""
    depth = 0
    sums: dict[int, Tensor] = {}

    def told(index: int, call: Attended) -> None:
        nonlocal depth
        depth = max(depth, index + 1)
        sums[index] = _looked(call, grid)

    with torch.inference_mode(), listening(subject.model, told):
        subject.model(images)
    return {layer: sums[layer].reshape(-1, 1, *grid.sides) for layer in sorted({0, depth - 1})}


def _readable(subject: Subject, images: Tensor) -> Grid | Absent:
    layers = layers_of(subject.model, images[:1])
    if isinstance(layers, Absent):
        return layers
    grid = grid_of(subject.model)
    if isinstance(grid, Absent):
        return grid
    ends = (layers[0], layers[-1])
    if any(layer.rows != grid.tokens or layer.keys != grid.tokens for layer in ends):
        return Absent("the rows of the model's attention are not the tokens of its whole grid")
    return grid


def _looked(call: Attended, grid: Grid) -> Tensor:
    """The share of attention on each patch, of shape (B, patches): where the class token looks."""
    # in logarithms: what falls on the patches may be 0 in float32, and its distribution is not
    total = call.query.new_full((call.query.shape[0], grid.tokens - grid.prefix), -torch.inf)
    rows = 1 if grid.class_tokens else grid.tokens
    asked = Attended(
        call.query[:, :, :rows], call.key, call.scale, _rows_of(call.bias, rows), call.value
    )
    for images, part, scores in tiles(asked):
        first = 0 if grid.class_tokens else max(0, grid.prefix - part.start)
        if first < scores.shape[2]:
            among = scores[:, :, first:].log_softmax(dim=-1)[..., grid.prefix :]
            total[images] = torch.logaddexp(total[images], among.logsumexp(dim=(1, 2)))
    return total.softmax(dim=-1)


def _rows_of(bias: Tensor | None, rows: int) -> Tensor | None:
    if bias is None or bias.ndim < 2 or bias.shape[-2] == 1:
        return bias
    return bias[..., :rows, :]


def _shown(images: Tensor, subject: Subject) -> Tensor:
    """Images as they look, each colour from 0 to 1."""
    low, high = subject.range()
    return ((images - low) / (high - low).clamp_min(1e-12)).clamp(0, 1)


def _small(pictures: Tensor, side: int) -> Tensor:
    """The same, averaged down where they are larger than `side`."""
    height, width = (min(length, side) for length in pictures.shape[-2:])
    return adaptive_avg_pool2d(pictures.float(), (height, width))
