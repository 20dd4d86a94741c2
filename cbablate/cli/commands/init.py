"""`cbablate init`: a first study."""

from __future__ import annotations


def init() -> None:
    """Write a study."""
