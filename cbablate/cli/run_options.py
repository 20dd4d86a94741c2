"""The options of `run` and `sync`: where trials run, and what is kept up to date."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Address", "Every", "Gpus", "Mirrors", "Mlflow", "On", "Slots", "Smoke"]

On = Annotated[
    str,
    typer.Option(
        "--on", metavar="WHERE", help="Where trials run: ray, local, or an executor's module:Class."
    ),
]
Gpus = Annotated[
    float | None,
    typer.Option("--gpus-per-trial", metavar="N", help="GPUs a trial takes; 0.25 puts 4 on one."),
]
Slots = Annotated[
    int | None,
    typer.Option("--slots", metavar="N", min=1, help="Most trials at a time. [default: what fits]"),
]
Address = Annotated[
    str | None, typer.Option("--ray-address", metavar="HOST:PORT", help="Join this Ray cluster.")
]
Every = Annotated[
    float,
    typer.Option(
        "--checkpoint-every",
        metavar="SECONDS",
        min=0,
        help="Least time between two checkpoints of a trial; 0 is one with each measurement.",
    ),
]
Mlflow = Annotated[
    str | None,
    typer.Option("--mlflow", metavar="URI", help="MLflow tracking URI. [default: in --results]"),
]
Mirrors = Annotated[
    bool,
    typer.Option("--mirrors/--no-mirrors", help="Whether MLflow and Optuna are kept up to date."),
]
Smoke = Annotated[
    bool,
    typer.Option(
        "--smoke",
        help="Try it: one replicate of each arm at the least budget, thrown away after.",
    ),
]
