"""`cbablate schema`: what files may say, for editors."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cbablate.cli.words import say

__all__ = ["schema"]


class Written(StrEnum):
    """What a person writes."""

    study = "study"
    sweep = "sweep"


def schema(
    of: Annotated[
        Written, typer.Option("--of", metavar="|".join(Written), help="Of which kind of file.")
    ] = Written.study,
) -> None:
    """Print the JSON Schema of study or sweep files, for editors."""
    import json

    from cbablate.spec.loading.schema import study_schema, sweep_schema
    from cbablate.workloads.catalog import SHIPPED

    if of is Written.sweep:
        say(json.dumps(sweep_schema(), indent=2))
    else:
        say(json.dumps(study_schema([make() for make in SHIPPED.values()]), indent=2))
