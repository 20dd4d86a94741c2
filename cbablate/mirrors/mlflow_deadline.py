"""`Prompt`: MLflow's client, each of whose answers must be whole after a while."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

__all__ = ["Late", "Prompt"]

LEAST = 10.0
"""Seconds that an answer has, with all tries; more where MLflow's own settings allow more."""
_PACE = 100_000
"""Bytes of a file that are sent in each further second, at the least."""
_LONGEST_PAUSE = 120.0
"""Seconds between two tries, which urllib3 never exceeds."""


class Late(TimeoutError):
    """An answer that has not come whole, told as a sentence."""


class Prompt:
    """MLflow's client, with a time limit for each whole answer.

    MLflow limits the silence between two bytes, so that a server that sends one a second holds a
    call for ever. A call that is given up goes on in a thread that ends with the process.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def prompt(*args: Any, **named: Any) -> Any:
            return _within(_patience(), lambda: call(*args, **named))

        return prompt

    def log_artifact(self, run: str, path: str) -> None:
        """Send a file; a large one takes its time.

        Raises:
            Late: it has not been taken.
        """
        limit = _patience() + Path(path).stat().st_size / _PACE
        _within(limit, lambda: self._client.log_artifact(run, path))


def _within(limit: float, call: Callable[[], Any]) -> Any:
    """What a call returns or raises within so many seconds.

    Raises:
        Late: it has done neither.
    """
    ends: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            ends.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - whoever waits for the answer raises it
            ends.put((None, error))

    Thread(target=work, name="MLflow's answer", daemon=True).start()
    try:
        value, error = ends.get(timeout=limit)
    except Empty:
        raise Late(f"its answer had not come whole after {limit:.0f} s") from None
    if error is not None:
        raise error
    return value


def _patience() -> float:
    """Seconds in which MLflow's client has made all its tries of a server that is silent."""
    tries = int(os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES", 0)) + 1
    factor = float(os.environ.get("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", 0))
    pauses = sum(min(_LONGEST_PAUSE, factor * 2.0**number + 1) for number in range(1, tries - 1))
    return max(LEAST, tries * float(os.environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT", 0)) + pauses)
