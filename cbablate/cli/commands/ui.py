"""`cbablate ui`: MLflow's pages of what has run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.variant import planned_study
from cbablate.cli.words import RESULTS, Overrides, Results

__all__ = ["ui"]


def ui(
    study: Annotated[
        Path | None, typer.Argument(metavar="STUDY", help="Open it on this study.")
    ] = None,
    overrides: Overrides = None,
    results: Results = RESULTS,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="0 is any free one.")
    ] = 0,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Serve MLflow's UI on this machine only, until Ctrl-C."""
    from cbablate.cli.words import tell_if_any
    from cbablate.mirrors.mlflow_store import unused_address
    from cbablate.mirrors.mlflow_ui import serve

    tell_if_any(unused_address(None, results))
    name = None if study is None else planned_study(study, overrides).study.name
    serve(results, port=port, study=name, open_browser=browser)
