"""Accuracy along the strength of a disturbance: the values, and their mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor

from cbablate.probes.probe import ProbeResult, Subject

__all__ = ["curve", "joined"]


def curve(
    subject: Subject,
    name: str,
    labels: Tensor,
    *,
    strengths: Iterable[float],
    disturbed: Callable[[float], Tensor],
) -> ProbeResult:
    """Top-1 in percent at each strength, as the vector `name`, and the mean as the metric."""
    values = tuple(subject.hits(disturbed(strength), labels) for strength in strengths)
    return ProbeResult({name: sum(values) / len(values)}, {name: values})


def joined(findings: Iterable[ProbeResult]) -> ProbeResult:
    """All of them as one."""
    whole = ProbeResult()
    for each in findings:
        whole = ProbeResult(
            {**whole.metrics, **each.metrics},
            {**whole.vectors, **each.vectors},
            {**whole.absent, **each.absent},
            {**whole.sketches, **each.sketches},
        )
    return whole
