"""Words of the command line that are chosen from a list, and how it speaks of errors."""

from __future__ import annotations

import sys
from enum import StrEnum

from cbablate.errors import CbablateError, StudyError

__all__ = ["Form", "Where", "Written", "show_error"]


class Where(StrEnum):
    """Where trials run: side by side on Ray, or one after another in this process."""

    ray = "ray"
    local = "local"


class Form(StrEnum):
    """How a table is written; a test holds it equal to `reporting.form.FORMS`."""

    text = "text"
    latex = "latex"
    markdown = "markdown"
    csv = "csv"


class Written(StrEnum):
    """What a person writes."""

    study = "study"
    sweep = "sweep"


def show_error(error: CbablateError) -> None:
    """Write an error to stderr; faults of a file speak for themselves, with their places."""
    prefix = "" if isinstance(error, StudyError) else "cbablate: "
    print(f"{prefix}{error}", file=sys.stderr)
