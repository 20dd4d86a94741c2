"""What a study can say of an operator beside where it stands: the options, and their defaults.

No library is imported here, so that a study's words can be checked before anything heavy is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["OPTIONS", "TAKES", "Takes", "refuse", "unsaid"]


@dataclass(frozen=True)
class Takes:
    """The options of an operator: those it needs, and those it has a default for.

    `identity` are options with which a fresh operator gives its tokens back bit for bit; None
    where it never does. `across` says that what it does to an image depends on the other images
    of the batch.
    """

    needs: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] | None = None
    across: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every option, needed ones first."""
        return (*self.needs, *self.defaults)


_SOURCE: Mapping[str, Any] = MappingProxyType({"over": "all", "detach": False})

TAKES: Mapping[str, Takes] = MappingProxyType(
    {
        "cb": Takes(defaults=_SOURCE),
        "cb_s": Takes(defaults={"form": "cb", **_SOURCE}, identity={"form": "residual"}),
        "add": Takes(defaults=_SOURCE),
        "halve": Takes(),
        "mix": Takes(("alpha",), {"learned": "no", **_SOURCE}, identity={"alpha": 0.0}),
        "cls": Takes(defaults={"detach": False}),
        "max": Takes(defaults=_SOURCE),
        "gem": Takes(defaults={"p": 3.0, **_SOURCE}),
        "se": Takes(defaults={"reduction": 16, **_SOURCE}),
        "ge": Takes(defaults=_SOURCE),
        "gc": Takes(defaults={"reduction": 16, **_SOURCE}, identity={}),
        "uniform_head": Takes(defaults={"width": 64, **_SOURCE}, identity={}),
        "local": Takes(("radius",), {"detach": False}, identity={"radius": 0}),
        "regions": Takes(("grid",), {"detach": False}),
        "random_tokens": Takes(defaults={"count": 1, **_SOURCE}),
        "other_image": Takes(defaults=_SOURCE, across=True),
        "noise": Takes(defaults={"over": "all"}, across=True),
        "bias": Takes(),
        "channel_mix": Takes(defaults={"detach": False}),
    }
)
"""The operators by name, with what each takes."""

OPTIONS = tuple(dict.fromkeys(name for takes in TAKES.values() for name in takes.names))
"""Every option of any operator."""


def refuse(operator: str, written: Mapping[str, Any]) -> None:
    """Refuse options that an operator does not take, or the lack of one that it needs.

    Raises:
        ValueError: with a sentence that names the options it takes.
    """
    takes = TAKES[operator]
    unknown = [name for name in written if name not in takes.names]
    if unknown:
        allowed = f"it takes {', '.join(takes.names)}" if takes.names else "it takes no options"
        raise ValueError(f"operator '{operator}' takes no '{unknown[0]}': {allowed}")
    lacking = [name for name in takes.needs if name not in written]
    if lacking:
        raise ValueError(
            f"operator '{operator}' needs '{lacking[0]}' to be said: it takes "
            f"{', '.join(takes.names)}"
        )


def unsaid(operator: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """The options written that differ from the operator's defaults.

    One function of the weights then has one config, whether its defaults are written or not.
    """
    defaults = TAKES[operator].defaults
    return {name: value for name, value in written.items() if defaults.get(name) != value}
