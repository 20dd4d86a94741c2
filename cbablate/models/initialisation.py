"""Initial weights drawn by name, so that what two arms share starts equal."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cbablate.fingerprint import derive_seed

__all__ = ["initialise", "initialiser"]


class _DrawnByName(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it bare
    """A mode in which every random draw into a parameter comes from a seed of that name.

    timm's initialisers fill tensors in place from the global generator, one after the other, so
    that one more block shifts all that follow. Here the generator is seeded anew before each such
    fill, by the parameter's name and how often it has been filled before.
    """

    def __init__(self, parameters: Mapping[str, Tensor], seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it bare
        self._seed = seed
        self._names = {
            tensor.untyped_storage().data_ptr(): name for name, tensor in parameters.items()
        }
        self._drawn: dict[str, int] = {}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if torch.Tag.nondeterministic_seeded in func.tags and isinstance(args[0], Tensor):
            name = self._names.get(args[0].untyped_storage().data_ptr())
            if name is not None:
                times = self._drawn.get(name, 0)
                self._drawn[name] = times + 1
                torch.default_generator.manual_seed(derive_seed(self._seed, "init", name, times))
        return func(*args, **(kwargs or {}))


def initialiser(model: nn.Module) -> Callable[[], Any] | None:
    """What draws all weights of a timm model again, or None where timm cannot."""
    again = getattr(model, "init_weights", None)
    if again is None or "needs_reset" not in inspect.signature(again).parameters:
        return None
    return lambda: again(needs_reset=True)


def initialise(model: nn.Module, again: Callable[[], Any], *, seed: int, prefix: str = "") -> None:
    """Run an initialiser of `model` so that each parameter depends on its name and `seed` alone.

    `prefix` is the model's own name, where it is part of a larger one. The global generators are
    left as they were found.
    """
    parameters = {f"{prefix}{name}": tensor for name, tensor in model.named_parameters()}
    with torch.random.fork_rng(devices=[]), _DrawnByName(parameters, seed):
        torch.default_generator.manual_seed(derive_seed(seed, "init"))
        again()
