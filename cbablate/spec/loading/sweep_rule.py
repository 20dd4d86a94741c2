"""Rules: what a sweep may not say though its types would allow it.

All of it is judged on the sweep alone. What depends on a study is in `tuned_rule`, and what
depends on its arms in `planning.tunable`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cbablate.fingerprint import canonical
from cbablate.phrases import listed
from cbablate.spec.constraint import parsed
from cbablate.spec.fault import Fault, Path
from cbablate.spec.loading.search_method_rule import (
    number,
    one_named,
    pruner_faults,
    sampler_faults,
)
from cbablate.spec.loading.study_rule import Prefixes, is_seed
from cbablate.spec.loading.validation import MOST_SUGGESTED
from cbablate.spec.loading.written_sweep import WrittenParameter, WrittenSweep, made
from cbablate.spec.metric import Objective
from cbablate.spec.space import circle
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.suggestion import did_you_mean

__all__ = ["broken_sweep_rules"]

_SEED = (
    "a seed is not tuned: a seed that happens to do well says nothing of the hyperparameters, and "
    "confirmations have fresh ones"
)
_WHOLE = 1e-9
_LARGEST = 2**53
"""The whole numbers up to here are all floats as well, which is what samplers compute with."""
MAX_PARAMETERS = 200
MAX_CHOICES = 1_000


def broken_sweep_rules(written: WrittenSweep) -> Iterator[Fault]:
    """The faults of a sweep whose types are right, with their paths in its file."""
    if len(written.space) > MAX_PARAMETERS:
        sentence = f"{len(written.space):,} hyperparameters; at most {MAX_PARAMETERS} are tuned"
        yield Fault(("space",), sentence)
        return
    faults = [*_keys(written.space), *_parameters(written.space)]
    yield from faults
    yield from _constraints(written)
    chosen = [*one_named(written.sampler, "sampler"), *one_named(written.pruner, "pruner")]
    yield from chosen
    yield from _objectives(written)
    yield from _stop(written)
    if not faults and not chosen:
        yield from _circle(written)
        yield from sampler_faults(written)
        yield from pruner_faults(written)


def _keys(space: Mapping[str, WrittenParameter]) -> Iterator[Fault]:
    wholes = Prefixes(space)
    for key in space:
        parts = key.split(".")
        path: Path = ("space", key)
        if not all(parts):
            yield Fault(path, f"{scalar.shown(key)} has a dot with no word beside it", at_key=True)
        elif any(is_seed(part) for part in parts):
            yield Fault(path, _SEED, "delete it; `replicates:` repeats every arm", at_key=True)
        if parent := wholes.of(key):
            sentence = f"'{parent}' as a whole is tuned here, too"
            yield Fault(path, sentence, "delete one of the two", at_key=True)


def _parameters(space: Mapping[str, WrittenParameter]) -> Iterator[Fault]:
    suggested = itertools.count()
    for key, one in space.items():
        kinds = [
            name
            for name, value in (
                ("float", one.range_float),
                ("int", one.range_int),
                ("choice", one.choice),
            )
            if value is not None
        ]
        path: Path = ("space", key)
        if len(kinds) != 1:
            what = f"{listed(kinds)} are given" if kinds else "it has no values"
            hint = "write one of float: [least, greatest], int: [least, greatest], choice: [...]"
            yield Fault(path, f"{what}; one of them is wanted" if kinds else what, hint)
        elif one.choice is not None:
            yield from _choice(one, path)
        else:
            yield from _range(one, kinds[0], path)
        yield from _conditions(key, one, space, suggested)


def _choice(one: WrittenParameter, path: Path) -> Iterator[Fault]:
    choices = one.choice or ()
    if len(choices) > MAX_CHOICES:
        sentence = f"{len(choices):,} choices; at most {MAX_CHOICES:,} are tried"
        yield Fault((*path, "choice"), sentence)
        return
    if len(choices) == 1:
        shown = _shown(choices[0])
        sentence = f"there is one choice, {shown}, and nothing to choose"
        yield Fault((*path, "choice"), sentence, "write it into the study's baseline instead")
    seen: dict[str, Any] = {}
    for index, value in enumerate(choices):
        text = canonical(value)
        if text in seen:
            same = "" if type(value) is type(seen[text]) else f", as {_shown(seen[text])}"
            sentence = f"{_shown(value)} is given twice{same}"
            yield Fault((*path, "choice", index), sentence, "delete one")
        seen.setdefault(text, value)
    for word in ("log", "step"):
        if getattr(one, word) is not None:
            sentence = f"'{word}' is for float and int; choices have no order"
            yield Fault((*path, word), sentence, "delete it", at_key=True)


def _range(one: WrittenParameter, kind: str, path: Path) -> Iterator[Fault]:
    low, high = one.range_float or one.range_int or (0, 0)
    at: Path = (*path, kind)
    large = next((index for index, end in enumerate((low, high)) if abs(end) > _LARGEST), None)
    if kind == "int" and large is not None:
        sentence = f"whole numbers are searched between -{_LARGEST:,} and {_LARGEST:,}"
        yield Fault((*at, large), sentence)
        return
    if low > high:
        sentence = f"the range runs from {number(low)} down to {number(high)}"
        yield Fault(at, sentence, f"write [{number(high)}, {number(low)}]")
        return
    if low == high:
        sentence = f"the range holds {number(low)} and nothing else"
        yield Fault(at, sentence, "write it into the study's baseline instead")
        return
    if not math.isfinite(float(high) - float(low) + max(one.step or 0.0, 0.0)):
        yield Fault(at, "the range is too wide: its length is not finite")
        return
    if one.log and low <= 0:
        sentence = f"a logarithmic range cannot begin at {number(low)}: it never reaches 0"
        yield Fault((*at, 0), sentence, "begin above 0, or leave out log")
    if one.step is not None:
        yield from _step(one, kind, (float(low), float(high)), path)


def _step(
    one: WrittenParameter, kind: str, ends: tuple[float, float], path: Path
) -> Iterator[Fault]:
    step, at = one.step or 0.0, (*path, "step")
    low, high = ends
    if step <= 0:
        yield Fault(at, f"a step must be greater than 0, found {number(step)}")
    elif one.log:
        yield Fault(at, "a logarithmic range has no steps", "delete step, or log")
    elif kind == "int" and step != int(step):
        yield Fault(at, f"{number(step)} is not a whole number, and the values are")
    elif kind == "float" and step < math.ulp(max(abs(low), abs(high))):
        sentence = f"a step of {number(step)} is too small to tell numbers near the range's ends"
        yield Fault(at, f"{sentence} apart", "take larger steps")
    else:
        count = (high - low) / step
        if abs(count - round(count)) > _WHOLE * max(1.0, count) or round(count) < 1:
            last = low + math.floor(count) * step
            sentence = f"steps of {number(step)} from {number(low)} do not end at {number(high)}"
            hint = f"let the range end at {number(last)} or {number(last + step)}"
            yield Fault(at, sentence, hint)


def _conditions(
    key: str,
    one: WrittenParameter,
    space: Mapping[str, WrittenParameter],
    suggested: Iterator[int],
) -> Iterator[Fault]:
    """What is wrong with `when`; `suggested` counts the suggestions, which take time."""
    for parent, wanted in (one.when or {}).items():
        path: Path = ("space", key, "when", parent)
        if parent not in space:
            sentence = f"{scalar.shown(parent)} is not tuned here, so nothing can depend on it"
            asked = ""
            if next(suggested) < MOST_SUGGESTED:
                others = [other for other in space if other != key]
                there = f"the space has {', '.join(others) or 'no other'}"
                asked = did_you_mean(parent, others) or there
            yield Fault(path, sentence, asked, at_key=True)
            continue
        values = wanted if isinstance(wanted, list) else [wanted]
        if not values:
            yield Fault(path, "is empty; name at least one value")
        choices = {canonical(choice) for choice in space[parent].choice or ()}
        for index, value in enumerate(values):
            at = (*path, index) if isinstance(wanted, list) else path
            if canonical(value) not in choices:
                yield from _condition(parent, space[parent], value, at, suggested)


def _condition(
    name: str, parent: WrittenParameter, value: Any, at: Path, suggested: Iterator[int]
) -> Iterator[Fault]:
    """Why a parameter never has the value that another one waits for, if so."""
    if parent.range_float is not None:
        sentence = f"'{name}' is a float, which hardly ever has just one value"
        yield Fault(at, sentence, "let conditions be on choices or whole numbers")
    elif parent.choice is not None:
        hint = ""
        if next(suggested) < MOST_SUGGESTED:
            words = [choice for choice in parent.choice if isinstance(choice, str)]
            hint = did_you_mean(value, words) if isinstance(value, str) else ""
            hint = hint or f"its choices are {', '.join(map(_shown, parent.choice))}"
        sentence = f"{_shown(value)} is not a choice of '{name}', so this would never exist"
        yield Fault(at, sentence, hint)
    elif parent.range_int is not None and len(parent.range_int) == 2:
        low, high = parent.range_int
        step = int(parent.step or 1) or 1
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not low <= value <= high or (value - low) % step:
            sentence = f"'{name}' is never {_shown(value)}, so this would never exist"
            yield Fault(at, sentence, f"its values run from {low} to {high}")


def _circle(written: WrittenSweep) -> Iterator[Fault]:
    found = circle(made(written, "sweep").space)
    if found:
        way = " needs ".join([*(f"'{key}'" for key in found), f"'{found[0]}'"])
        yield Fault(
            ("space", found[0], "when"),
            f"the conditions lead in a circle: {way}",
            "delete one of the conditions",
        )


def _constraints(written: WrittenSweep) -> Iterator[Fault]:
    for index, text in enumerate(written.constraints):
        path: Path = ("constraints", index)
        try:
            found = parsed(text)
        except ValueError as error:
            sentence, _, hint = str(error).partition(" | ")
            yield Fault(path, f"{scalar.shown(text)}: {sentence}", hint)
            continue
        if not found.names:
            yield Fault(path, f"{scalar.shown(text)} names nothing that could break it")


def _objectives(written: WrittenSweep) -> Iterator[Fault]:
    told: Sequence[Objective] = written.objectives or ()
    seen: set[str] = set()
    for index, one in enumerate(told):
        if one.metric in seen:
            path: Path = ("objectives", index, "metric")
            yield Fault(path, f"{scalar.shown(one.metric)} is listed twice", "delete one")
        seen.add(one.metric)
    if written.pruner is not None and len(told) > 1:
        yield Fault(
            ("pruner",),
            f"a pruner compares trials by one value, and there are {len(told)} objectives",
            "delete the pruner, or all objectives but one",
        )


def _stop(written: WrittenSweep) -> Iterator[Fault]:
    if written.stop is not None and not written.stop.model_fields_set:
        yield Fault(("stop",), "is empty", "say hours, trials or gpu_hours, or delete it")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return scalar.shown(value)
    return str(value) if isinstance(value, float) else scalar.cut(canonical(value))
