"""`MlflowMirror`: a study in MLflow: one run for it, beneath it a run a trial, and an arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cbablate.analysis.outcome import outcome
from cbablate.analysis.searches.confirmation import tuning_plan
from cbablate.analysis.searches.tuning import Tuning
from cbablate.analysis.standing import Standing
from cbablate.mirrors.mlflow_board import Board, Shown, subject_of
from cbablate.mirrors.mlflow_entry import search_entry, study_entry, trial_entry
from cbablate.mirrors.mlflow_store import (
    ARTIFACT_FOLDER,
    STORE_FILE,
    MlflowStore,
    experiment_of,
    masked,
    store_address,
)
from cbablate.mirrors.mlflow_summary import summary_entries
from cbablate.mirrors.mlflow_view import views
from cbablate.mirrors.port import Account, StudyState, accounts, ledger_id
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded

__all__ = [
    "ARTIFACT_FOLDER",
    "STORE_FILE",
    "MlflowMirror",
    "experiment_of",
    "masked",
    "store_address",
]


class MlflowMirror:
    """A study as an MLflow experiment, `cbablate/<study>`.

    Trials are shown as they end. What is said over them, a summary of each arm and the artifacts,
    is shown once nothing runs any more: until then summaries tell of the last time.

    Raises:
        EnvironmentFault: the URI is none that can be written to.
    """

    name = "MLflow"

    def __init__(self, uri: str | None, folder: Path) -> None:
        self._store = MlflowStore(uri, folder)
        self._board: Board | None = None

    def sync(
        self,
        plan: Plan,
        facts: Recorded,
        *,
        state: StudyState,
        artifacts: Sequence[Path] = (),
    ) -> None:
        """Show the study; see `Mirror`."""
        try:
            with self._store.told_plainly():
                self._show(plan, facts, state=state, artifacts=artifacts)
        except BaseException:
            self._board = None  # what MLflow has after half a sync is read again
            raise

    def _show(
        self, plan: Plan, facts: Recorded, *, state: StudyState, artifacts: Sequence[Path]
    ) -> None:
        now = Standing(plan, facts)
        ledger, book = ledger_id(now.book), now.book
        board = self._opened(plan, ledger)
        both = now.whole
        told = accounts(both, book)
        wanted = study_entry(both, book, told=told, state=state, ledger=ledger)
        parent = board.heading(wanted)
        _show_trials(board, both, told, parent=parent)
        shown = {account.trial.id for account in told}
        for tuning in now.tunings:
            shown |= _show_search(board, plan, tuning, book=book, parent=parent, state=state)
        board.hide_others(shown, roles=("trial", "tuning", "search"))
        board.close(parent, wanted)
        for path in artifacts:
            board.upload(parent, path)
        if state is not StudyState.RUNNING:
            _show_summaries(board, plan, both, book=book, parent=parent)

    def _opened(self, plan: Plan, ledger: str) -> Board:
        """What MLflow has of a study; looked up once, then kept in step with what is sent."""
        board = self._board
        if board is None or (board.study, board.ledger) != (plan.study.name, ledger):
            experiment = self._store.experiment(experiment_of(plan.study.name), views(plan))
            board = Board(self._store.client, experiment, plan.study.name, ledger).read()
            self._board = board
        return board


def _show_trials(board: Board, plan: Plan, told: Sequence[Account], *, parent: Shown) -> None:
    for account in told:
        board.trial(trial_entry(plan, account, ledger=board.ledger), parent=parent)


def _show_search(
    board: Board,
    plan: Plan,
    tuning: Tuning,
    *,
    book: Book,
    parent: Shown,
    state: StudyState,
) -> set[str]:
    """An arm's search with its ended trials beneath; the ids of all that is shown."""
    entry = search_entry(plan, tuning, book=book, state=state, ledger=board.ledger)
    shown = board.standing(entry, parent=parent)
    proposed = tuning_plan(plan, tuning)
    told = accounts(proposed, book)
    _show_trials(board, proposed, told, parent=shown)
    board.close(shown, entry)
    return {tuning.search.id, *(account.trial.id for account in told)}


def _show_summaries(board: Board, plan: Plan, both: Plan, *, book: Book, parent: Shown) -> None:
    """A summary of each arm that has anything to sum up, and of no other."""
    entries = summary_entries(outcome(plan, book), both, book, ledger=board.ledger)
    for entry in entries:
        board.close(board.standing(entry, parent=parent), entry)
    board.hide_others({subject_of(entry.tags) for entry in entries}, roles=("summary",))
