"""The words that choose which of a study's tables is printed."""

from __future__ import annotations

from typing import Annotated

import typer

from cbablate.errors import CbablateError

__all__ = ["Alignment", "Components", "Effects", "Mechanism", "Pairs", "Robust", "chosen"]

Effects = Annotated[
    bool,
    typer.Option(
        "--effects", help="Of a factorial: what each factor and pair of factors explains."
    ),
]
Components = Annotated[
    bool, typer.Option("--components", help="Of two-level factors: what each one contributes.")
]
Pairs = Annotated[
    bool, typer.Option("--pairs", help="Of a factorial: whether two components add up.")
]
Alignment = Annotated[
    bool, typer.Option("--alignment", help="How alike the arms' layers are to their reference's.")
]
Mechanism = Annotated[
    bool, typer.Option("--mechanism", help="How the other metrics change with the first one.")
]

Robust = Annotated[
    bool,
    typer.Option("--robust", help="Over several corruptions or data sets at once: IQM, P(better)."),
]


def chosen(**asked: bool) -> str:
    """The one table that was asked for; without any, that of the arms.

    Raises:
        CbablateError: two were asked for at once.
    """
    words = [word for word, on in asked.items() if on]
    if len(words) > 1:
        flags = " and ".join(f"--{word}" for word in words)
        raise CbablateError(f"one table at a time: {flags} were given")
    return words[0] if words else "arms"
