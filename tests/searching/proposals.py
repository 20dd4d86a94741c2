"""Searches of every sampler over every kind of parameter, and what version 0.1.0 proposed in them.

    python -m tests.searching.proposals

writes the proposals of the present code beside the recorded ones; only those of 50b92a2 are kept.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbablate.planning.search import Search, searches
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.searching.optuna_sampler import OptunaSampler
from cbablate.spec.sweep import Parameter
from tests.toys import tuned_plan

RECORDED = Path(__file__).parent.parent / "golden" / "proposals-0.1.0.json"
COUNT = 16
_STEPS = {
    "ceiling": Parameter(kind="float", low=0.0, high=0.6, step=0.2),
    "noise": Parameter(kind="float", low=0.1, high=0.9, step=0.1),
    "start": Parameter(kind="int", low=2, high=8, step=3),
}
_RANGES = {
    "rate": Parameter(kind="float", low=1e-3, high=1.0, log=True),
    "ceiling": Parameter(kind="float", low=-1.0, high=2.0),
    "start": Parameter(kind="int", low=1, high=64, log=True),
}
_CHOICES = {
    "fault": Parameter(kind="choice", choices=("none", "nan", "silent")),
    "rate": Parameter(kind="choice", choices=(0.1, 1, 2.5)),
    "flag": Parameter(kind="choice", choices=(False, True)),
}
_CONDITIONAL = {
    "fault": Parameter(kind="choice", choices=("none", "nan")),
    "noise": Parameter(kind="float", low=0.0, high=0.3, step=0.05, when={"fault": ("none",)}),
    "start": Parameter(kind="int", low=1, high=3),
    "rate": Parameter(kind="float", low=0.1, high=1.0, when={"start": (1, 2)}),
}
SPACES = {
    "steps": _STEPS, "ranges": _RANGES, "choices": _CHOICES, "conditional": _CONDITIONAL,
    "both": {**_STEPS, "fault": _CHOICES["fault"]},
}  # fmt: skip
CASES = [
    *((sampler, space) for sampler in ("tpe", "random", "nsgaii") for space in SPACES),
    *((s, space) for s in ("gp", "qmc") for space in ("steps", "ranges", "choices", "both")),
    *(("cmaes", space) for space in ("steps", "ranges")),
    *(("grid", space) for space in ("steps", "choices", "both")),
]


def search_of(sampler: str, space: str) -> Search:
    """The search of a case."""
    (search,) = searches(tuned_plan(space=SPACES[space], sampler=sampler, trials=COUNT))
    return replace(search, seed=7)


def completed(sampler: OptunaSampler, number: int, proposal: Any) -> None:
    """Tell that a trial is complete, with a value that follows from its proposal."""
    value = sum(
        (index + 1) * float(one) if isinstance(one, int | float) else len(str(one))
        for index, one in enumerate(proposal.values())
    )
    value = round(value, 6)
    sampler.tell(number, TrialState.COMPLETE, Measurement(3, {"val/score": value}), proposal)


def proposed(search: Search, count: int = COUNT) -> list[dict[str, Any]]:
    """What is proposed where every trial is complete before the next one is asked for."""
    sampler, found = OptunaSampler(search), list[dict[str, Any]]()
    for number in range(count):
        asked = sampler.ask()
        if asked.refused:
            break
        found.append(dict(asked.proposal))
        completed(sampler, number, asked.proposal)
    return found


if __name__ == "__main__":
    told = {f"{sampler} {space}": proposed(search_of(sampler, space)) for sampler, space in CASES}
    json.dump(told, sys.stdout, indent=None, separators=(",", ":"))
