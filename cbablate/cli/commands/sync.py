"""`cbablate sync`: MLflow and Optuna, brought up to date."""

from __future__ import annotations

from cbablate.cli.run_options import Mlflow
from cbablate.cli.variant import planned_study
from cbablate.cli.words import Kept, Overrides, StudyPath, ledger_folder, tell, tell_if_any

__all__ = ["sync"]


def sync(
    study: StudyPath, overrides: Overrides = None, results: Kept = None, mlflow: Mlflow = None
) -> None:
    """Send MLflow and Optuna what they miss; train nothing."""
    from cbablate import api
    from cbablate.mirrors.mlflow_store import unused_address

    planned = planned_study(study, overrides)
    folder = ledger_folder(results)
    tell_if_any(unused_address(mlflow, folder))
    api.sync(planned, results=folder, mlflow=mlflow)
    tell("MLflow and Optuna show what the ledger holds.")
