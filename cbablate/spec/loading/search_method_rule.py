"""Rules about a sweep's sampler and pruner: what their options, or the space, do not allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from cbablate.phrases import listed
from cbablate.spec.fault import Fault, Path
from cbablate.spec.loading.written_sweep import WrittenSweep, made
from cbablate.spec.search_methods import PRUNERS, SAMPLERS
from cbablate.spec.sweep import Parameter

__all__ = ["number", "one_named", "pruner_faults", "sampler_faults"]


def one_named(chosen: str | BaseModel | None, word: str) -> Iterator[Fault]:
    """A mapping of a sampler or a pruner has one key, and its options fit each other."""
    if chosen is None or isinstance(chosen, str):
        example = PRUNERS[chosen].example if chosen and word == "pruner" else ""
        if example:
            yield Fault((word,), f"{chosen} needs options", f"write {{{chosen}: {{{example}}}}}")
        return
    names = [*chosen.model_fields_set]
    if len(names) != 1:
        what = f"{listed(sorted(names))} are given; one {word} is wanted" if names else "is empty"
        yield Fault((word,), what, f"write {word}: name, or {word}: {{name: {{...}}}}")
        return
    if getattr(chosen, names[0]) is None:
        yield Fault((word, names[0]), "nothing is given", f"write {word}: {names[0]}")


def sampler_faults(written: WrittenSweep) -> Iterator[Fault]:
    """What a sampler cannot do with this space, these options or this number of trials."""
    sweep = made(written, "sweep")
    name, options = sweep.sampler.name, sweep.sampler.options
    kind = SAMPLERS[name]
    at: Path = ("sampler",)
    space: Mapping[str, Parameter] = sweep.space
    conditional = [key for key, one in space.items() if one.when]
    if conditional and not kind.conditional:
        *others, last = (other.name for other in SAMPLERS.values() if other.conditional)
        yield Fault(
            at,
            f"{name} knows only parameters that every trial has, and '{conditional[0]}' is "
            "conditional",
            f"use {', '.join(others)} or {last}, or drop the condition",
        )
    if kind.numeric:
        yield from _numeric(name, written, space)
    if kind.exhaustive:
        endless = [key for key, one in space.items() if one.kind == "float" and not one.step]
        for key in endless:
            sentence = f"a grid has countably many values, and '{key}' is a float without step"
            yield Fault(("space", key), sentence, "give it a step or choices, or use qmc")
    if options.get("group") and not options.get("multivariate"):
        hint = "write multivariate: true beside it"
        yield Fault((*at, name, "group"), "groups are formed by multivariate tpe only", hint)
    if options.get("use_separable_cma") and options.get("with_margin"):
        sentence = "with_margin and use_separable_cma exclude each other"
        yield Fault((*at, name, "with_margin"), sentence, "delete one")
    yield from _random_alone(name, options, sweep.trials)


def _numeric(name: str, written: WrittenSweep, space: Mapping[str, Parameter]) -> Iterator[Fault]:
    """What a sampler that knows numbers alone cannot search."""
    for key, one in space.items():
        if one.kind == "choice":
            sentence = f"{name} knows numbers only, and '{key}' is a choice"
            yield Fault(("sampler",), sentence, "use tpe, or tune the choice in a study of its own")
    if len(space) == 1:
        yield Fault(("sampler",), f"{name} needs at least two parameters", "use tpe or gp")
    if len(written.objectives or ()) > 1:
        yield Fault(("sampler",), f"{name} looks for one objective", "use tpe or nsgaii")


def _random_alone(name: str, options: Mapping[str, Any], trials: int) -> Iterator[Fault]:
    """A sampler that ends before it has learnt anything."""
    at: Path = ("sampler", name) if options else ("sampler",)
    word, usual = SAMPLERS[name].first or ("", 0)
    first = options.get(word, usual)
    if first >= trials and first > 0:
        path = (*at, word) if word in options else at
        default = "" if word in options else " by default"
        yield Fault(
            path,
            f"{name} draws its first {first} trials at random{default}, and there are {trials}: it "
            "would never learn",
            f"write {{{name}: {{{word}: {max(2, trials // 3)}}}}}, or sampler: random",
        )


def pruner_faults(written: WrittenSweep) -> Iterator[Fault]:
    """Ends of a pruner's range that no value lies between."""
    pruner = made(written, "sweep").pruner
    if pruner is None or not PRUNERS[pruner.name].bounds:
        return
    low, high = pruner.options.get("lower"), pruner.options.get("upper")
    path: Path = ("pruner", pruner.name)
    if low is None and high is None and not isinstance(written.pruner, str):
        yield Fault(path, f"a {pruner.name} has a lower or an upper end", "write lower: 0.2, say")
    elif low is not None and high is not None and low >= high:
        yield Fault(path, f"no value lies above {number(low)} and below {number(high)}")


def number(value: float) -> str:
    """A number as a person writes it, with six digits at most."""
    return f"{value:.6g}" if value != int(value) or abs(value) >= 1e6 else str(int(value))
