"""`cbablate models`: the networks that can be put under test."""

from __future__ import annotations

from typing import Annotated

import typer

from cbablate.cli.words import Json, say

__all__ = ["models"]


def models(
    pattern: Annotated[
        str | None, typer.Argument(metavar="PATTERN", help="A name of timm, or one with *.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List models, and where in one context can be placed."""
    from cbablate.cli.json_shape import printed
    from cbablate.cli.shapes.models_shape import models_shape
    from cbablate.overviews.models_overview import listed

    say(printed(models_shape(pattern)) if as_json else listed(pattern))
