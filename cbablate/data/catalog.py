"""What is known of each data set without loading it: shape, classes, and its content's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DATASETS", "Dataset"]


@dataclass(frozen=True)
class Dataset:
    """A data set's facts. `content` is the SHA-256 (first 20 digits) of its images and labels.

    The loader computes it anew and refuses data that differ, so a plan can name the data's
    fingerprint without reading them.
    """

    name: str
    img_size: int
    in_chans: int
    num_classes: int
    sizes: Mapping[str, int]
    """Images by split: train, val, test."""
    content: str


DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {
        "digits": Dataset(
            name="digits",
            img_size=8,
            in_chans=1,
            num_classes=10,
            sizes={"train": 1078, "val": 359, "test": 360},
            content="502a1f248de5129322ba",
        )
    }
)
