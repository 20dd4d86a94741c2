"""Ablations of vision transformers, from a question to a table.

    from cbablate import load_study, plan, run, table

Names are imported when they are first used, so that `import cbablate` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbablate.api import Resources as Resources
    from cbablate.api import load_study as load_study
    from cbablate.api import plan as plan
    from cbablate.api import run as run
    from cbablate.api import sync as sync
    from cbablate.api import table as table
    from cbablate.api import verify as verify
    from cbablate.errors import CbablateError as CbablateError
    from cbablate.notebook.reading import diff as diff
    from cbablate.notebook.reading import explain as explain
    from cbablate.notebook.reading import figures as figures
    from cbablate.notebook.reading import importance as importance
    from cbablate.notebook.reading import report_page as report_page
    from cbablate.notebook.reading import status as status
    from cbablate.notebook.reading import trials as trials
    from cbablate.records.measurement import Measurement as Measurement
    from cbablate.spec.budget import Budget as Budget
    from cbablate.workloads.own_code.decorator import workload as workload
    from cbablate.workloads.own_code.fiber import TrialStopped as TrialStopped
    from cbablate.workloads.own_code.report import current_trial as current_trial
    from cbablate.workloads.own_code.report import report as report

    __version__: str

_HOMES = {
    "Budget": "spec.budget",
    "CbablateError": "errors",
    "Measurement": "records.measurement",
    "Resources": "api",
    "TrialStopped": "workloads.own_code.fiber",
    "current_trial": "workloads.own_code.report",
    "diff": "notebook.reading",
    "explain": "notebook.reading",
    "figures": "notebook.reading",
    "importance": "notebook.reading",
    "load_study": "api",
    "plan": "api",
    "report": "workloads.own_code.report",
    "report_page": "notebook.reading",
    "run": "api",
    "status": "notebook.reading",
    "sync": "api",
    "table": "api",
    "trials": "notebook.reading",
    "verify": "api",
    "workload": "workloads.own_code.decorator",
}
"""The names that the package offers, and the module of each."""

__all__ = [*_HOMES]  # noqa: PLE0604 - they are words


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"cbablate.{_HOMES[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("cbablate")
    raise AttributeError(f"module 'cbablate' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])
