"""The places of a model where an operator can stand, by name, and what each is.

No library is imported here. Which of them a model has, `anatomy` says.

Those of `mlp`, `mlp_tokens` and `attn` lie inside the residual branch. A mean over tokens and an
affine map commute: as far as dropout between them is 0, `cb` at `mlp.mid` and at `mlp.end` are one
function of the weights, computed with other roundings; so an MLP has two different places for CB,
before its activation and after it, and a comparison of mid with end measures the noise of training.
For the same reason `cb` on the values and after attention are close kin, and `cb` at `head.front`
does nothing where the head pools all tokens by their mean: that arm is then told to be idle.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ONCE", "PLACES"]

PLACES: Mapping[str, str] = MappingProxyType(
    {
        "mlp.front": "on the MLP's input, after the norm",
        "mlp.mid": "on the MLP's hidden activations, before its second layer",
        "mlp.end": "on the MLP's output, after its last dropout; the paper's place",
        "mlp_tokens.front": "on the input of the MLP that mixes tokens (Mixer, ResMLP)",
        "mlp_tokens.mid": "on that MLP's hidden activations: over mixtures of tokens",
        "mlp_tokens.end": "on that MLP's output",
        "attn.front": "on the attention's input; queries, keys and values see it",
        "attn.values": "on the values, all heads side by side, before attention sums them",
        "attn.end": "on the attention's output, after its projection and dropout",
        "block.front": "on the residual stream, before the block",
        "block.end": "on the residual stream, after the block",
        "embed.end": "once, after the embedding: patches with positions and class token, or stem",
        "head.front": "once, on what the head is handed, before it pools",
    }
)
"""Every place, with what it is."""

ONCE = frozenset({"embed.end", "head.front"})
"""Places that a model has once, and not in every block."""
