"""Which context operators there are: one row each, read without torch.

A new operator is a module of this package and a row here. An option that no other operator takes
is a field of `workloads.images.model_config.Placement`, too, which says what values it may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from cbablate.spec.choice import by_name, chosen, code_at

if TYPE_CHECKING:
    from torch import nn

    from cbablate.models.operators.layout import Layout

__all__ = ["OPERATORS", "Operator", "operator", "table"]

_ROOM = "cbablate.models.operators"


@dataclass(frozen=True)
class Operator:
    """A context operator: where its class is, what it takes, and what is known of what it does.

    `made` is `module:class`, the module one of this package or with dots. The class is called with
    the `Layout` of the tokens and every option as a keyword; what it gives is a module on
    (B, N, C) tokens. That has a method `flops(tokens)`, operations an image, and
    `reset_parameters()` where it has parameters. One with a true `gridded` is called with the
    tokens and, where it comes with them, their height and width.
    """

    name: str
    made: str
    needs: tuple[str, ...] = ()
    """Options that a study must say."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The other options, with what they are where a study does not say."""
    identity: Mapping[str, Any] | None = None
    """Options with which a fresh operator gives its tokens back bit for bit; None where it never
    does."""
    across: Literal["batch", "neighbour"] | None = None
    """Whether what it does to an image depends on the other images of the batch, and on the one
    before it more than on the rest."""
    control: bool = False
    """Whether it is a part of another operator or carries no context: a placebo."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every option, needed ones first."""
        return (*self.needs, *self.defaults)

    def __call__(self, layout: Layout, **options: Any) -> nn.Module:
        """A fresh operator for tokens of this layout; options left out have their defaults.

        Raises:
            StudyError: it needs to know more of the tokens than the model says.
        """
        module, _, kind = self.made.rpartition(":")
        where = module if "." in module else f"{_ROOM}.{module}"
        placed: nn.Module = code_at(f"{where}:{kind}")(layout, **{**self.defaults, **options})
        return placed

    def refuse(self, written: Mapping[str, Any]) -> None:
        """Refuse options that it does not take, or the lack of one that it needs.

        Raises:
            ValueError: with a sentence that names the options it takes.
        """
        unknown = [name for name in written if name not in self.names]
        if unknown:
            allowed = f"it takes {', '.join(self.names)}" if self.names else "it takes no options"
            raise ValueError(f"operator '{self.name}' takes no '{unknown[0]}': {allowed}")
        lacking = [name for name in self.needs if name not in written]
        if lacking:
            raise ValueError(
                f"operator '{self.name}' needs '{lacking[0]}' to be said: it takes "
                f"{', '.join(self.names)}"
            )

    def unsaid(self, written: Mapping[str, Any]) -> dict[str, Any]:
        """The options written that differ from the defaults.

        One function of the weights then has one config, whether its defaults are written or not.
        """
        return {name: value for name, value in written.items() if self.defaults.get(name) != value}


def table(rows: Iterable[Operator]) -> Mapping[str, Operator]:
    """Operators by name.

    Raises:
        ValueError: two rows have one name.
    """
    return by_name("context operators", rows)


_SOURCE: Mapping[str, Any] = MappingProxyType({"over": "all", "detach": False})
_DETACH: Mapping[str, Any] = MappingProxyType({"detach": False})

OPERATORS: Mapping[str, Operator] = table(
    [
        Operator("cb", "cb:ContextBroadcast", defaults=_SOURCE),
        Operator(
            "cb_s",
            "cb_s:ScaledContextBroadcast",
            defaults={"form": "cb", **_SOURCE},
            identity={"form": "residual"},
        ),
        Operator("add", "add:AddContext", defaults=_SOURCE, control=True),
        Operator("halve", "halve:Halve", control=True),
        Operator(
            "mix",
            "mix:Mix",
            needs=("alpha",),
            defaults={"learned": "no", **_SOURCE},
            identity={"alpha": 0.0},
        ),
        Operator("cls", "cls:ClassBroadcast", defaults=_DETACH),
        Operator("max", "maximum:MaxBroadcast", defaults=_SOURCE),
        Operator(
            "gem", "generalised_mean:GeneralisedMeanBroadcast", defaults={"p": 3.0, **_SOURCE}
        ),
        Operator(
            "se", "squeeze_excitation:SqueezeExcitation", defaults={"reduction": 16, **_SOURCE}
        ),
        Operator("ge", "gather_excite:GatherExcite", defaults=_SOURCE),
        Operator(
            "gc", "global_context:GlobalContext", defaults={"reduction": 16, **_SOURCE}, identity={}
        ),
        Operator(
            "uniform_head",
            "uniform_head:UniformHead",
            defaults={"width": 64, **_SOURCE},
            identity={},
        ),
        Operator(
            "local",
            "local_mean:LocalMean",
            needs=("radius",),
            defaults=_DETACH,
            identity={"radius": 0},
        ),
        Operator("regions", "region_means:RegionMeans", needs=("grid",), defaults=_DETACH),
        Operator(
            "random_tokens",
            "random_tokens:RandomTokens",
            defaults={"count": 1, **_SOURCE},
            control=True,
        ),
        Operator(
            "other_image",
            "other_image:OtherImage",
            defaults=_SOURCE,
            across="neighbour",
            control=True,
        ),
        Operator(
            "noise", "noise:MomentNoise", defaults={"over": "all"}, across="batch", control=True
        ),
        Operator("bias", "bias:LearnedBias", control=True),
        Operator("channel_mix", "channel_mix:ChannelMix", defaults=_DETACH),
    ]
)
"""Every operator by the name that a study writes."""


def operator(name: str) -> Operator:
    """The operator of this name.

    Raises:
        LookupError: there is none; the message lists those there are.
    """
    return chosen("context operator", OPERATORS, name)
