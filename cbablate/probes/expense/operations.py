"""The probe `flops`: what one forward pass of one image computes, counted operator by operator.

flops        2 for each multiply-add of matrix products, convolutions and attention's two
             products, as torch.utils.flop_counter counts them; nothing else counts
activations  elements that those operators write
pointwise    elements that all other operators write, views and fills of memory left out: sums,
             norms, activations, softmax, and the mean and mixing of context broadcasting, which
             the count of FLOPs does not see

They are counted of the float32 network, whatever precision it was trained in.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from cbablate.probes.probe import ProbeResult, Subject

__all__ = ["measure"]

_UNCOUNTED = frozenset(
    {"empty", "empty_like", "new_empty", "empty_strided", "detach", "lift_fresh"}
)


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    """The counts of one image: FLOPs in millions, elements in thousands."""
    image, _ = subject.held_out.spaced(1)
    with torch.no_grad(), _Counting() as counted:
        subject.model(image)
    return ProbeResult(
        {
            "flops": counted.flops / 1e6,
            "activations": counted.products / 1e3,
            "pointwise": counted.others / 1e3,
        }
    )


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it bare
    """Counts what every operator computes and writes."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it bare
        self.flops = 0
        self.products = 0
        self.others = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        packet = func._overloadpacket
        if packet not in flop_registry:
            # an operator made of others is counted by them
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        output = func(*args, **kwargs)
        written = [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
        if packet in flop_registry:
            self.flops += flop_registry[packet](*args, **kwargs, out_val=output)
            self.products += written[0].numel()
        elif not func.is_view and packet.__name__ not in _UNCOUNTED:
            self.others += sum(leaf.numel() for leaf in written)
        return output
