"""`MlflowStore`: where MLflow keeps what it shows: its address, its client, its experiments.

What MLflow raises is told in one sentence, without passwords and tokens.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from cbablate.errors import CbablateError, EnvironmentFault, in_a_line
from cbablate.mirrors.mlflow_answer import answer
from cbablate.mirrors.mlflow_deadline import Prompt
from cbablate.mirrors.port import MirrorUnreachable

__all__ = [
    "ARTIFACT_FOLDER",
    "STORE_FILE",
    "MlflowStore",
    "experiment_of",
    "masked",
    "store_address",
    "unused_address",
]

STORE_FILE = "mlflow.sqlite"
ARTIFACT_FOLDER = "mlflow-artifacts"

_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout is the product
        # No connection is kept, so that a store that was deleted and laid out anew is the new one.
        "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
        # MLflow's own defaults block for four minutes on a server that is not there. These are ten
        # seconds at most until a server that does not answer is given up.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
        "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # a busy server may ask for an hour
    }
)


def experiment_of(study: str) -> str:
    """The name of the MLflow experiment that holds a study."""
    return f"cbablate/{study}"


def store_address(uri: str | None, folder: Path) -> str:
    """The tracking URI meant by a user's `uri`; None is a SQLite file in the results folder.

    Raises:
        EnvironmentFault: the URI is not one that can be written to from here.
    """
    if uri is None:
        return f"sqlite:///{(folder / STORE_FILE).resolve()}"
    try:
        parts = urlsplit(uri)
        whole = bool(parts.hostname) if parts.scheme in ("http", "https") else True
    except ValueError:
        parts, whole = urlsplit(""), False
    if parts.scheme == "sqlite" and uri.startswith("sqlite:///") and len(uri) > 10:
        return uri
    if parts.scheme in ("http", "https") and whole:
        return uri
    hint = (
        " MLflow's file store is retired; a SQLite file does the same."
        if parts.scheme == "file"
        else ""
    )
    raise EnvironmentFault(
        f"--mlflow {masked(uri)} is not an MLflow address that cbablate writes to.{hint} Give "
        "http://HOST:PORT or https://HOST for a tracking server, or sqlite:////absolute/path."
    )


def unused_address(uri: str | None, folder: Path) -> str:
    """That MLFLOW_TRACKING_URI names another store than the one that is used; "" if it does not.

    Raises:
        EnvironmentFault: `uri` is not one that can be written to from here.
    """
    named = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    used = store_address(uri, folder)
    if named.rstrip("/") in ("", used.rstrip("/")):
        return ""
    return (
        f"MLFLOW_TRACKING_URI is set to {masked(named)} and is not used: trials are shown in "
        f"{masked(used)}. `run` and `sync` take another store by --mlflow."
    )


def masked(text: str) -> str:
    """A text with passwords and tokens in it made unreadable."""
    text = re.sub(r"//[^/\s@]*@", "//***@", text)
    text = re.sub(r"(?i)([?&;][\w.-]*(?:token|key|password|secret)[\w.-]*=)[^&\s]+", r"\1***", text)
    for name in ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"):
        secret = os.environ.get(name)
        text = text.replace(secret, "***") if secret else text
    return text


class MlflowStore:
    """A tracking server, or an SQLite file in the results folder, which is made if it is not there.

    Settings of MLflow are put into the environment only where the user has not set them.

    Raises:
        EnvironmentFault: the URI is none that can be written to.
    """

    def __init__(self, uri: str | None, folder: Path) -> None:
        self.address = store_address(uri, folder)
        self._folder = folder.resolve()
        self._own = uri is None
        self._client: Any = None
        for key, value in _SETTINGS.items():
            os.environ.setdefault(key, value)

    @property
    def client(self) -> Any:
        """An `MlflowClient` of this store."""
        if self._client is None:
            self._client = self._connected()
        return self._client

    @contextmanager
    def told_plainly(self) -> Iterator[None]:
        """Whatever MLflow raises in the block, as one sentence; the client is then another.

        Raises:
            MirrorUnreachable: MLflow cannot be imported or reached, or refuses.
        """
        try:
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError
        except ImportError as error:
            raise MirrorUnreachable(
                f"MLflow cannot be imported ({error}), so nothing is shown there. Install it with "
                "`pip install mlflow`; `cbablate sync` then sends everything."
            ) from error
        try:
            yield
        except CbablateError:
            raise
        except Exception as error:
            remote = self.address.startswith("http")
            known = isinstance(error, MlflowException | SQLAlchemyError | sqlite3.Error | OSError)
            if not known and not remote:
                raise  # a fault of ours; of a server's answer MLflow's client may raise anything
            self._client = None
            said = answer(error) if remote else in_a_line(error, limit=None)
            said = masked(said)[:300].rstrip(". ")
            end = "" if said.endswith("?") else "."
            mend = (
                f"It holds nothing of its own: if it is damaged, remove {STORE_FILE} and "
                if self._own
                else "When it answers again, "
            )
            raise MirrorUnreachable(
                f"MLflow at {masked(self.address)} did not take the study: {said}{end} "
                f"Nothing is lost. {mend}`cbablate sync` sends everything."
            ) from error

    def _connected(self) -> Any:
        """A client; a store of our own is created in one step, in this process alone."""
        from mlflow import MlflowClient

        for logger in ("mlflow", "alembic", "urllib3.connectionpool"):
            logging.getLogger(logger).setLevel(logging.ERROR)  # what is wrong, we say ourselves
        if self.address.startswith("sqlite:"):
            path = Path(self.address.removeprefix("sqlite:///"))
            (self._folder / ARTIFACT_FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.exists():
                # MLflow tries a damaged file ten times, for 100 seconds.
                with closing(sqlite3.connect(path)) as opened:
                    opened.execute("PRAGMA schema_version")
            else:
                # A store takes seconds to lay out; one that was killed half-way never has its name.
                fresh = path.with_name(f"{path.name}.new")
                fresh.unlink(missing_ok=True)
                os.close(os.open(fresh, os.O_CREAT | os.O_WRONLY, 0o600))
                MlflowClient(f"sqlite:///{fresh}").search_experiments(max_results=1)
                fresh.replace(path)
        client = MlflowClient(self.address)
        return Prompt(client) if self.address.startswith("http") else client

    def experiment(self, name: str, tags: Mapping[str, str]) -> str:
        """The id of the experiment, which is created, or taken back from the deleted ones."""
        client, place = self.client, None
        if self.address.startswith("sqlite:"):
            place = (self._folder / ARTIFACT_FOLDER).as_uri()
        found = client.get_experiment_by_name(name)
        if found is not None and not found.experiment_id:
            raise ValueError("an experiment without an id: this is not an MLflow server")
        if found is not None and self._own and found.artifact_location != place:
            # The results folder was moved: artifacts would go to where it was.
            client.rename_experiment(found.experiment_id, f"{name} (moved, {found.experiment_id})")
            client.delete_experiment(found.experiment_id)
            found = None
        if found is None:
            given = {"mlflow.experimentKind": "custom_model_development", **tags}
            return str(client.create_experiment(name, artifact_location=place, tags=given))
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        for key, value in tags.items():
            if found.tags.get(key) != value:
                client.set_experiment_tag(found.experiment_id, key, value)
        return str(found.experiment_id)
