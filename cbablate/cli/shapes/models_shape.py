"""What `cbablate models --json` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cbablate.cli.json_shape import VERSION
from cbablate.errors import StudyError

__all__ = ["models_shape"]


def models_shape(pattern: str | None) -> dict[str, Any]:
    """The models that a pattern means, each with its blocks and places, or why it has none.

    Raises:
        StudyError: there is none, or too many.
    """
    from cbablate.models.portrait import names_like

    found = [_model(name) for name in names_like(pattern)]
    return {"shape": "models", "version": VERSION, "models": found}


def _model(name: str) -> dict[str, Any]:
    from cbablate.models.portrait import portrait

    try:
        return {**asdict(portrait(name)), "failure": None}
    except StudyError as error:
        return {"name": name, "failure": str(error)}
