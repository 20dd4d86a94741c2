"""Ablations of vision transformers, from a question to a table.

    from cbablate import load_study, plan, run, table

Names are imported when they are first used, so that `import cbablate` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbablate.api import Resources, load_study, plan, run, sync, table, verify
    from cbablate.workloads.own_code.decorator import workload
    from cbablate.workloads.own_code.fiber import TrialStopped
    from cbablate.workloads.own_code.report import current_trial, report

__all__ = [
    "Resources",
    "TrialStopped",
    "current_trial",
    "load_study",
    "plan",
    "report",
    "run",
    "sync",
    "table",
    "verify",
    "workload",
]
_OWN_CODE = {
    "TrialStopped": "fiber",
    "current_trial": "report",
    "report": "report",
    "workload": "decorator",
}


def __getattr__(name: str) -> Any:
    if name in _OWN_CODE:
        from importlib import import_module

        return getattr(import_module(f"cbablate.workloads.own_code.{_OWN_CODE[name]}"), name)
    if name in __all__:
        from cbablate import api

        return getattr(api, name)
    raise AttributeError(f"module 'cbablate' has no attribute '{name}'")
