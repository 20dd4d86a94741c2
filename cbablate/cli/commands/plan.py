"""`cbablate plan`: what running a study would train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cbablate.cli.variant import planned_study
from cbablate.cli.words import RESULTS, Json, Overrides, Results, StudyPath, say, tell
from cbablate.errors import UsageError

if TYPE_CHECKING:
    from cbablate.analysis.forecast import Forecast
    from cbablate.planning.plan import Plan
    from cbablate.records.record import Record

__all__ = ["plan"]


def plan(
    study: StudyPath,
    overrides: Overrides = None,
    results: Results = RESULTS,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also build every arm, in this process.")
    ] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Also time a few steps of each shape, here.")
    ] = False,
    slots: Annotated[
        int | None, typer.Option("--slots", metavar="N", min=1, help="Of --probe. [default: 1]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a run would train, and about how long; train nothing."""
    from cbablate import api
    from cbablate.cli import json_shape
    from cbablate.overviews import cost_overview, overview

    if slots is not None and not probe:
        raise UsageError("--slots says for how many slots --probe reckons: give both")
    planned, told = api.recorded(planned_study(study, overrides), results)
    if not as_json:
        say(overview.planned(planned, told))
    found = _probed(planned, told, slots or 1) if probe else None
    if as_json:
        extra = {} if found is None else {"probe": cost_overview.probe_shape(found)}
        say(json_shape.printed(json_shape.plan_shape(planned, told) | extra))
    elif found is not None:
        say("\n".join(["", *cost_overview.probe_lines(planned, found)]))
    if verify:
        notes = api.verify(planned, api.Resources(on="local"))
    if verify and not as_json:
        say(f"\nVerified: all {len(planned.arms)} arms can be built.")
        for name, sentences in notes.items():
            say("\n".join(f"  {name}: {sentence}" for sentence in sentences))
    if found is not None and any(price.sample.failure for price in found.prices):
        raise typer.Exit(3)


def _probed(planned: Plan, facts: Sequence[Record], slots: int) -> Forecast:
    """The forecast of a plan, probed here and now; progress goes to stderr.

    Raises:
        EnvironmentFault: the workload cannot be probed.
    """
    from cbablate.analysis.forecast import forecast, shapes
    from cbablate.running.cost import costs

    told = list(costs(planned, shapes(planned, facts), tell=tell))
    return forecast(planned, facts, told, slots=slots)
