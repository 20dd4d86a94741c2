"""What `image_classification` measures, and the version of how it does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cbablate.probes.catalog import PROBES, unasked
from cbablate.spec.metric import Metric

__all__ = ["METRICS", "VERSION", "unmeasured"]

VERSION = "1"
"""Part of every trial's identity: raised when the same config would give other numbers."""

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
