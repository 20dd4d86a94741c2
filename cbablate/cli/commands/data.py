"""`cbablate data`: the images that can be trained on."""

from __future__ import annotations

from typing import Annotated

import typer

from cbablate.cli.words import Json, say
from cbablate.errors import UsageError

__all__ = ["data"]


def data(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Read this one, or this folder, whole.")
    ] = None,
    get: Annotated[bool, typer.Option("--get", help="Fetch it, if it is not here.")] = False,
    as_json: Json = False,
) -> None:
    """List data sets: size, splits, where they lie or how to get them."""
    from cbablate.cli.json_shape import printed
    from cbablate.cli.shapes.data_shape import data_shape
    from cbablate.overviews import data_overview

    if get and name is None:
        raise UsageError("--get needs the name of a data set: cbablate data NAME --get")
    if as_json:
        say(printed(data_shape(name, get=get)))
    elif name is None:
        say(data_overview.catalog())
    else:
        say(data_overview.fetched(name) if get else data_overview.checked(name))
