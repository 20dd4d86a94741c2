"""`cbablate status`: where a study stands."""

from __future__ import annotations

from cbablate.cli.variant import planned_study
from cbablate.cli.words import Json, Kept, Overrides, StudyPath, ledger_folder, say

__all__ = ["status"]


def status(
    study: StudyPath, overrides: Overrides = None, results: Kept = None, as_json: Json = False
) -> None:
    """Show what is done, running, pruned and failed, and why."""
    from cbablate import api
    from cbablate.cli import json_shape
    from cbablate.overviews import overview
    from cbablate.records.place import Place

    planned = planned_study(study, overrides)
    folder = ledger_folder(results)
    at_work = Place(folder).at_work  # before the facts: what ends meanwhile is not interrupted
    planned, told = api.recorded(planned, folder)
    if as_json:
        say(json_shape.printed(json_shape.status_shape(planned, told, at_work=at_work)))
        return
    say(overview.standing(planned, told, at_work=at_work))
    say(overview.kept(folder), end="")
