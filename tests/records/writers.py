"""Processes that write a ledger, for tests of what happens when they are killed or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cbablate.records.facts import Ended, Measured, Started, TrialFact
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record

WRITE = """
import sys, time
from pathlib import Path
from cbablate.records.sqlite.ledger import SqliteLedger
from tests.records.writers import trial
with SqliteLedger.writing(Path(sys.argv[1])) as ledger:
    for number in range(int(sys.argv[2])):
        ledger.append(*trial(number))
        print(number, flush=True)
    ledger.tell("session", "tail", {})
    print("written", flush=True)
    sys.stdin.readline()
    ledger.tell("session", "later", {})
"""


def trial(number: int, session: str = "s") -> list[Record]:
    """The facts of one trial of a budget of one epoch."""
    name = f"trial-{number}"
    measured = Measured(Measurement(1, {"loss": 0.5}, seconds=1.0), 1, session)
    return [
        TrialFact("a", {"epochs": 1}).record(name, 1.0),
        Started(1, session).record(name, 1.0),
        measured.record(name, 2.0),
        Ended("complete", attempt=1, session=session).record(name, 3.0),
    ]


@contextmanager
def writer(
    folder: Path, trials: int = 5, *, prefix: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """A process that has written so many trials and one fact more, and holds the ledger.

    A line to its stdin has it write another fact and end.
    """
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", WRITE, str(folder), str(trials)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    try:
        while (line := process.stdout.readline()) != "written\n":
            assert line, process.communicate()[1]
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def ended(process: subprocess.Popen[str]) -> str:
    """What a writer that goes on says on stderr when it ends."""
    return process.communicate("\n", timeout=60)[1]
