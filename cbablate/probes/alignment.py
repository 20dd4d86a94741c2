"""The probe `alignment`: what is needed to compare a network's layers with another network's.

Linear CKA (Kornblith et al., arXiv 1905.00414) of two sets of features depends on the products of
features of pairs of images alone. So each block leaves the upper triangle of its centred Gram
matrix over a few held-out images, row by row from the diagonal on, and two trials are aligned
without either network, by `analysis.alignment`. An image's feature is its mean token, as for
`cka`. The images are the same for all arms and seeds, and a digest tells whether they were.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from cbablate.probes.catalog import GRAMS
from cbablate.probes.probe import Absent, ProbeResult, Subject
from cbablate.probes.representation import features, unreadable
from cbablate.records.sketch import Sketch

__all__ = ["FEWEST", "IMAGES", "about", "measure", "triangle"]

IMAGES = 64
"""The most images: 2,080 products a block, some 5.5 kB of a ledger."""
FEWEST = 4
"""The estimator that is not biased by few images needs this number."""


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """The Gram matrices of all blocks, or why there are none."""
    del asked
    found = _grams(subject)
    if isinstance(found, Absent):
        return ProbeResult(absent={GRAMS: found})
    return ProbeResult(sketches={GRAMS: found})


def triangle(rows: Tensor) -> Tensor:
    """The upper triangle of the centred Gram matrix of features (n, C), of n (n + 1) / 2 products.

    In float64.
    """
    centred = rows.double() - rows.double().mean(dim=0)
    gram = centred @ centred.T
    first, second = torch.triu_indices(len(rows), len(rows))
    return gram[first, second]


def about(images: Tensor) -> str:
    """A digest of images, to tell whether two networks saw the same."""
    held = images.detach().float().cpu().contiguous().numpy().tobytes()
    return hashlib.sha256(held).hexdigest()[:12]


def _grams(subject: Subject) -> Sketch | Absent:
    absent = unreadable(subject)
    if absent is not None:
        return absent
    images, _ = subject.held_out.spaced(IMAGES)
    if len(images) < FEWEST:
        return Absent(f"fewer than {FEWEST} images are held out")
    rows = [triangle(each) for each in features(subject.model, subject.blocks, images)]
    if not all(bool(row.isfinite().all()) for row in rows):
        return Absent("a block's features are not finite numbers")
    return Sketch(about(images), tuple(tuple(row.tolist()) for row in rows))
