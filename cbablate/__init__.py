"""Ablations of vision transformers, from a question to a table.

    from cbablate import load_study, plan, run, table

Names are imported when they are first used, so that `import cbablate` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbablate.api import Resources, load_study, plan, run, sync, table, verify

__all__ = ["Resources", "load_study", "plan", "run", "sync", "table", "verify"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from cbablate import api

        return getattr(api, name)
    raise AttributeError(f"module 'cbablate' has no attribute '{name}'")
