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
    workload = "workload"


def schema(
    of: Annotated[
        Written, typer.Option("--of", metavar="|".join(Written), help="Of which kind of file.")
    ] = Written.study,
) -> None:
    """Print the JSON Schema of files that you write, for editors."""
    import json

    from cbablate.spec.loading.schema import study_schema, sweep_schema, workload_schema
    from cbablate.workloads.catalog import SHIPPED

    if of is Written.study:
        say(json.dumps(study_schema([make() for make in SHIPPED.values()]), indent=2))
    else:
        said = sweep_schema() if of is Written.sweep else workload_schema()
        say(json.dumps(said, indent=2))
