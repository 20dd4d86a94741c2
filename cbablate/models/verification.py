"""What is wrong with configs that only building the models can tell.

Every arm's model is built and given two random images in float64. It must take them. With
context it must compute another function than without; differ from the plain model in nothing
but the operators, whose fellow weights start with equal bits; and with its operators at their
identity settings, where they have one, give the plain model's output bit for bit. Two arms
that differ in context must not compute the same function bit for bit, unless one detaches what
the other does not and so learns differently; if they do but for rounding, that is noted. When
all have been built, the plain models must still be what they were. Functions are compared at
weights moved off their start, alike in all arms, because an operator that has yet to learn may
begin as another. Of weights that are loaded, notes say which, which the source lacked and
which of its own were not used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from cbablate.errors import StudyError, library_errors
from cbablate.fingerprint import derive_seed, fingerprint
from cbablate.models.building import build
from cbablate.models.operators.catalog import OPERATORS
from cbablate.models.placing import operators_of
from cbablate.models.weights import report

__all__ = ["Examination", "InputShape", "examine", "verify"]

_LEAKS = (
    "building the arms changed what their model computes without context: an operator leaks into "
    "the baseline"
)

Config = Mapping[str, Any]
Attempt = Callable[[str, Config, nn.Module], None]
"""What is tried with an arm's model, by the arm's name and config."""
_SPREAD = 0.02
"""How far weights are moved off their start, where an operator may do nothing yet."""


@dataclass(frozen=True)
class InputShape:
    """The images a model is given, and how many classes it tells apart."""

    channels: int
    size: int
    classes: int


@dataclass
class Examination:
    """Sentences by arm name: `faults` are reasons not to train, `notes` are good to know."""

    faults: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Plain:
    """A model without context: its modules by name, its weights at the start, its output."""

    modules: Mapping[str, type]
    start: Mapping[str, Tensor]
    output: Tensor
    loaded: str
    """What its weights were loaded from, "" where they are drawn."""


def verify(
    configs: Mapping[str, Config],
    shape: Callable[[Config], InputShape],
    then: Attempt | None = None,
) -> dict[str, list[str]]:
    """The faults of `examine`."""
    return examine(configs, shape, then).faults


def examine(
    configs: Mapping[str, Config],
    shape: Callable[[Config], InputShape],
    then: Attempt | None = None,
) -> Examination:
    """What is wrong and what is to be known of arms, from resolved configs by arm name.

    The head of this module says what is examined.

    `then` is given each arm without fault, with its model, to do with as it likes: the model is
    in float64, its weights are moved, and nobody needs it any more. What it raises as a
    `StudyError` is a fault of the arm.
    """
    told = Examination()
    outputs: dict[str, Tensor] = {}
    plain: dict[str, tuple[Config, _Plain]] = {}
    for name, config in configs.items():
        try:
            bare: Config = {**config, "context": ()}
            key, size = _without_context(config), shape(config)
            model: nn.Module | None = None
            if key not in plain:
                model = build(bare, seed=0, num_classes=size.classes)
                plain[key] = (bare, _plain(model, bare, size))
            base, faults = plain[key][1], list[str]()
            if base.loaded:
                told.notes.setdefault(name, []).append(f"starts from {base.loaded}")
            if not config.get("context"):
                outputs[name] = base.output
                if model is None and then is not None:
                    model = build(bare, seed=0, num_classes=size.classes)
            else:
                model = build(config, seed=0, num_classes=size.classes)
                told.notes.setdefault(name, []).extend(_added(model))
                faults = _more_than_added(model, base)
                outputs[name] = _output(model, config, size)
                faults += _context_faults(outputs[name], config, size, base)
            if faults:
                told.faults.setdefault(name, []).extend(faults)
            elif then is not None and model is not None:
                then(name, config, model)
        except StudyError as error:
            told.faults.setdefault(name, []).append(str(error))
    _compare(configs, outputs, told)
    for key, (alone, before) in plain.items():
        if not _unchanged(alone, shape(alone), before):
            for name in [each for each in configs if _without_context(configs[each]) == key]:
                told.faults.setdefault(name, []).append(_LEAKS)
    return told


def _compare(
    configs: Mapping[str, Config], outputs: Mapping[str, Tensor], told: Examination
) -> None:
    """Tell of pairs that compute one function."""
    for one, other in itertools.combinations(outputs, 2):
        if not _only_context_differs(configs[one], configs[other]):
            continue
        for name, twin in ((one, other), (other, one)):
            if torch.equal(outputs[one], outputs[other]):
                told.faults.setdefault(name, []).append(
                    f"its context is written differently from that of arm '{twin}', but both "
                    "models compute the same function"
                )
            elif configs[name].get("context") and _alike(outputs[one], outputs[other]):
                told.notes.setdefault(name, []).append(
                    f"computes the same function of the weights as arm '{twin}', but for rounding: "
                    "what tells them apart is the noise of training"
                )


def _plain(model: nn.Module, config: Config, shape: InputShape) -> _Plain:
    if operators_of(model):
        raise StudyError("the model without context has operators in it")
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    kinds = {name: type(module) for name, module in model.named_modules()}
    return _Plain(kinds, start, _output(model, config, shape), report(model))


def _unchanged(config: Config, shape: InputShape, before: _Plain) -> bool:
    """Whether the model without context, built again, still computes what it did."""
    try:
        model = build(config, seed=0, num_classes=shape.classes)
        return torch.equal(_plain(model, config, shape).output, before.output)
    except StudyError:
        return False


def _more_than_added(model: nn.Module, plain: _Plain) -> list[str]:
    """What the surgery changed beside adding operators: nothing, or a sentence."""
    kinds = {n: type(m) for n, m in model.named_modules() if not _of_context(n)}
    start = {n: tensor for n, tensor in model.state_dict().items() if not _of_context(n)}
    changed = sorted(
        {name for name in kinds.keys() | plain.modules.keys()
         if kinds.get(name) is not plain.modules.get(name)}
        | (start.keys() ^ plain.start.keys())
        | {name for name in start.keys() & plain.start.keys()
           if not torch.equal(start[name], plain.start[name])}
    )  # fmt: skip
    if not changed:
        return []
    named = ", ".join(changed[:5]) + (", ..." if len(changed) > 5 else "")
    return [f"its context changes more of the model than it adds to it: {named}"]


def _of_context(name: str) -> bool:
    return "context" in name.split(".")


def _added(model: nn.Module) -> list[str]:
    """What the arm has beside the plain model, one line a kind of operator and place."""
    found: dict[tuple[str, str], list[int]] = {}
    for name, placed in operators_of(model):
        place = name.split(".")[-2].replace("_", ".").replace("mlp.tokens", "mlp_tokens")
        sizes = found.setdefault((type(placed).__name__, place), [])
        sizes.append(sum(parameter.numel() for parameter in placed.parameters()))
    return [
        f"adds {len(sizes)} {kind} at {place}, with {sum(sizes):,} parameters"
        for (kind, place), sizes in found.items()
    ]


def _context_faults(output: Tensor, config: Config, shape: InputShape, plain: _Plain) -> list[str]:
    """What is wrong with the function that a model with context computes."""
    idle = "its context does not change what the model computes, so it is not under test"
    same = [idle] if _alike(output, plain.output) else []
    return [*same, *_identity_faults(config, shape, plain)]


def _identity_faults(config: Config, shape: InputShape, plain: _Plain) -> list[str]:
    """Operators that have an identity setting must, at it, leave the model as it is."""
    settings = [
        {**placement, **identity}
        for placement in config["context"]
        if (identity := OPERATORS[placement["operator"]].identity) is not None
    ]
    if not settings:
        return []
    idle = {**config, "context": settings}
    model = build(idle, seed=0, num_classes=shape.classes)
    if torch.equal(_output(model, idle, shape, still=True), plain.output):
        return []
    names = ", ".join(dict.fromkeys(f"'{each['operator']}'" for each in settings))
    return [f"at its identity setting {names} does not give the untouched model's output"]


def _output(model: nn.Module, config: Config, shape: InputShape, *, still: bool = False) -> Tensor:
    """What a model says of two fixed random images, at moved weights; operators' own `still`."""
    model = model.double().eval()
    drawn = torch.Generator().manual_seed(derive_seed(0, "images"))
    size = (2, shape.channels, shape.size, shape.size)
    images = torch.randn(size, generator=drawn, dtype=torch.float64)
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(0, "noise"))  # that placebos draw from
        _move(model, still=still)
        with library_errors(
            f"model '{config['model']['name']}' does not take the data's images of "
            f"{shape.channels} x {shape.size} x {shape.size}",
            hint="model.in_chans and model.img_size say what it takes",
        ):
            output = model(images)
    if not isinstance(output, Tensor) or output.shape != (2, shape.classes):
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise StudyError(
            f"model '{config['model']['name']}' gives {found} for two images, where a classifier "
            f"of {shape.classes} classes gives (2, {shape.classes})"
        )
    return output


def _move(model: nn.Module, *, still: bool) -> None:
    for name, parameter in model.named_parameters():
        if still and _of_context(name):
            continue
        drawn = torch.Generator().manual_seed(derive_seed(0, "moved", name))
        noise = torch.randn(parameter.shape, generator=drawn, dtype=parameter.dtype)
        parameter.data.add_(noise, alpha=_SPREAD)


def _alike(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-12, atol=1e-14)


def _without_context(config: Config) -> str:
    return fingerprint({"model": config["model"], "data": config["data"]})


def _only_context_differs(one: Config, other: Config) -> bool:
    """Whether two arms train alike but for a context that is written differently.

    A context that is detached trains otherwise, though the forward pass be the same.
    """
    rest = [{**config, "context": None} for config in (one, other)]
    if rest[0] != rest[1] or one.get("context") == other.get("context"):
        return False
    return _detached(one) == _detached(other)


def _detached(config: Config) -> set[bool]:
    """Whether gradients flow back through the contexts: some, all or none of them."""
    return {placement.get("detach", False) for placement in config.get("context", ())}
