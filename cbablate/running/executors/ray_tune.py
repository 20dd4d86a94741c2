"""What Ray Tune calls: a searcher that asks for the next trial, a scheduler for verdicts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ray.tune.progress_reporter import ProgressReporter
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from cbablate.errors import EnvironmentFault
from cbablate.running.executors.port import Ending
from cbablate.running.executors.ray_attempt import RETURNED, Began
from cbablate.running.executors.ray_relay import Relay

__all__ = ["Proposals", "Silence", "Verdicts"]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""Ray colours the names of its tasks, wherever they are written."""


class Proposals(Searcher):
    """Asks the feed for the next trial when Ray has a slot."""

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self._relay = relay

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next trial's config."""
        return self._relay.propose(trial_id)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing: the scheduler is told with more detail."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the ledger remembers."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: a study is run again from the ledger."""


class Verdicts(FIFOScheduler):
    """Tells the feed what trials report, and Ray what the feed decides."""

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self._relay = relay

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Whether a trial that reported goes on."""
        told = result["report/value"]
        if isinstance(told, Began):
            self._relay.started(trial.trial_id, told.worker)
            return str(TrialScheduler.CONTINUE)
        if told == RETURNED:  # its next step raises, which has Ray Tune replace the worker
            return str(TrialScheduler.CONTINUE)
        stop = self._relay.measured(trial.trial_id, told)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """A trial ended by itself, or was stopped."""
        told = result["report/value"]
        if isinstance(told, EnvironmentFault):
            self._relay.error = self._relay.error or told
            return
        ended = told if isinstance(told, Ending) else Ending("stopped")
        self._relay.ended(trial.trial_id, ended)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """A trial's worker died."""
        cause = _cause(trial)
        line = next(filter(None, map(str.strip, cause.splitlines()[1:])), "")
        why = f": {line[:300]}" if line else ""
        self._relay.ended(
            trial.trial_id, Ending("lost", f"the process of the trial died{why}", "lost", cause)
        )


class Silence(ProgressReporter):
    """Shows nothing. In a notebook Ray Tune would otherwise clear what the cell has shown."""

    def setup(self, *_: Any, **__: Any) -> None:
        """Nothing to prepare."""

    def should_report(self, trials: list[Any], done: bool = False) -> bool:
        """Never."""
        return False

    def report(self, trials: list[Any], done: bool, *sys_info: str) -> None:
        """Nothing: the study's own panel follows the trials."""


def _cause(trial: Any) -> str:
    """What Ray knows of a trial's end; Ray Tune has written it down, but not yet stored it."""
    try:
        text = Path(str(trial.error_file)).read_text(encoding="utf-8", errors="replace")
    except (OSError, TypeError):
        text = str(trial.get_error() or "")
    return _COLOUR.sub("", text)
