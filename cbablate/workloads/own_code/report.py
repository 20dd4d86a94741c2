"""`report`: how an ordinary function or script tells its numbers while it trains."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from cbablate.errors import TrialFailure, in_a_line
from cbablate.workloads.own_code.current_trial import CurrentTrial, from_the_environment
from cbablate.workloads.own_code.fiber import open_trial, reporting_fiber
from cbablate.workloads.own_code.plain_numbers import metric_value, whole_number
from cbablate.workloads.own_code.tally import Reported, numbers_of

__all__ = ["current_trial", "report"]


def report(
    metrics: Mapping[str, Any],
    *,
    spent: int | None = None,
    vectors: Mapping[str, Sequence[float]] | None = None,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Report metrics after `spent` epochs or steps of the budget.

    Left out, `spent` is one more than the last time. Within a function that cbablate runs, the
    trial ends here if it was pruned. Within a command, a line is added to the file that
    CBABLATE_REPORT names. Where a script runs by itself, nothing happens.

    Args:
        metrics: numbers by name, such as `{"val/acc": 0.9}`; scalars of numpy and torch, too.
        vectors: values per layer by name.
        notes: words about how it was computed.

    Raises:
        TrialStopped: nothing more is wanted of the trial.
        TrialFailure: what is reported is no number. It fails the trial, even if it is caught.
        RuntimeError: a trial is running, but this is not its thread, process or function.
    """
    reported = Reported(metrics, spent, vectors, notes)
    fiber = reporting_fiber()
    if fiber is not None:
        fiber.stream.take(reported)
        return
    path = os.environ.get("CBABLATE_REPORT")
    if path:
        try:
            line = _line(reported)
        except Exception as error:
            _append(path, _refusal(error))
            raise
        _append(path, line)


def current_trial() -> CurrentTrial | None:
    """The trial that calls this, with its config, seed, budget, workdir and checkpoint.

    None where a script runs by itself.

    Raises:
        RuntimeError: several trials are running here, as one group.
    """
    trial = open_trial()
    return from_the_environment() if trial is None else trial.copied()


def _line(reported: Reported) -> bytes:
    """A report as a line of JSON; NaN and infinities as Python writes them."""
    entry: dict[str, Any] = {}
    if reported.spent is not None:
        spent = whole_number(reported.spent)
        if spent is None:
            raise TrialFailure(f"`spent` is {reported.spent!r}, not a whole number")
        entry["spent"] = spent
    entry["metrics"] = numbers_of(reported)
    if reported.vectors:
        entry["vectors"] = {
            name: [metric_value(name, value) for value in values]
            for name, values in reported.vectors.items()
        }
    if reported.notes:
        entry["notes"] = {str(name): str(note) for name, note in reported.notes.items()}
    return (json.dumps(entry) + "\n").encode()


def _refusal(error: Exception) -> bytes:
    """The line of a report that cannot be taken: it fails the trial, whoever catches the error."""
    return (json.dumps({"metrics": {}, "refused": in_a_line(error)}) + "\n").encode()


def _append(path: str, line: bytes) -> None:
    """Add a line in one piece, whoever else writes."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        while line:
            line = line[os.write(file, line) :]
    finally:
        os.close(file)
