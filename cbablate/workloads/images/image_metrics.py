"""What `image_classification` measures, and the version of how it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cbablate.data.catalog import DATASETS
from cbablate.models.operators.catalog import OPERATORS
from cbablate.probes.catalog import PROBES, unasked
from cbablate.spec.metric import Metric

__all__ = ["METRICS", "VERSION", "revisions", "unmeasured"]

VERSION = "1"
"""Part of every trial's identity: raised when every config would give other numbers; what gives
other numbers of some is in `revisions`."""
_PATCHES = re.compile(r"(vit_[a-z]+\d*|(deit3?|beit(v2)?|eva(02)?)_\w+)_patch(\d+)")
"""Names of models whose patches occlusion hid from the beginning, with the size of a patch."""
_HYBRIDS = re.compile(r"vit_\w+?_(r\d*_|resnet\d|mci)")
"""Names of vision transformers whose patches are cut from a CNN's features."""

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric("train/loss", "Training loss", decimals=3, direction="minimize"),
            Metric("train/top1", "Top-1 (train)", "%", 2, "maximize"),
            Metric("val/top1", "Top-1 (val.)", "%", 2, "maximize"),
            Metric("val/loss", "Loss (val.)", decimals=3, direction="minimize"),
            Metric("test/top1", "Top-1", "%", 2, "maximize"),
            Metric("test/loss", "Loss", decimals=3, direction="minimize"),
            Metric("attention/entropy", "Entropy", "nats", 3),
            Metric("attention/entropy_normalized", "Entropy / ln N", "", 3),
            Metric("params", "Parameters", "", 0, "minimize"),
            Metric("seconds", "Time", "s", 1, "minimize"),
            Metric("images_per_second", "Training rate as it ran", "img/s", 0, "maximize"),
            Metric("throughput/train", "Training", "img/s", 0, "maximize", "timing"),
            Metric("throughput/infer", "Inference", "img/s", 0, "maximize", "timing"),
            *(metric for entry in PROBES.values() for metric in entry.metrics),
        )
    }
)


def unmeasured(config: Mapping[str, Any]) -> dict[str, str]:
    """By metric, what to write so that it is measured, for all that a config leaves unmeasured."""
    asked = list(config.get("probes", ()))
    return {
        metric: f"write `probes: [{', '.join([*asked, probe])}]` in the baseline"
        for metric, probe in unasked(asked).items()
    }


def revisions(config: Mapping[str, Any]) -> dict[str, int]:
    """What of a resolved config is measured in another way than in version 0.1.0, by name.

    It is part of the identity of these configs and of no other, so that a number that was wrong is
    measured anew and a number that was right is kept (docs/decisions/0023).
    """
    found = {}
    if any(OPERATORS[placement["operator"]].across for placement in config["context"]):
        found["evaluation"] = 2  # in drawn order; it was that of the classes
    probes = config.get("probes", ())
    if "curvature" in probes:
        found["curvature"] = 2  # by Lanczos; power iteration failed where -a is as large as a
    if "distance" in probes and _HYBRIDS.match(config["model"]["name"]):
        found["distance"] = 2  # in pixels; it was in features of the CNN
    if "occlusion" in probes and not _in_whole_patches(config):
        found["occlusion"] = 2  # hides the cells it ranks, and patches of more models
    return found


def _in_whole_patches(config: Mapping[str, Any]) -> bool:
    """Whether the images are cut into whole patches of a model whose patches were always known."""
    model, data = config["model"], config["data"]
    name = _PATCHES.match(model["name"])
    known = DATASETS.get(data["name"])
    side = data["img_size"] if known is None else known.img_size
    return name is not None and side % (model.get("patch_size") or int(name[5])) == 0
