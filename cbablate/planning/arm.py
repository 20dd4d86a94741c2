"""`Arm`: one configuration under comparison, a row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cbablate.fingerprint import fingerprint
from cbablate.spec.description import Description
from cbablate.spec.needs import Needs

__all__ = ["Arm", "arm_id"]


@dataclass(frozen=True)
class Arm:
    """A full config with the levels that made it.

    `id` is the fingerprint of all that the arm's outcome depends on but its seed and budget:
    the resolved config, the workload with its version, the data. `levels` names the level of
    each factor, in the study's order; `against` is the id of the arm it is compared with, None
    for a reference itself. `needs` are what its workload says that a trial takes, and no part of
    what it is; None where it says nothing.
    """

    id: str
    name: str
    levels: Mapping[str, str]
    config: Mapping[str, Any]
    against: str | None = None
    needs: Needs | None = None


def arm_id(config: Mapping[str, Any], description: Description) -> str:
    """The identity of an arm with this resolved config."""
    return fingerprint(
        {
            "workload": description.name,
            "version": description.version,
            "data": description.data(config),
            "config": description.identity(config),
        }
    )
