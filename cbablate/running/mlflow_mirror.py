"""`MlflowMirror`: a study in MLflow, one parent run a study and one nested run a trial."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from cbablate.analysis.tuning import Tuning, tunings
from cbablate.errors import EnvironmentFault
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.running.confirmation import tuning_plan, whole
from cbablate.running.mirror import Account, MirrorUnreachable, StudyState, accounts, ledger_id
from cbablate.running.mlflow_entry import (
    Entry,
    batches,
    key_of,
    search_entry,
    study_entry,
    trial_entry,
    views,
)

__all__ = [
    "ARTIFACT_FOLDER",
    "STORE_FILE",
    "MlflowMirror",
    "experiment_of",
    "masked",
    "store_address",
]

STORE_FILE = "mlflow.sqlite"
ARTIFACT_FOLDER = "mlflow-artifacts"

_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout is the product
        # No connection is kept, so that a store that was deleted and laid out anew is the new one.
        "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
        # MLflow's own defaults block for four minutes on a server that is not there.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    }
)
_OWN_TAGS = ("cbablate.", "factor.", "note.")
_ENDED = ("FINISHED", "FAILED", "KILLED")


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
        f"--mlflow {masked(uri)} is no MLflow address that cbablate writes to.{hint} Give "
        "http://HOST:PORT or https://HOST for a tracking server, or sqlite:////absolute/path."
    )


def masked(text: str) -> str:
    """A text with passwords and tokens in it made unreadable."""
    text = re.sub(r"//[^/\s@]*@", "//***@", text)
    text = re.sub(r"(?i)([?&;][\w.-]*(?:token|key|password|secret)[\w.-]*=)[^&\s]+", r"\1***", text)
    for name in ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"):
        secret = os.environ.get(name)
        text = text.replace(secret, "***") if secret else text
    return text


@dataclass
class _Shown:
    """A run as MLflow has it."""

    run: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    status: str
    name: str
    deleted: bool = False


@dataclass
class _Board:
    """What MLflow has of one study from one ledger: its parents, and trials by trial id."""

    experiment: str
    study: str
    ledger: str
    parents: list[_Shown] = field(default_factory=list)
    trials: dict[str, list[_Shown]] = field(default_factory=dict)


class MlflowMirror:
    """A study as an MLflow experiment, `cbablate/<study>`.

    Runs are found again by tags (study, ledger, trial id), never by name or order. One that must
    look otherwise than it can be made to look (its params, curve or end differ: another attempt
    was made) is deleted in MLflow's sense, which can be undone there, and written anew. Settings
    of MLflow are put into the environment only where the user has not set them.

    Raises:
        EnvironmentFault: the URI is none that can be written to.
    """

    name = "MLflow"

    def __init__(self, uri: str | None, folder: Path) -> None:
        self.address = store_address(uri, folder)
        self._folder = folder.resolve()
        self._own = uri is None
        self._client: Any = None
        self._board: _Board | None = None
        for key, value in _SETTINGS.items():
            os.environ.setdefault(key, value)

    def sync(
        self,
        plan: Plan,
        facts: Sequence[Record],
        *,
        state: StudyState,
        artifacts: Sequence[Path] = (),
    ) -> None:
        """Show the study; see `Mirror`."""
        with self._told_plainly():
            ledger = ledger_id(facts)
            board = self._opened(plan, ledger)
            both = whole(plan, facts)
            told = accounts(both, facts)
            wanted = study_entry(both, facts, told=told, state=state, ledger=ledger)
            parent = self._summary(board, board.parents, wanted, wanted.tags)
            self._trials(board, both, told, parent=parent.run)
            shown = {account.trial.id for account in told}
            for tuning in tunings(plan, facts):
                shown |= self._search(board, plan, tuning, facts=facts, parent=parent, state=state)
            self._hide_others(board, shown)
            self._close(parent, wanted)
            for path in artifacts:
                self._upload(parent, path)

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        """Whatever MLflow raises, as one sentence; and what we believed it had, forgotten."""
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
        except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._board = self._client = None
            said = (masked(str(error)).strip() or type(error).__name__).splitlines()[0][:300]
            if "Max retries exceeded" in said:
                said = "nobody answers there"
            mend = (
                f"It holds nothing of its own: if it is damaged, remove {STORE_FILE} and "
                if self._own
                else "When it answers again, "
            )
            raise MirrorUnreachable(
                f"MLflow at {masked(self.address)} did not take the study: {said}. "
                f"Nothing is lost. {mend}`cbablate sync` sends everything."
            ) from error

    def _opened(self, plan: Plan, ledger: str) -> _Board:
        """What MLflow has of a study; looked up once, then kept in step with what is sent."""
        if self._client is None:
            self._client = self._connected()
        board = self._board
        if board is None or (board.study, board.ledger) != (plan.study.name, ledger):
            experiment = self._experiment(experiment_of(plan.study.name), views(plan))
            board = self._found(_Board(experiment, plan.study.name, ledger))
            self._board = board
        return board

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
        return MlflowClient(self.address)

    def _experiment(self, name: str, tags: Mapping[str, str]) -> str:
        """The id of the experiment, which is created, or taken back from the deleted ones."""
        client, place = self._client, None
        if self.address.startswith("sqlite:"):
            place = (self._folder / ARTIFACT_FOLDER).as_uri()
        found = client.get_experiment_by_name(name)
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

    def _found(self, board: _Board) -> _Board:
        """The board with every run of its study and ledger, deleted ones too."""
        from mlflow.entities import ViewType

        clause = (
            f"tags.`cbablate.study` = '{board.study}' and tags.`cbablate.ledger` = '{board.ledger}'"
        )
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [board.experiment], clause, ViewType.ALL, max_results=500, page_token=token
            )
            for run in page:
                shown = _Shown(
                    run=run.info.run_id,
                    tags=dict(run.data.tags),
                    params=dict(run.data.params),
                    metrics=dict(run.data.metrics),
                    status=run.info.status,
                    name=run.info.run_name,
                    deleted=run.info.lifecycle_stage == "deleted",
                )
                if shown.tags.get("cbablate.role") == "study":
                    board.parents.append(shown)
                else:
                    board.trials.setdefault(shown.tags["cbablate.trial"], []).append(shown)
            token = page.token
            if not token:
                return board

    def _search(
        self,
        board: _Board,
        plan: Plan,
        tuning: Tuning,
        *,
        facts: Sequence[Record],
        parent: _Shown,
        state: StudyState,
    ) -> set[str]:
        """An arm's search with its ended trials beneath; the ids of all that is shown."""
        entry = search_entry(plan, tuning, facts=facts, state=state, ledger=board.ledger)
        candidates = board.trials.setdefault(tuning.search.id, [])
        tags = {**entry.tags, "mlflow.parentRunId": parent.run}
        shown = self._summary(board, candidates, entry, tags)
        proposed = tuning_plan(plan, tuning)
        told = accounts(proposed, facts)
        self._trials(board, proposed, told, parent=shown.run)
        self._close(shown, entry)
        return {tuning.search.id, *(account.trial.id for account in told)}

    def _trials(self, board: _Board, plan: Plan, told: Sequence[Account], *, parent: str) -> None:
        for account in told:
            entry = trial_entry(plan, account, ledger=board.ledger)
            self._trial(board, entry, trial=account.trial.id, parent=parent)

    def _summary(
        self, board: _Board, candidates: list[_Shown], entry: Entry, tags: Mapping[str, str]
    ) -> _Shown:
        """The run under which trials lie, there and with its counts as they are now."""
        shown = self._chosen(board, candidates, entry, tags)
        self._log(shown, (), self._lacking(shown, entry), {})
        if shown.status != "RUNNING" and entry.status == "RUNNING":
            self._client.update_run(shown.run, status="RUNNING")
            shown.status = "RUNNING"
        self._tag(shown, tags, entry.name)
        counts = {point.key: point.value for point in entry.points}
        if any(shown.metrics.get(key) != value for key, value in counts.items()):
            self._log(shown, entry.points, {}, {})
            shown.metrics.update(counts)
        return shown

    def _trial(self, board: _Board, entry: Entry, *, trial: str, parent: str) -> None:
        tags = {**entry.tags, "mlflow.parentRunId": parent}
        shown = self._chosen(board, board.trials.setdefault(trial, []), entry, tags)
        timed = hashlib.sha256(repr(entry.timings).encode()).hexdigest()[:20]
        lacking = entry.timings if shown.tags.get("cbablate.timed") != timed else ()
        if shown.status in _ENDED:
            self._log(shown, lacking, {}, {})
        else:
            self._log(shown, entry.points + lacking, self._lacking(shown, entry), {})
        if entry.timings:  # said only when they have arrived
            tags["cbablate.timed"] = timed
        self._tag(shown, tags, entry.name)
        self._close(shown, entry)

    def _chosen(
        self, board: _Board, candidates: list[_Shown], entry: Entry, tags: Mapping[str, str]
    ) -> _Shown:
        """The one run for an entry: found by its content, or new; all others are deleted."""
        right = [s for s in candidates if s.tags.get("cbablate.content") == entry.content]
        right.sort(key=lambda shown: (shown.deleted, shown.status not in _ENDED, shown.run))
        if right:
            kept = right[0]
            if kept.deleted:
                self._client.restore_run(kept.run)
                kept.deleted = False
        else:
            given = {**tags, "cbablate.content": entry.content}
            created = self._client.create_run(
                board.experiment, start_time=entry.began, tags=given, run_name=entry.name
            )
            kept = _Shown(created.info.run_id, given, {}, {}, "RUNNING", entry.name)
            candidates.append(kept)
        for other in candidates:
            if other is not kept:
                self._delete(other)
        return kept

    @staticmethod
    def _lacking(shown: _Shown, entry: Entry) -> dict[str, str]:
        """Params that MLflow has not got yet; they are written once and never altered."""
        lacking = {key: value for key, value in entry.params.items() if key not in shown.params}
        shown.params.update(lacking)
        return lacking

    def _tag(self, shown: _Shown, tags: Mapping[str, str], name: str) -> None:
        """Exactly these of our tags; tags that a person has added are left alone."""
        differing = {key: value for key, value in tags.items() if shown.tags.get(key) != value}
        self._log(shown, (), {}, differing)
        for key in list(shown.tags):
            kept = key in tags or key == "cbablate.content" or key.startswith(_ARTIFACT)
            if key.startswith(_OWN_TAGS) and not kept:
                self._client.delete_tag(shown.run, key)
                del shown.tags[key]
        shown.tags.update(differing)
        if shown.name != name:
            self._client.update_run(shown.run, name=name)
            shown.name = name

    def _log(
        self,
        shown: _Shown,
        points: Sequence[Any],
        params: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        for some, named, said in batches(points, params, tags):
            self._client.log_batch(
                shown.run,
                metrics=[Metric(p.key, p.value, p.at, p.step) for p in some],
                params=[Param(key, value) for key, value in named],
                tags=[RunTag(key, value) for key, value in said],
            )

    def _close(self, shown: _Shown, entry: Entry) -> None:
        if entry.status != "RUNNING" and shown.status != entry.status:
            self._client.set_terminated(shown.run, entry.status, end_time=entry.ended)
            shown.status = entry.status

    def _hide_others(self, board: _Board, told: set[str]) -> None:
        """Trials that the plan no longer has, or that are being run anew, are not shown."""
        for trial, candidates in board.trials.items():
            if trial not in told:
                for shown in candidates:
                    self._delete(shown)

    def _delete(self, shown: _Shown) -> None:
        if not shown.deleted:
            self._client.delete_run(shown.run)
            shown.deleted = True

    def _upload(self, parent: _Shown, path: Path) -> None:
        """A file among the study's artifacts, sent only when its bytes are new."""
        key = key_of(f"{_ARTIFACT}{path.name}")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if parent.tags.get(key) != digest:
            self._client.log_artifact(parent.run, str(path))
            self._client.set_tag(parent.run, key, digest)
            parent.tags[key] = digest


_ARTIFACT = "cbablate.artifact."
