"""Tunable: whether every arm of a study can be tuned as its sweep says, before anything trains."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from cbablate.planning.arm import Arm
from cbablate.planning.trial import replicate_seed, tuning_seed
from cbablate.spec.constraint import Constraint, parsed
from cbablate.spec.description import Description
from cbablate.spec.fault import Fault, Path, dotted
from cbablate.spec.loading.changes import apply, flatten
from cbablate.spec.loading.validation import Wording, complaints, problems
from cbablate.spec.search_methods import SAMPLERS
from cbablate.spec.space import active, cells, corners, count, draw, ends
from cbablate.spec.study import Study
from cbablate.spec.sweep import Sweep

__all__ = ["POINTS", "tune_faults"]

POINTS = 10_000
"""How many points are drawn before it is said that constraints exclude everything."""
_RESCUES = 64
"""How many points are drawn to find one at which the workload takes a range's end after all."""
_MOST_CELLS = 100_000
_NAMED = 3
_RUNG = ("first_rung", "interval")


def tune_faults(study: Study, description: Description, arms: Sequence[Arm]) -> list[Fault]:
    """What keeps these arms from being tuned; paths begin with `tune` and go on in its file.

    A range's end is refused by the workload if its key is wrong with it, or if it is refused in
    each of many points of the space; constraints exclude everything if none of 10,000 points
    drawn from the space, nor any corner of it, keeps them. Both draw from a fixed seed.
    """
    sweep = study.tune
    if sweep is None:
        return [*_untuned(study)]
    faults = [*_repeated(study), *_effort(study, sweep, len(arms)), *_seeds(study, sweep)]
    faults += _objectives(study, sweep)
    concerned: dict[Fault, list[str]] = {}
    for arm in arms:
        found = [*_constrained(sweep, arm, description), *_ends(sweep, arm, description)]
        for fault in found or _excluded(sweep, arm):
            concerned.setdefault(fault, []).append(arm.name)
    return [*faults, *(_told(fault, names, len(arms)) for fault, names in concerned.items())]


