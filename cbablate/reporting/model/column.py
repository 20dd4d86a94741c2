"""`Column` and `Row`: what a table is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cbablate.reporting.model.cell import Cell
from cbablate.spec.metric import Direction

__all__ = ["KEY", "Column", "Kind", "Quantity", "Row"]

KEY = 10
"""How many digits of an arm's id are its row's key: enough to tell 10,000 arms apart."""

Kind = Literal["text", "spread", "stack", "range", "probability", "count"]
"""What a column's cells are, a `Blank` aside; it decides how they are aligned. A stack holds
spreads of several metrics, which have no point in common."""
Quantity = Literal["name", "mean", "difference", "p", "timing", "n", "fixed"]
"""What a column tells of each arm, so that a cell can be explained; `fixed`, of the arm with its
hyperparameters as written."""


@dataclass(frozen=True)
class Column:
    """A column's head: its label, its unit, and which direction is better, if either is.

    `symbol` marks a label that is a mathematical variable. `metric` is what the cells are about,
    "" where they are names or counts, and `quantity` what they tell of it. `over` is a heading
    that it shares with its neighbours.
    """

    label: str
    kind: Kind
    unit: str = ""
    direction: Direction | None = None
    symbol: bool = False
    metric: str = ""
    quantity: Quantity = "name"
    over: str = ""

    @property
    def title(self) -> str:
        """The label with the heading above it, where a form has one line for both."""
        return f"{self.over}: {self.label}" if self.over else self.label

    @property
    def arrow(self) -> str:
        """Where better is."""
        return {"maximize": "↑", "minimize": "↓", None: ""}[self.direction]

    @property
    def below(self) -> str:
        """What stands under the label: `(img/s) ↑`."""
        return f"{f'({self.unit})' if self.unit else ''} {self.arrow}".strip()


@dataclass(frozen=True)
class Row:
    """One arm, by its id; or several, `arms`, in their cells' order, with a fingerprint, `mark`.

    `opens` says that a new group of arms begins with it, and `level` which of the factors that
    make the groups is the first one to change there, counted from 0.
    """

    cells: tuple[Cell, ...]
    opens: bool = False
    arm: str = ""
    level: int = 0
    mark: str = ""
    arms: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The id cut short: what a table's source calls the row; "" for a row of no arm."""
        return (self.arm or self.mark)[:KEY]
