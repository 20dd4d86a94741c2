"""Which context operators there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from torch import nn

from cbablate.models.add import AddContext
from cbablate.models.cb import ContextBroadcast
from cbablate.models.cb_s import ScaledContextBroadcast
from cbablate.models.halve import Halve

__all__ = ["OPERATORS", "Operator", "operator", "table"]


class Operator(Protocol):
    """What makes a context operator: a module on (B, N, C) tokens of width `dim`."""

    def __call__(self, dim: int) -> nn.Module:
        """A fresh operator."""
        ...


def table(entries: Iterable[tuple[str, Operator]]) -> Mapping[str, Operator]:
    """Operators by name.

    Raises:
        ValueError: two entries have one name.
    """
    found: dict[str, Operator] = {}
    for name, made in entries:
        if name in found:
            raise ValueError(f"two context operators are called '{name}'")
        found[name] = made
    return MappingProxyType(found)


OPERATORS: Mapping[str, Operator] = table(
    [
        ("cb", ContextBroadcast),
        ("cb_s", ScaledContextBroadcast),
        ("add", AddContext),
        ("halve", Halve),
    ]
)


def operator(name: str) -> Operator:
    """The operator of this name.

    Raises:
        LookupError: there is none; the message lists those there are.
    """
    if name not in OPERATORS:
        raise LookupError(
            f"'{name}' is no context operator; there are {', '.join(sorted(OPERATORS))}"
        )
    return OPERATORS[name]