def _told(fault: Fault, names: Sequence[str], arms: int) -> Fault:
    """The fault, told once; of which arms it is true, unless it is of all."""
    if len(names) == arms:
        return fault
    quoted = ", ".join(f"'{name}'" for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return replace(fault, sentence=f"in arm {quoted}{more}: {fault.sentence}")


def _untuned(study: Study) -> Iterator[Fault]:
    if study.searches > 1:
        sentence = "there is no `tune`, so there is nothing to search more than once"
        yield Fault(("searches",), sentence, "name a sweep, as in `tune: ../sweeps/recipe.yaml`")


def _repeated(study: Study) -> Iterator[Fault]:
    """Whether the replicates can be shared out evenly over the searches."""
    many, n = study.searches, study.most_replicates
    if n % many:
        above = n - n % many + many
        hint = f"write replicates: {above}" + (f" or {above - many}" if above > many else "")
        sentence = f"{n} replicates cannot be shared out evenly over {many} searches of each arm"
        yield Fault(("searches",), sentence, hint)


def _effort(study: Study, sweep: Sweep, arms: int) -> Iterator[Fault]:
    budget, pruner = study.budget, sweep.pruner
    for word in _RUNG if pruner else ():
        at = pruner.options.get(word) if pruner else None
        if at is not None and pruner is not None and at >= budget.amount:
            what = "the first rung lies" if word == "first_rung" else "the second rung would lie"
            beyond = "at the end of" if at == budget.amount else "beyond"
            yield Fault(
                ("tune", "pruner", pruner.name, word),
                f"{what} at {at}, {beyond} the study's budget of {budget}: "
                "nothing would be left to save",
                f"write at most {max(1, budget.amount // 2)}",
            )
    if pruner is not None and budget.amount == 1:
        sentence = f"a budget of one {budget.unit.removesuffix('s')} has no rung before its end"
        yield Fault(("tune", "pruner"), f"{sentence}: nothing can be pruned", "delete the pruner")
    least = arms * study.searches
    if sweep.stop is not None and sweep.stop.trials is not None and sweep.stop.trials < least:
        of = f"{arms} arms" if study.searches == 1 else f"{study.searches} searches of {arms} arms"
        yield Fault(
            ("tune", "stop", "trials"),
            f"a total of {sweep.stop.trials} trials is less than one for each of {of}",
            f"it counts the trials of all arms together: write at least {least}",
        )


def _seeds(study: Study, sweep: Sweep) -> Iterator[Fault]:
    """Whether a replicate would have a seed that a tuning trial had: one in a hundred million;
    and whether two searches would share one.
    """
    fresh = {replicate_seed(study.seed, number) for number in range(study.most_replicates)}
    drawn = [
        {tuning_seed(study.seed, number, search) for number in range(sweep.trials)}
        for search in range(study.searches)
    ]
    if any(fresh & seeds for seeds in drawn):
        sentence = f"from seed {study.seed} a tuning trial and a replicate draw the same seed"
        yield Fault(("seed",), sentence, "choose another seed")
    elif len(set().union(*drawn)) < sum(map(len, drawn)):
        sentence = f"from seed {study.seed} two searches draw the same seed for a tuning trial"
        yield Fault(("seed",), sentence, "choose another seed")


def _objectives(study: Study, sweep: Sweep) -> Iterator[Fault]:
    names = [one.metric for one in sweep.objectives]
    if names and study.objective.metric not in names:
        yield Fault(
            ("tune", "objectives"),
            f"the study decides on '{study.objective.metric}', which is not an objective of the "
            "search: what is confirmed is the proposal that is best by it",
            f"add {{metric: {study.objective.metric}, direction: {study.objective.direction}}}",
        )
    for index, one in enumerate(sweep.objectives):
        if one.metric == study.objective.metric and one.direction != study.objective.direction:
            yield Fault(
                ("tune", "objectives", index, "direction"),
                f"the study's objective is to {study.objective.direction} '{one.metric}'",
                f"write {study.objective.direction}",
            )


def _constrained(sweep: Sweep, arm: Arm, description: Description) -> Iterator[Fault]:
    """Names in constraints that are keys but have no number in this arm, or metrics in vain."""
    config = dict(flatten(arm.config))
    for index, text in enumerate(sweep.constraints):
        for name in parsed(text).names:
            value = config.get(name)
            number = value is not None and _number_or_null(value)
            parameter = sweep.space.get(name)
            if parameter is not None and parameter.kind == "choice":
                if not all(map(_number_or_null, parameter.choices)):
                    sentence = (
                        f"'{name}' has choices that are not numbers, and only numbers are compared"
                    )
                    yield Fault(("tune", "constraints", index), sentence)
            elif parameter is not None or number:
                continue
            elif name in description.metrics or (not description.closed and name not in config):
                if SAMPLERS[sweep.sampler.name].numeric:
                    sentence = (
                        f"{sweep.sampler.name} cannot be told of metrics, and '{name}' is one"
                    )
                    yield Fault(("tune", "constraints", index), sentence, "use tpe, gp or nsgaii")
            else:
                sentence = f"'{name}' has no number to be compared"
                hint = "write it in the study's baseline, or tune it"
                yield Fault(("tune", "constraints", index), sentence, hint)


def _number_or_null(value: Any) -> bool:
    """Whether constraints can be judged on a value; where it is null they are kept."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _ends(sweep: Sweep, arm: Arm, description: Description) -> Iterator[Fault]:
    """Ends of ranges, and choices, that the workload takes at no point of the space."""
    for key, parameter in sweep.space.items():
        for index, value in enumerate(ends(parameter)):
            path: Path = ("tune", "space", key, parameter.kind, index)
            parents = _parents(sweep, key)
            sentences = _refusal(arm, {**parents, key: value}, description)
            if not sentences:
                continue
            own = [fault for fault in sentences if ".".join(map(str, fault.path)) == key]
            if own or not _rescued(sweep, arm, key, value, description):
                fault = (own or sentences)[0]
                way = "" if own else f"{dotted(fault.path)}: " if fault.path else ""
                yield Fault(path, f"{way}{fault.sentence}", fault.hint)


def _parents(sweep: Sweep, key: str) -> dict[str, Any]:
    """The first values of other parameters at which this one exists."""
    found: dict[str, Any] = {}
    for parent, values in (sweep.space[key].when or {}).items():
        found |= {**_parents(sweep, parent), parent: values[0]}
    return found


def _refusal(arm: Arm, proposal: Mapping[str, Any], description: Description) -> list[Fault]:
    config = apply(arm.config, proposal)
    try:
        description.resolve(config)
    except ValidationError as error:
        wording = Wording(description.outline, whose=f"workload {description.name}")
        faults = complaints(problems(error, config), wording)
        return faults or [Fault((), str(error))]
    return []


def _rescued(sweep: Sweep, arm: Arm, key: str, value: Any, description: Description) -> bool:
    """Whether other values of the other parameters make the workload take this one."""
    source = random.Random(0)  # noqa: S311 - points of a space, no secrets
    for _ in range(_RESCUES):
        point = draw(sweep.space, source)
        if active(sweep.space[key], point) and not _refusal(
            arm, {**point, key: value}, description
        ):
            return True
    return False


def _excluded(sweep: Sweep, arm: Arm) -> Iterator[Fault]:
    """Whether the constraints between parameters leave nothing to search, or less than a grid."""
    config = dict(flatten(arm.config))
    asked = [parsed(text) for text in sweep.constraints]
    asked = [one for one in asked if all(n in config or n in sweep.space for n in one.names)]
    if SAMPLERS[sweep.sampler.name].exhaustive:
        yield from _grid(sweep, config, asked)
        return
    if not asked:
        return
    source = random.Random(0)  # noqa: S311 - points of a space, no secrets
    drawn = (draw(sweep.space, source) for _ in range(POINTS))
    if any(
        _kept(asked, {**config, **point}) for point in itertools.chain(drawn, corners(sweep.space))
    ):
        return
    words = sweep.constraints[0] if len(asked) == 1 else "all constraints at once"
    yield Fault(
        ("tune", "constraints"),
        f"none of {POINTS:,} points drawn from the space keeps {words}, nor does a corner of it: "
        "there is nothing to search",
        "widen the ranges, or loosen the constraints",
    )


def _grid(sweep: Sweep, config: Mapping[str, Any], asked: Sequence[Constraint]) -> Iterator[Fault]:
    laid = math.prod(map(count, sweep.space.values()))
    if laid > _MOST_CELLS:
        sentence = f"a grid of {laid:,} cells; at most {_MOST_CELLS:,} are laid"
        yield Fault(("tune", "space"), sentence, "take larger steps, or use qmc")
        return
    if asked:
        laid = sum(_kept(asked, {**config, **cell}) for cell in cells(sweep.space))
    if laid == 0:
        sentence = "no cell of the grid keeps the constraints: there is nothing to search"
        yield Fault(("tune", "constraints"), sentence, "widen the ranges, or loosen them")
    elif sweep.trials != laid:
        sentence = f"the grid has {laid:,} cells, and {sweep.trials:,} trials are asked for"
        yield Fault(("tune", "trials"), sentence, f"write trials: {laid}, or use qmc")


def _kept(asked: Sequence[Constraint], values: Mapping[str, Any]) -> bool:
    return all(not one.applies(values) or one.violation(values) <= 0 for one in asked)
