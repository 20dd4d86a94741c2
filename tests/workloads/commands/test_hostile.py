"""Programs that behave badly: each ends as a sentence, and leaves nothing that runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cbablate.planning.trial import Trial
from cbablate.records.measurement import Measurement
from cbablate.records.state import Verdict
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.isolation.limits import Limits
from cbablate.spec.budget import Budget
from cbablate.testing.feeds import Diary
from cbablate.testing.toy_plan import toy_plan
from cbablate.workloads.commands.output import Output
from cbablate.workloads.commands.room import Room
from cbablate.workloads.commands.run import run
from cbablate.workloads.own_code.entry import Entry
from tests.workloads.commands.programs import living, script, told


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A word that all processes of the test's programs bear; none must be left."""
    word = f"mark-{tmp_path.name}-{os.getpid()}-{time.time_ns()}"
    monkeypatch.setenv("MARK", word)
    yield word
    assert not list(living(word))


def soon(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("echo no such file >&2; exit 3", "train.sh ended with code 3: no such file"),
        ("exit 1", "train.sh ended with code 1, without a word"),
        ("kill -SEGV $$", "train.sh was killed by SIGSEGV, without a word"),
        ("kill -KILL $$", "train.sh was killed by SIGKILL, without a word"),
        ("printf '\\033[31mred\\007' >&2; exit 1", "ended with code 1: red<U+0007>"),
        ("printf '\\377\\376\\000x' ; exit 1", "ended with code 1: \ufffd\ufffd<U+0000>x"),
    ],
)
def test_a_failure_says_how_it_ended_and_its_last_line(
    tmp_path: Path, mark: str, text: str, sentence: str
) -> None:
    found = told(script(tmp_path, text), tmp_path / "t")
    assert sentence in found.sentence
    assert found.failure is not None
    assert found.failure.failure == "error"


def test_what_was_reported_before_a_failure_is_told(tmp_path: Path, mark: str) -> None:
    text = 'printf \'{"epoch": 1, "a": 1}\\n{"epo\' >> $CBABLATE_REPORT; exit 7'
    found = told(script(tmp_path, text), tmp_path / "t")
    assert found.numbers == [(1, {"a": 1.0})]
    assert found.sentence == "train.sh ended with code 7, without a word"


def test_processes_in_the_background_are_ended_with_the_program(tmp_path: Path, mark: str) -> None:
    text = "sleep 100 & (setsid sleep 100 &) ; nohup sleep 100 > /dev/null & exit 0"
    found = told(script(tmp_path, text), tmp_path / "t")
    assert "It left others running, which were ended" in found.sentence


def test_a_program_that_goes_into_the_background_is_a_sentence(tmp_path: Path, mark: str) -> None:
    text = """
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
time.sleep(100)
"""
    found = told(script(tmp_path, text, "train.py"), tmp_path / "t")
    assert "without a measurement" in found.sentence
    assert "goes into the background" in found.sentence


