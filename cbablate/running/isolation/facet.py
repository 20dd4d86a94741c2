"""`Facet`: one part of a process's state, which can be read and put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Facet", "keep", "variable"]


class Facet(NamedTuple):
    """One part of a process's state: its name, how it is read, how a former value is put back.

    `take` and `put` may raise: what cannot be read is left out of a picture, and what cannot be put
    back is reported by its name. Values compare with `==`.
    """

    name: str
    take: Callable[[], Any]
    put: Callable[[Any], object]


def keep(_value: Any) -> None:
    """How a facet is put back that nothing can put back."""


def variable(name: str, holder: Any, attribute: str) -> Facet:
    """A variable of a module, or an attribute of an object, as a facet."""
    return Facet(
        name,
        lambda: getattr(holder, attribute),
        lambda value: setattr(holder, attribute, value),
    )
