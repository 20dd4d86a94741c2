"""Which designs there are: one row each, read without what draws their arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cbablate.spec.choice import by_name

__all__ = ["DESIGNS", "Design"]


@dataclass(frozen=True)
class Design:
    """How arms are drawn from factors, and what that is good for.

    `cells` and `count` are `module:function`: the cells of the arms, and how many there are, from
    the factors' numbers of levels.
    """

    name: str
    cells: str
    count: str
    switching: bool = False
    """Whether it switches factors on and off: each has exactly two levels."""
    screening: bool = False
    """Whether it tells many factors apart from few arms, each with about half of them on."""
    whole_blocks: bool = False
    """Whether its effects rest on replicates that all arms have."""
    components: bool = False
    """Whether it tells what each factor contributes."""


_AT = "cbablate.planning.design"

DESIGNS: Mapping[str, Design] = by_name(
    "designs",
    [
        Design("one_at_a_time", f"{_AT}:one_at_a_time", f"{_AT}:each_level"),
        Design(
            "factorial",
            f"{_AT}:factorial",
            f"{_AT}:every_combination",
            whole_blocks=True,
            components=True,
        ),
        Design(
            "leave_one_out",
            f"{_AT}:leave_one_out",
            f"{_AT}:each_factor",
            switching=True,
            components=True,
        ),
        Design(
            "cumulative",
            f"{_AT}:cumulative",
            f"{_AT}:each_factor",
            switching=True,
            components=True,
        ),
        Design(
            "fractional",
            f"{_AT}:fractional",
            f"{_AT}:fractional_runs",
            switching=True,
            screening=True,
            whole_blocks=True,
        ),
        Design(
            "plackett_burman",
            f"{_AT}:plackett_burman",
            f"{_AT}:plackett_burman_runs",
            switching=True,
            screening=True,
            whole_blocks=True,
        ),
    ],
)
"""Every design by the name that a study writes."""