def test_a_program_that_ignores_sigterm_is_ended(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
trap '' TERM INT HUP
(trap '' TERM; setsid sleep 100) &
echo '{"epoch": 1, "a": 1}' >> $CBABLATE_REPORT
while true; do sleep 1; done
"""
    stream = run(
        {}, seed=1, budget=Budget(epochs=2), workdir=tmp_path, program=script(tmp_path, text)
    )
    next(stream)
    began = time.monotonic()
    stream.close()
    assert 4 < time.monotonic() - began < 12


def test_much_output_is_bounded_and_its_beginning_and_end_are_kept(
    tmp_path: Path, mark: str
) -> None:
    text = """
import sys
print("first")
line = "x" * 9_999 + "\\n"
for _ in range(10_000):
    sys.stdout.write(line)
print("last")
sys.exit(1)
"""
    found = told(script(tmp_path, text, "train.py"), tmp_path / "t")
    assert found.sentence == "train.py ended with code 1: last"
    room = Room(tmp_path / "t")
    sizes = [path.stat().st_size for path in room.output.iterdir()]
    assert sum(sizes) < 8_000_000
    output = Output(room.output)
    kept = output.taken(10_000)
    assert kept.startswith(b"first\n")
    assert kept.endswith(b"last\n")
    assert b"bytes left out" in kept


def test_binary_output_and_closed_streams_hurt_nobody(tmp_path: Path, mark: str) -> None:
    text = """
head -c 200000 /dev/urandom
exec >&- 2>&-
echo '{"epoch": 3, "a": 1}' >> $CBABLATE_REPORT
sleep 0.2
"""
    found = told(script(tmp_path, text), tmp_path / "t")
    assert found.failure is None
    assert found.numbers == [(3, {"a": 1.0})]


def test_a_flood_of_reports_is_stopped(tmp_path: Path, mark: str) -> None:
    text = """
import os
with open(os.environ["CBABLATE_REPORT"], "w") as file:
    while True:
        file.write('{"a": 1}\\n{"a": 2}\\n' * 1000)
"""
    found = told(script(tmp_path, text, "train.py"), tmp_path / "t", epochs=50)
    assert len(found.measurements) == 50
    assert "after 51 epochs, which is more than the budget of 50 epochs" in found.sentence


def test_a_line_without_an_end_is_stopped(tmp_path: Path, mark: str) -> None:
    text = """
import os
with open(os.environ["CBABLATE_REPORT"], "w") as file:
    while True:
        file.write("x" * 1_000_000)
"""
    found = told(script(tmp_path, text, "train.py"), tmp_path / "t")
    assert "line 1: more than 16 MB long" in found.sentence


BRANCHES = """
(setsid sleep 100 &)
echo '{"epoch": 1, "a": 1}' >> $CBABLATE_REPORT
sleep 100
"""


def test_no_process_outlives_a_driver_that_is_killed(tmp_path: Path, mark: str) -> None:
    script(tmp_path, BRANCHES)
    text = f"""
import sys
from pathlib import Path
from cbablate.spec.budget import Budget
from cbablate.spec.program import Program
from cbablate.workloads.commands.run import run
program, workdir = Program(("sh", "train.sh"), {str(tmp_path)!r}), Path(sys.argv[1])
for told in run({{}}, seed=1, budget=Budget(epochs=2), workdir=workdir, program=program):
    print("told", flush=True)
"""
    (tmp_path / "t").mkdir()
    command = [sys.executable, "-c", text, str(tmp_path / "t")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "told\n"
        driver.kill()
    assert soon(lambda: not list(living(mark)))


class Killer(Diary):
    """A feed that kills guards when their trials have measured."""

    mark = ""

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        for pid in living(self.mark):
            if b"guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        return super().measured(trial, measurement)


def test_no_process_outlives_a_guard_that_is_killed(tmp_path: Path, mark: str) -> None:
    diary = Killer(toy_plan(epochs=2, replicates=1).trials)
    diary.mark = mark
    entry = Entry("cbablate.workloads.commands.run:run", program=script(tmp_path, BRANCHES))
    LocalExecutor().execute(diary, entry)
    (ending,) = diary.of(diary.told[0][0], "ended")
    assert ending.how == "raised"
    assert "the process that watches over it was ended from outside" in ending.sentence


@pytest.mark.parametrize("text", ["sleep 100", "trap '' TERM; while true; do sleep 0.1; done"])
def test_a_program_that_hangs_is_ended_by_the_silence_limit(
    tmp_path: Path, mark: str, text: str
) -> None:
    plan = toy_plan(epochs=2, replicates=1)
    diary = Diary(plan.trials)
    entry = Entry(
        "cbablate.workloads.commands.run:run",
        program=script(tmp_path, f"echo waiting for data; {text}"),
    )
    LocalExecutor().execute(diary, entry, limits=Limits(silence=1.0))
    (ending,) = diary.of(plan.trials[0].id, "ended")
    assert ending.failure == "timeout"
    assert ending.sentence == "the trial gave no measurement for 1.0 s, the silence limit"
    assert ending.traceback == "waiting for data"
