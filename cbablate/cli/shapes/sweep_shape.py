"""What `cbablate sweep --json` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cbablate.analysis.searches.slices import slices
from cbablate.analysis.searches.tuning import SearchTrial, Tuning
from cbablate.analysis.standing import Standing
from cbablate.cli.json_shape import head_shape
from cbablate.overviews.tuning_overview import tuned_sweep
from cbablate.planning.plan import Plan
from cbablate.records.book import Recorded
from cbablate.searching.optuna_importance import importances

__all__ = ["sweep_shape"]


def sweep_shape(plan: Plan, facts: Recorded) -> dict[str, Any]:
    """Each search of a study that tunes: its trials, the best, importance, values by slice.

    Raises:
        CbablateError: the study does not tune.
    """
    sweep = tuned_sweep(plan)
    return {
        **head_shape("sweep", plan),
        "sweep": sweep.name,
        "sampler": sweep.sampler.name,
        "searches": [_search(one) for one in Standing(plan, facts).tunings],
    }


def _search(one: Tuning) -> dict[str, Any]:
    return {
        "arm": one.search.name,
        "over": one.over,
        "wanted": one.wanted,
        "seconds": one.seconds,
        "objectives": [each.model_dump(mode="json") for each in one.search.objectives],
        "best": one.best.number if one.best is not None else None,
        "front": [attempt.number for attempt in one.front],
        "trials": [_trial(attempt) for attempt in one.attempts],
        "importance": {
            key: {
                "share": rated.share,
                "chance": rated.chance,
                "most_by_chance": rated.most_by_chance,
            }
            for key, rated in importances(one).items()
        },
        "slices": {
            key: [asdict(part) for part in slices(one, key)] for key in one.search.sweep.space
        },
    }


def _trial(attempt: SearchTrial) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "id": attempt.trial,
        "proposal": dict(attempt.proposal),
        "state": attempt.state.value,
        "values": list(attempt.values) if attempt.values is not None else None,
        "feasible": attempt.feasible,
        "failure": attempt.failure or None,
        "spent": attempt.spent,
        "seconds": attempt.seconds,
    }
