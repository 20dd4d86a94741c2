"""`ray_room`: how many trials fit on the nodes of a Ray, counted node by node and GPU by GPU."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cbablate.errors import EnvironmentFault

__all__ = ["Node", "nodes_of", "room", "whole_gpus"]

_UNITS = 10_000
"""Ray counts resources in units of 1/10,000."""


@dataclass(frozen=True)
class Node:
    """A machine of a Ray, and how many cores and GPUs it offers."""

    name: str
    cpus: float
    gpus: float

    def holds(self, *, cpus: float, gpus: float) -> int:
        """How many trials of this size run on it at a time. A share of a GPU is of one GPU."""
        by_cores = _units(self.cpus) // _units(cpus) if cpus else None
        if not gpus:
            return by_cores or 0
        if gpus < 1:
            by_gpus = int(self.gpus) * (_UNITS // max(_units(gpus), 1))
        else:
            by_gpus = _units(self.gpus) // _units(gpus)
        return by_gpus if by_cores is None else min(by_cores, by_gpus)

    def __str__(self) -> str:
        cores = f"{self.cpus:g} {'core' if self.cpus == 1 else 'cores'}"
        gpus = f"{self.gpus:g} {'GPU' if self.gpus == 1 else 'GPUs'}"
        return f"{self.name} ({cores}, {gpus})"


def nodes_of(listed: Iterable[dict[str, Any]]) -> list[Node]:
    """The living nodes among those that `ray.nodes()` lists."""
    return [
        Node(
            str(node.get("NodeManagerHostname") or node.get("NodeManagerAddress")),
            float(node["Resources"].get("CPU", 0)),
            float(node["Resources"].get("GPU", 0)),
        )
        for node in listed
        if node["Alive"]
    ]


def whole_gpus(nodes: Sequence[Node]) -> float:
    """The GPUs that a trial takes if nothing is said: one where there are any, else none."""
    return 1.0 if any(node.gpus >= 1 for node in nodes) else 0.0


def room(nodes: Sequence[Node], *, cpus: float, gpus: float) -> int:
    """How many trials run at a time, at least one.

    Raises:
        EnvironmentFault: no node holds one.
    """
    found = sum(node.holds(cpus=cpus, gpus=gpus) for node in nodes)
    if found:
        return found
    listed = ", ".join(str(node) for node in nodes[:8]) or "no node at all"
    more = f" and {len(nodes) - 8} more" if len(nodes) > 8 else ""
    takes = f"{cpus:g} {'core' if cpus == 1 else 'cores'}"
    if gpus:
        takes += f" and {gpus:g} {'GPU' if gpus == 1 else 'GPUs'}"
    raise EnvironmentFault(
        f"a trial takes {takes}, all on one node, and no node of Ray offers that: {listed}{more}. "
        + ("Lower --gpus-per-trial, or leave it out." if gpus else "Start a node with free cores.")
    )


def _units(amount: float) -> int:
    return round(amount * _UNITS)
