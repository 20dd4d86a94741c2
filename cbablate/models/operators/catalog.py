"""Which context operators there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from torch import nn

from cbablate.models.operators.add import AddContext
from cbablate.models.operators.bias import LearnedBias
from cbablate.models.operators.cb import ContextBroadcast
from cbablate.models.operators.cb_s import ScaledContextBroadcast
from cbablate.models.operators.channel_mix import ChannelMix
from cbablate.models.operators.cls import ClassBroadcast
from cbablate.models.operators.gather_excite import GatherExcite
from cbablate.models.operators.generalised_mean import GeneralisedMeanBroadcast
from cbablate.models.operators.global_context import GlobalContext
from cbablate.models.operators.halve import Halve
from cbablate.models.operators.local_mean import LocalMean
from cbablate.models.operators.maximum import MaxBroadcast
from cbablate.models.operators.mix import Mix
from cbablate.models.operators.noise import MomentNoise
from cbablate.models.operators.other_image import OtherImage
from cbablate.models.operators.random_tokens import RandomTokens
from cbablate.models.operators.region_means import RegionMeans
from cbablate.models.operators.squeeze_excitation import SqueezeExcitation
from cbablate.models.operators.uniform_head import UniformHead

__all__ = ["OPERATORS", "Operator", "operator", "table"]


Operator = Callable[..., nn.Module]
"""What makes a context operator: a module on (B, N, C) tokens, from their `Layout`.

Its options are keywords, with the defaults of `options.TAKES`. The module has a method
`flops(tokens)`, operations an image, and `reset_parameters()` where it has parameters. One with a
true `gridded` is called with the tokens and, where it comes with them, their height and width.
Making it raises StudyError where it needs to know more of the tokens than the model says.
"""


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
        ("mix", Mix),
        ("cls", ClassBroadcast),
        ("max", MaxBroadcast),
        ("gem", GeneralisedMeanBroadcast),
        ("se", SqueezeExcitation),
        ("ge", GatherExcite),
        ("gc", GlobalContext),
        ("uniform_head", UniformHead),
        ("local", LocalMean),
        ("regions", RegionMeans),
        ("random_tokens", RandomTokens),
        ("other_image", OtherImage),
        ("noise", MomentNoise),
        ("bias", LearnedBias),
        ("channel_mix", ChannelMix),
    ]
)


def operator(name: str) -> Operator:
    """The operator of this name.

    Raises:
        LookupError: there is none; the message lists those there are.
    """
    if name not in OPERATORS:
        raise LookupError(
            f"there is no context operator '{name}'; there are {', '.join(sorted(OPERATORS))}"
        )
    return OPERATORS[name]
