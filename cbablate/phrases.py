"""Lengths of time, as a person says them."""

from __future__ import annotations

__all__ = ["duration"]


def duration(seconds: float) -> str:
    """`8.2 s`, `3 min 20 s`, `2 h 5 min` or `3 d 4 h`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
