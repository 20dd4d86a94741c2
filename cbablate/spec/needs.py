"""`Needs`: what a trial takes of the machines that train."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cbablate.errors import UsageError
from cbablate.phrases import listed

__all__ = ["Needs"]


@dataclass(frozen=True)
class Needs:
    """CPU cores, GPUs, nodes and memory of one trial, or of a group that is trained at once.

    `gpus` is a share of one GPU or whole ones; None is one where there are any, else none, which
    the executor settles before a trial starts. `memory` is in bytes; None is no matter of ours.

    Raises:
        UsageError: there is no such amount.
    """

    cpus: float = 1.0
    gpus: float | None = None
    nodes: int = 1
    memory: int | None = None

    def __post_init__(self) -> None:
        gpus = self.gpus
        if gpus is not None and not (1e-4 <= gpus <= 1 or gpus % 1 == 0 <= gpus):
            raise UsageError(
                "a trial takes a share of one GPU (0.0001 to 1) or whole ones (0, 1, 2, ...), not "
                f"{gpus:g}"
            )
        if not (self.cpus == 0 or 1e-4 <= self.cpus < math.inf):
            raise UsageError(f"a trial takes 0 cores, or from 0.0001 on, not {self.cpus:g}")
        if self.nodes < 1 or (self.memory is not None and self.memory < 1):
            raise UsageError(
                f"a trial takes 1 node or more and 1 byte of memory or more, not {self}"
            )

    def settled(self, gpus: float) -> Needs:
        """The same, with this number of GPUs where that was left open."""
        return self if self.gpus is not None else replace(self, gpus=gpus)

    @property
    def reserved_gpus(self) -> float:
        """The GPUs that are reserved, from which a search counts its hours; none if still open."""
        return self.gpus or 0.0

    def __str__(self) -> str:
        words = [_counted(self.cpus, "core")]
        if self.gpus:
            words.append(_counted(self.gpus, "GPU"))
        if self.memory is not None:
            words.append(f"{self.memory / 1e9:g} GB of memory")
        if self.nodes > 1:
            words.append(f"{self.nodes} nodes")
        return listed(words)


def _counted(amount: float, unit: str) -> str:
    return f"{amount:g} {unit}" + "s" * (amount != 1)
