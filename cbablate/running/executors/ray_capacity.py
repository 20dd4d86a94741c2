"""`room`: how many trials fit on the nodes of a Ray, counted node by node and GPU by GPU."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cbablate.errors import EnvironmentFault
from cbablate.spec.needs import Needs

__all__ = ["LOWER", "Node", "nodes_of", "room", "whole_gpus"]

LOWER = "Lower `gpus` in the workload's `needs`, or leave it out."
_UNITS = 10_000
"""Ray counts resources in units of 1/10,000."""


@dataclass(frozen=True)
class Node:
    """A machine of a Ray, and how many cores and GPUs it offers."""

    name: str
    cpus: float
    gpus: float
    memory: float = math.inf

    def holds(self, needs: Needs) -> int:
        """How many trials of this size run on it at a time. A share of a GPU is of one GPU."""
        limits: list[int] = []
        if needs.cpus:
            limits.append(_units(self.cpus) // _units(needs.cpus))
        gpus = needs.reserved_gpus
        if gpus >= 1:
            limits.append(_units(self.gpus) // _units(gpus))
        elif gpus:
            limits.append(int(self.gpus) * (_UNITS // max(_units(gpus), 1)))
        if needs.memory is not None and self.memory < math.inf:
            limits.append(int(self.memory // needs.memory))
        if not limits:  # it reserves nothing: as many as there are cores
            limits.append(max(1, int(self.cpus)))
        return min(limits) if needs.nodes == 1 else 0

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
            float(node["Resources"].get("memory", math.inf)),
        )
        for node in listed
        if node["Alive"]
    ]


def whole_gpus(nodes: Sequence[Node]) -> float:
    """The GPUs that a trial takes if nothing is said: one where there are any, else none."""
    return 1.0 if any(node.gpus >= 1 for node in nodes) else 0.0


def room(nodes: Sequence[Node], needs: Needs, *, of_workload: bool = False) -> int:
    """How many trials with these needs run at a time, at least one.

    `of_workload`: its `needs` say how many GPUs a trial takes, and not the command line.

    Raises:
        EnvironmentFault: no node holds one.
    """
    found = sum(node.holds(needs) for node in nodes)
    if found:
        return found
    memory = (f" with {node.memory / 1e9:.3g} GB" if needs.memory else "" for node in nodes)
    offers = [f"{node}{size}" for node, size in zip(nodes, memory, strict=True)]
    listed = ", ".join(offers[:8]) or "no node at all"
    more = f" and {len(nodes) - 8} more" if len(nodes) > 8 else ""
    raise EnvironmentFault(
        f"a trial takes {needs}, all on one node, and no node of Ray offers that: {listed}{more}. "
        + _remedy(nodes, needs, of_workload)
    )


def _remedy(nodes: Sequence[Node], needs: Needs, of_workload: bool) -> str:
    """What to do where no node holds a trial: by what it is that does not fit."""
    if needs.nodes > 1:
        return "A trial runs on one node."
    if any(node.holds(replace(needs, gpus=0.0)) for node in nodes):
        return LOWER if of_workload else "Lower --gpus-per-trial, or leave it out."
    if any(node.holds(replace(needs, memory=None)) for node in nodes):
        return "Start a node with more memory."
    return "Start a node with free cores."


def _units(amount: float) -> int:
    return round(amount * _UNITS)
