"""Which probes a study can ask for, and what each measures; nothing that computes is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cbablate.spec.metric import Metric

__all__ = [
    "GRAMS",
    "MAPS",
    "PROBES",
    "STRENGTHS",
    "ProbeRow",
    "metrics_of",
    "sketches_of",
    "unasked",
]


@dataclass(frozen=True)
class ProbeRow:
    """Where a probe is (`module:function`), and the metrics that it finds or says are absent.

    Entries with one function are measured in one call. `training` says that something is noted
    while the network trains, too. `sketches` are what it leaves of the network for later.
    """

    measure: str
    metrics: tuple[Metric, ...]
    training: bool = False
    sketches: tuple[str, ...] = ()


STRENGTHS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "occlusion": (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875),
        "shuffle": (2.0, 4.0, 8.0, 14.0),
        "fgsm": (0.5, 1.0, 2.0, 4.0, 8.0),
        "pgd": (0.5, 1.0, 2.0, 4.0),
        "corruption": (1.0, 2.0, 3.0, 4.0, 5.0),
    }
)
"""The strengths of each disturbance: shares of the image hidden, pieces a side, radii in 1/255 of
the range between black and white, severities."""
_HIDDEN = {"axis": "Share of the image hidden", "at": STRENGTHS["occlusion"]}
_RADIUS = "Radius (1/255)"
_SEVERITY = {"axis": "Severity", "at": STRENGTHS["corruption"]}
GRAMS = "tokens/grams"
"""Products of images' features by block: what the alignment of two networks is computed from."""
MAPS = "attention/maps"
"""Where a few images are looked at, with those images."""
_ATTENTION = "cbablate.probes.attention.attention_rows:measure"
_TOKENS = "cbablate.probes.representation:measure"


def _top1(name: str, label: str, **curve: object) -> Metric:
    return Metric(f"robust/{name}", label, "%", 2, "maximize", **curve)  # type: ignore[arg-type]  # axis and at


PROBES: Mapping[str, ProbeRow] = MappingProxyType(
    {
        "entropy": ProbeRow(
            _ATTENTION,
            (
                *(
                    Metric(f"attention/entropy_q{q:02}", f"Entropy, {q} % quantile", "nats", 3)
                    for q in (5, 25, 50, 75, 95)
                ),
                Metric(
                    "attention/entropy_heads",
                    "Entropy by head",
                    "nats",
                    3,
                    axis="Head, layer by layer",
                ),
            ),
        ),
        "distance": ProbeRow(
            _ATTENTION,
            (
                Metric("attention/distance", "Attention distance", "px", 2),
                Metric("attention/distance_rms", "RMS attention distance", "px", 2),
                Metric("attention/distance_relative", "Distance / uniform", "", 3),
            ),
        ),
        "jacobian": ProbeRow(
            _ATTENTION,
            (
                Metric("attention/jacobian_nuclear", "Jacobian, nuclear", "", 4),
                Metric("attention/jacobian_frobenius", "Jacobian, Frobenius", "", 4),
                Metric("attention/jacobian_spectral", "Jacobian, spectral", "", 4),
            ),
        ),
        "share": ProbeRow(
            _ATTENTION,
            (
                Metric("attention/class_share", "Attention on the class token", "", 4),
                Metric("attention/register_share", "Attention on registers", "", 4),
            ),
        ),
        "rank": ProbeRow(_TOKENS, (Metric("tokens/effective_rank", "Effective rank", "", 2),)),
        "similarity": ProbeRow(_TOKENS, (Metric("tokens/similarity", "Token similarity", "", 4),)),
        "cka": ProbeRow(
            _TOKENS, (Metric("tokens/cka_initial", "CKA with the start of training", "", 4),)
        ),
        "gradient": ProbeRow(
            "cbablate.probes.gradient:measure",
            (Metric("gradient/norm", "Gradient norm", "", 4),),
            training=True,
        ),
        "curvature": ProbeRow(
            "cbablate.probes.curvature:measure",
            (
                Metric("loss/hessian_top", "Largest Hessian eigenvalue", "", 3),
                Metric("loss/sharpness", "Sharpness", "nats", 4),
            ),
        ),
        "flops": ProbeRow(
            "cbablate.probes.expense.operations:measure",
            (
                Metric("flops", "FLOPs", "MFLOPs", 1, "minimize"),
                Metric("activations", "Activations", "thousand", 1, "minimize"),
                Metric("pointwise", "Other elements written", "thousand", 1, "minimize"),
            ),
        ),
        "memory": ProbeRow(
            "cbablate.probes.expense.memory:measure",
            (
                Metric("memory/train", "Peak memory (training)", "MiB", 1, "minimize"),
                Metric("memory/infer", "Peak memory (inference)", "MiB", 1, "minimize"),
            ),
        ),
        "calibration": ProbeRow(
            "cbablate.probes.calibration:measure",
            (
                Metric("test/ece", "ECE", "%", 2, "minimize"),
                Metric("test/confidence", "Mean confidence", "%", 2),
            ),
        ),
        "occlusion": ProbeRow(
            "cbablate.probes.robustness.occlusion:measure",
            (
                _top1("occlusion_centre", "Top-1, centre hidden", **_HIDDEN),
                _top1("occlusion_random", "Top-1, random patches hidden", **_HIDDEN),
                _top1("occlusion_salient", "Top-1, salient patches hidden", **_HIDDEN),
            ),
        ),
        "shuffle": ProbeRow(
            "cbablate.probes.robustness.shuffle:measure",
            (
                _top1(
                    "shuffle",
                    "Top-1, pieces shuffled",
                    axis="Pieces a side",
                    at=STRENGTHS["shuffle"],
                ),
            ),
        ),
        "adversarial": ProbeRow(
            "cbablate.probes.robustness.adversarial:measure",
            (
                _top1("fgsm", "Top-1, FGSM", axis=_RADIUS, at=STRENGTHS["fgsm"]),
                _top1("pgd", "Top-1, PGD", axis=_RADIUS, at=STRENGTHS["pgd"]),
            ),
        ),
        "corruption": ProbeRow(
            "cbablate.probes.robustness.corruption:measure",
            tuple(
                _top1(f"corruption_{family}", f"Top-1, {words}", **_SEVERITY)
                for family, words in (
                    ("noise", "Gaussian noise"),
                    ("blur", "Gaussian blur"),
                    ("brightness", "brightness"),
                    ("contrast", "contrast"),
                    ("pixelate", "pixelated"),
                    ("jpeg", "JPEG"),
                )
            ),
        ),
        "alignment": ProbeRow("cbablate.probes.alignment:measure", (), sketches=(GRAMS,)),
        "maps": ProbeRow("cbablate.probes.maps:measure", (), sketches=(MAPS,)),
    }
)
"""Every probe by the name a study writes under `probes:`, in the order they are measured."""


def metrics_of(names: Iterable[str]) -> tuple[str, ...]:
    """The metrics of these probes."""
    return tuple(metric.name for name in names for metric in PROBES[name].metrics)


def sketches_of(names: Iterable[str]) -> tuple[str, ...]:
    """The sketches that these probes leave."""
    return tuple(sketch for name in names for sketch in PROBES[name].sketches)


def unasked(asked: Iterable[str]) -> dict[str, str]:
    """The probe of every metric that these probes leave unmeasured, by the metric's name."""
    kept = set(asked)
    return {
        metric.name: name
        for name, entry in PROBES.items()
        if name not in kept
        for metric in entry.metrics
    }
