"""Empty stores of MLflow and Optuna, laid out once a process: each costs seconds."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from cbablate.mirrors.port import StudyState
from cbablate.testing.mirror_facts import Story, toy_plan

__all__ = ["empty_mlflow_store", "empty_optuna_storage"]


@functools.cache
def empty_mlflow_store() -> Path:
    """A migrated SQLite file with one study and no trials, to be copied."""
    from cbablate.mirrors.mlflow_mirror import STORE_FILE, MlflowMirror

    folder, plan = _folder(), toy_plan(name="first")
    MlflowMirror(None, folder).sync(plan, Story().facts, state=StudyState.RUNNING)
    return folder / STORE_FILE


@functools.cache
def empty_optuna_storage() -> Path:
    """An SQLite file with Optuna's tables, to be copied."""
    import optuna

    path = _folder() / "optuna.sqlite"
    optuna.storages.RDBStorage(f"sqlite:///{path}").engine.dispose()
    return path


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="empty-store-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
