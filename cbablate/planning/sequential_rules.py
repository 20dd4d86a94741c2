"""What a study cannot ask for whose number of replicates grows until every arm is decided."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.spec.description import Description
from cbablate.spec.design import DESIGNS
from cbablate.spec.fault import Fault
from cbablate.spec.study import Study
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS, floor

__all__ = ["growing_faults"]

_FIXED = "write a number, as in `replicates: 8`"


def growing_faults(study: Study, description: Description) -> Iterator[Fault]:
    """What is wrong with `replicates: {min, max, until: decided}` in this study; of a fixed number
    nothing is.
    """
    grows = study.sequential
    if grows is None:
        return
    at = ("replicates",)
    if grows.max < FEWEST_PAIRS:
        yield Fault(
            (*at, "max"),
            f"no arm can be decided with {grows.max} replicates: an exact sign-flip test of so "
            f"many pairs cannot go below p = {floor(grows.max):.2g}, and {ALPHA} is asked for",
            f"use {FEWEST_PAIRS} or more",
        )
    if study.tune is not None:
        yield Fault(
            at,
            "a study that tunes needs a number that is fixed: arms as written and arms as tuned "
            "would be decided at different times",
            _FIXED,
        )
    if DESIGNS[study.design].whole_blocks:
        *others, last = (name for name, row in DESIGNS.items() if not row.whole_blocks)
        yield Fault(
            at,
            f"the effects of a {study.design} design rest on replicates that all arms have; arms "
            "that are decided at different times leave none",
            f"{_FIXED}, or use {', '.join(others)} or {last}",
        )
    if not study.factors:
        yield Fault(at, "nothing is compared here, so nothing is ever decided", _FIXED)
    known = description.metrics
    if not any(name not in known or known[name].source == "trial" for name in study.report):
        yield Fault(at, "only timings are reported, and no replicate decides these", _FIXED)
    yield from _analysis_faults(study)


def _analysis_faults(study: Study) -> Iterator[Fault]:
    """Looks are at t tests, each with its share of alpha; their intervals are their own."""
    how = study.analysis
    for key, word, usual in (
        ("interval", how.interval, "t"),
        ("intervals", how.intervals or "simultaneous", "simultaneous"),
        ("correction", how.correction, "sidak"),
        ("test", how.test, "t"),
    ):
        if word != usual:
            yield Fault(
                ("analysis", key),
                f"{word} has no version that allows looking after every replicate",
                f"use {usual}, or a fixed number of replicates",
            )
