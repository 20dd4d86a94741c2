"""`damaged_stores`: which files of MLflow and Optuna are not whole; the ledger rebuilds them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from cbablate.mirrors.mlflow_store import STORE_FILE as MLFLOW_FILE
from cbablate.mirrors.optuna_mirror import STORE_FILE as OPTUNA_FILE

__all__ = ["damaged_stores"]

_STORES = (OPTUNA_FILE, MLFLOW_FILE)


def damaged_stores(results: Path) -> Iterator[str]:
    """The paths of a results folder's stores that SQLite finds damaged; one that is empty is
    whole, for the next sync fills it.
    """
    for path in (results / name for name in _STORES):
        if path.exists() and not _whole(path):
            yield str(path)


def _whole(path: Path) -> bool:
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return path.stat().st_size == 0
