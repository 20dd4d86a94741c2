"""`cbablate sweep`: what the tuning of each arm has found."""

from __future__ import annotations

from cbablate.cli.variant import planned_study
from cbablate.cli.words import Json, Kept, Overrides, StudyPath, ledger_folder, say

__all__ = ["sweep"]


def sweep(
    study: StudyPath, overrides: Overrides = None, results: Kept = None, as_json: Json = False
) -> None:
    """Show what each arm's tuning found, and which parameters matter."""
    from cbablate import api
    from cbablate.cli.json_shape import printed
    from cbablate.cli.shapes.sweep_shape import sweep_shape
    from cbablate.overviews.sweep_overview import swept

    planned, told = api.recorded(planned_study(study, overrides), ledger_folder(results))
    say(printed(sweep_shape(planned, told)) if as_json else swept(planned, told))
