"""The probes of attention: `entropy`, `distance`, `jacobian` and `share`, in one pass.

All are of the float32 network, whatever precision it was trained in. Whichever are asked for, it
runs over the images once, and each tile of scores is made and put through softmax once. Per row a
of attention, with its N keys:

    entropy    the distribution of -sum_j a_j ln a_j over rows and images
    distance   sum_j a_j |p_i - p_j| between patch centres, and the root of sum_j a_j |p_i - p_j|^2
    jacobian   the nuclear, Frobenius and spectral norm of diag(a) - a a^T
    share      what of a falls on the class token, and on registers

Distances leave out the leading tokens, as queries and as keys: a row is softmax over the patches'
scores alone, which is what it has left divided by its sum. Memory: a tile, a second one for
distances, and one number a row of it; no (N, N) map but where it fits a tile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cbablate.probes.attention.jacobian import frobenius, nuclear, spectral
from cbablate.probes.attention.scores import Attended, Layer, layers_of, listening, tiles
from cbablate.probes.catalog import metrics_of
from cbablate.probes.geometry import Grid, grid_of
from cbablate.probes.probe import Absent, ProbeResult, Subject

__all__ = ["BINS", "measure"]

_BATCH = 64
_QUANTILES = (5, 25, 50, 75, 95)
BINS = 4096
"""The bins from 0 to ln N in which entropies are counted; a quantile is exact to one of them."""


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """The metrics of the probes asked for, on the held-out images, layer by layer."""
    first, _ = subject.held_out.spaced(1)
    layers = layers_of(subject.model, first)
    if isinstance(layers, Absent):
        return ProbeResult(absent=dict.fromkeys(metrics_of(asked), layers))
    grid, absent = _grid(subject, layers, asked)
    asked -= {"distance", "share"} if grid is None else frozenset()
    sums = [_Sums(layer, asked, grid) for layer in layers]
    if asked:
        with torch.inference_mode(), listening(subject.model, lambda i, call: sums[i].add(call)):
            for images, _ in subject.held_out.batches(_BATCH):
                subject.model(images)
    found = [each.found() for each in sums]
    vectors = {name: tuple(layer[name] for layer in found) for name in found[0]}
    metrics = {name: sum(values) / len(values) for name, values in vectors.items()}
    if "entropy" in asked:
        heads = [each.heads("entropy") for each in sums]
        vectors["attention/entropy_heads"] = tuple(value for layer in heads for value in layer)
        metrics["attention/entropy_heads"] = sum(map(_spread, heads)) / len(heads)
    return ProbeResult(metrics, vectors, {k: v for k, v in absent.items() if k not in metrics})


def _grid(
    subject: Subject, layers: Sequence[Layer], asked: frozenset[str]
) -> tuple[Grid | None, dict[str, Absent]]:
    """The grid that distances and shares go by, and what is absent."""
    absent: dict[str, Absent] = {}
    of_grid = metrics_of(asked & {"distance", "share"})
    grid = grid_of(subject.model)
    if isinstance(grid, Absent):
        return None, dict.fromkeys(of_grid, grid)
    if any(layer.rows != grid.tokens or layer.keys != grid.tokens for layer in layers):
        reason = Absent("the rows of the model's attention are not the tokens of its whole grid")
        return None, dict.fromkeys(of_grid, reason)
    if "share" in asked and not grid.class_tokens:
        absent["attention/class_share"] = Absent("the model has no class token")
    if "share" in asked and not grid.registers:
        absent["attention/register_share"] = Absent("the model has no registers")
    if "distance" in asked and math.prod(grid.sides) == 1:
        absent |= dict.fromkeys(
            metrics_of(["distance"]), Absent("the model sees the image as one patch")
        )
    return grid, absent


def _spread(heads: Sequence[float]) -> float:
    """The standard deviation between heads, 0 where there is one."""
    mean = sum(heads) / len(heads)
    return math.sqrt(sum((head - mean) ** 2 for head in heads) / max(1, len(heads) - 1))


class _Sums:
    """The running sums of one layer, by quantity and head, in float64."""

    def __init__(self, layer: Layer, asked: frozenset[str], grid: Grid | None) -> None:
        self._layer = layer
        self._asked = asked
        self._grid = grid
        self._far = "distance" in asked and grid is not None and math.prod(grid.sides) > 1
        self._sums: dict[str, Tensor] = {}
        self._rows: dict[str, int] = {}
        self._counts = torch.zeros(BINS, dtype=torch.int64)
        self._gaps: tuple[slice, Tensor] | None = None
        self._uniform = 0.0

    def add(self, call: Attended) -> Tensor | None:
        """Take in one batch; the attention's output, from the same rows."""
        if call.value is None:
            raise TypeError("the output needs values")
        output = call.query.new_empty((*call.query.shape[:-1], call.value.shape[-1]))
        for images, part, scores in tiles(call):
            if self._far:
                self._distance(scores, part)
            scores -= scores.amax(dim=-1, keepdim=True)
            rows = scores.exp()
            total = rows.sum(dim=-1)
            rows /= total[..., None]
            torch.matmul(rows, call.value[images].float(), out=output[images, :, part])
            if "entropy" in self._asked:
                weighed = scores.mul_(rows)
                if call.bias is not None:
                    weighed.nan_to_num_(nan=0.0)  # of a masked key, 0 times minus infinity
                entropy = total.log() - weighed.sum(dim=-1)
                self._note("entropy", entropy)
                self._count(entropy)
            if "jacobian" in self._asked:
                self._jacobian(rows, scores)
            if "share" in self._asked:
                self._share(rows)
        return output.to(call.value.dtype)

    def _jacobian(self, rows: Tensor, spare: Tensor) -> None:
        squared = torch.mul(rows, rows, out=spare)
        squares = squared.sum(dim=-1)
        cubes = squared.mul_(rows).sum(dim=-1)
        self._note("attention/jacobian_nuclear", nuclear(squares))
        self._note("attention/jacobian_frobenius", frobenius(squares, cubes))
        self._note("attention/jacobian_spectral", spectral(rows))

    def _share(self, rows: Tensor) -> None:
        if self._grid is None:
            return
        if self._grid.class_tokens:
            self._note("attention/class_share", rows[..., 0])
        if self._grid.registers:
            registers = rows[..., self._grid.class_tokens : self._grid.prefix]
            self._note("attention/register_share", registers.sum(dim=-1))

    def _distance(self, scores: Tensor, part: slice) -> None:
        if self._grid is None:
            return
        prefix = self._grid.prefix
        of_patches = slice(max(part.start, prefix), part.stop)
        if of_patches.start >= of_patches.stop:
            return
        gaps = self._distances(of_patches, scores.device)
        # what falls on the patches may be 0 in float32, and its distribution is not
        among = scores[..., of_patches.start - part.start :, prefix:].softmax(dim=-1)
        weighed = among.mul_(gaps)
        mean = weighed.sum(dim=-1)
        square = weighed.mul_(gaps).sum(dim=-1)
        self._note("attention/distance", mean)
        self._note("attention/distance_rms", square.sqrt())
        self._note("uniform", gaps.mean(dim=-1).expand_as(mean))

    def _distances(self, rows: slice, device: torch.device) -> Tensor:
        """Distances from the patches in `rows`, which count all tokens; kept for the next tile."""
        if self._grid is None:
            raise RuntimeError("no grid")
        if self._gaps is None or self._gaps[0] != rows:
            own = slice(rows.start - self._grid.prefix, rows.stop - self._grid.prefix)
            self._gaps = (rows, self._grid.distances(own, device))
        return self._gaps[1]

    def _note(self, name: str, rows: Tensor) -> None:
        """Add rows of shape (b, heads, r) to the sum of a quantity."""
        total = rows.sum(dim=(0, 2), dtype=torch.float64).cpu()
        self._sums[name] = self._sums.get(name, torch.zeros_like(total)) + total
        self._rows[name] = self._rows.get(name, 0) + rows.shape[0] * rows.shape[2]

    def _count(self, entropy: Tensor) -> None:
        """Count the rows in the bins of the histogram."""
        width = math.log(self._layer.keys) / BINS or 1.0
        bins = (entropy.flatten() / width).long().clamp_(0, BINS - 1)
        self._counts += torch.bincount(bins, minlength=BINS).cpu()

    def heads(self, name: str) -> tuple[float, ...]:
        """The means of a quantity by head."""
        return tuple((self._sums[name] / self._rows[name]).tolist())

    def found(self) -> dict[str, float]:
        """The layer's value of every metric that has one, means over heads, rows and images."""
        means = {name: sum(self.heads(name)) / self._layer.heads for name in self._sums}
        uniform = means.pop("uniform", 0.0)
        if uniform:
            means["attention/distance_relative"] = means["attention/distance"] / uniform
        if means.pop("entropy", None) is not None:
            for quantile in _QUANTILES:
                means[f"attention/entropy_q{quantile:02}"] = self._quantile(quantile / 100)
        return means

    def _quantile(self, share: float) -> float:
        """The entropy below which this share of the rows lies, between the bounds of its bin."""
        below = self._counts.cumsum(0)
        target = share * float(below[-1])
        place = int(torch.searchsorted(below.double(), target).clamp(max=BINS - 1))
        inside = float(self._counts[place])
        passed = float(below[place]) - inside
        part = (target - passed) / inside if inside else 0.0
        return (place + part) * math.log(self._layer.keys) / BINS
