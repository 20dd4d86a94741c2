"""Numbers as a user's code gives them, numpy's and torch's too, made plain."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, SupportsFloat

from cbablate.errors import TrialFailure

__all__ = ["kind_of", "metric_value", "whole_number"]


def whole_number(value: Any) -> int | None:
    """A whole number as a plain int, numpy's and torch's too; None if it is none."""
    if isinstance(value, bool) or "bool" in str(getattr(value, "dtype", "")):
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):
        return None


def metric_value(name: Any, value: Any) -> float:
    """A metric as a plain float; numpy's and torch's scalars are taken, words are not.

    Raises:
        TrialFailure: the value is no number, or the name no word.
    """
    if not isinstance(name, str) or not name or not _is_text(name):
        raise TrialFailure(f"a metric is named {name!r}: names are words")
    if isinstance(value, bool | str | Mapping) or not isinstance(value, SupportsFloat):
        raise TrialFailure(f"metric '{name}' is {kind_of(value)}, not a number")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise TrialFailure(f"metric '{name}' is {kind_of(value)}, not a number: {error}") from error


def _is_text(name: str) -> bool:
    """Whether it has no half characters, which no file and no database takes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def kind_of(value: Any) -> str:
    """A value and its type, in a few words."""
    return f"{str(value)[:60]!r} ({type(value).__name__})"
