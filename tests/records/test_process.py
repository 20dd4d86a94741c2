"""Whether a process is the one that was written down, and whether it still runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from cbablate.records.process import Process, started


def test_a_process_that_was_written_down_is_read_again() -> None:
    this = Process.this()
    assert Process.read(json.loads(json.dumps(asdict(this)))) == this
    assert this.runs


def test_a_number_that_was_given_again_is_another_process() -> None:
    this = Process.this()
    assert not replace(this, started="1").runs
    assert replace(this, started="").runs, "where the system does not say, it may be the same"


def test_one_that_ended_and_was_not_waited_for_runs_no_more() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = replace(Process.this(), pid=child.pid, started=started(child.pid))
    assert process.runs
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process.runs
    child.communicate()
    assert not process.runs


@pytest.mark.parametrize(
    "change", [{"pid": "1"}, {"pid": True}, {"pid": 0}, {"pid": -1}, {"host": 1}, {"started": None}]
)
def test_what_does_not_describe_a_process_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"describe|number"):
        Process.read({**asdict(Process.this()), **change})


@pytest.mark.parametrize("written", [None, [], {}, "text", {"pid": 1}])
def test_other_values_are_refused(written: object) -> None:
    with pytest.raises(ValueError, match="describe"):
        Process.read(written)
