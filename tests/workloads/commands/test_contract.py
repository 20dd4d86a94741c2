"""A program as any workload: the contract suite, resuming from a checkpoint among its claims."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from cbablate.spec.budget import Budget
from cbablate.spec.program import Program
from cbablate.testing.workload import WorkloadContract
from cbablate.workloads.checkpoint import FOLDER, ask_for_checkpoints
from cbablate.workloads.commands.run import run
from tests.workloads.commands.programs import described, from_a, script

HERE = Path(__file__).parent
PYTHON = described(
    HERE, *("python", "resuming.py", "--lr={lr}", "--seed", "{seed}", "--epochs", "{budget}")
)
AWK = described(
    HERE,
<<<<<<< HEAD
    *("awk", "-f", "resuming.awk", "-v", "lr={lr}", "-v", "seed={seed}", "-v", "epochs={budget}"),
=======
    *("awk", "-f", "resuming.awk"),
    *["-v", "lr={lr}", "-v", "seed={seed}", "-v", "epochs={budget}"],
>>>>>>> main
)


CONFIG = {"lr": 0.25}


class TestPython(WorkloadContract):
    workload = functools.partial(run, program=PYTHON)
    config = CONFIG
    budget = Budget(epochs=3)


class TestAwk(WorkloadContract):
    workload = functools.partial(run, program=AWK)
    config = CONFIG
    budget = Budget(epochs=3)


@pytest.mark.parametrize("program", [PYTHON, AWK], ids=["python", "awk"])
def test_a_checkpoint_is_left_at_each_measurement_if_asked(
    tmp_path: Path, program: Program
) -> None:
    ask_for_checkpoints(tmp_path, every=0.0)
    stream = run({"lr": 0.25}, seed=1, budget=Budget(epochs=3), workdir=tmp_path, program=program)
    first = next(stream)
    left = tmp_path / FOLDER
    assert (left / "files" / "state").read_text().startswith("1 ")
    assert float((left / "seconds").read_text()) == first.seconds
    stream.close()


def test_seconds_count_on_from_the_checkpoint(tmp_path: Path) -> None:
    program = script(tmp_path, "cat $CBABLATE_CHECKPOINT/x >> $CBABLATE_REPORT")
    workdir = tmp_path / "t"
    (workdir / FOLDER / "files").mkdir(parents=True)
    (workdir / FOLDER / "files" / "x").write_text('{"epoch": 2, "a": 1}')
    (workdir / FOLDER / "seconds").write_text("1000.5")
    stream = run({}, seed=1, budget=Budget(epochs=2), workdir=workdir, program=program)
    assert 1000.5 < next(stream).seconds < 1100


def left_by(tmp_path: Path, text: str, *patterns: str) -> list[str]:
    """What is left of a program's checkpoint when it has told its first measurement."""
    workdir = tmp_path / "t"
    workdir.mkdir()
    ask_for_checkpoints(workdir, every=0.0)
    program = script(tmp_path, text)
    program = from_a(program, stdout=patterns) if patterns else program
    stream = run({}, seed=1, budget=Budget(epochs=9), workdir=workdir, program=program)
    next(stream)
    stream.close()
    return sorted(path.name for path in (workdir / FOLDER / "files").glob("*"))


ONE = 'echo \'{"epoch": 1, "a": 1}\' >> $CBABLATE_REPORT'


def test_a_checkpoint_that_belongs_to_the_measurement_is_taken(tmp_path: Path) -> None:
    text = f"echo x > $CBABLATE_CHECKPOINT/x; mkdir $CBABLATE_CHECKPOINT/d; {ONE}; sleep 60"
    assert left_by(tmp_path, text) == ["d", "x"]


def test_one_that_was_written_after_the_report_is_not_of_it(tmp_path: Path) -> None:
    text = f"{ONE}; sleep 0.02; echo x > $CBABLATE_CHECKPOINT/x; sleep 60"
    assert left_by(tmp_path, text) == []


def test_one_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    text = f"while true; do date +%N > $CBABLATE_CHECKPOINT/x; done & sleep 0.1; {ONE}; sleep 60"
    assert left_by(tmp_path, text) == []


def test_one_among_several_measurements_is_not_known_to_be_of_the_last(tmp_path: Path) -> None:
    workdir = tmp_path / "t"
    workdir.mkdir()
    ask_for_checkpoints(workdir, every=0.0)
    lines = '{"epoch": 1, "a": 1}\\n{"epoch": 2, "a": 1}\\n'
    text = f"echo x > $CBABLATE_CHECKPOINT/x; printf '{lines}' >> $CBABLATE_REPORT; sleep 60"
    program = script(tmp_path, text)
    stream = run({}, seed=1, budget=Budget(epochs=9), workdir=workdir, program=program)
    assert [next(stream).spent, next(stream).spent] == [1, 2]
    stream.close()
    assert not (workdir / FOLDER).exists()


PATTERNS = (r"epoch (?P<epoch>\d+)", r"loss (?P<loss>[\d.]+)")


def test_the_checkpoint_of_what_is_told_when_the_next_begins_is_kept(tmp_path: Path) -> None:
    text = """
for e in 1 2 3; do
    sleep 0.2; rm -f $CBABLATE_CHECKPOINT/*; echo x > $CBABLATE_CHECKPOINT/$e
    echo epoch $e loss 0.$e
done
sleep 60
"""
    assert left_by(tmp_path, text, *PATTERNS) == ["1"]


def test_one_of_before_the_training_of_its_epoch_is_not_taken(tmp_path: Path) -> None:
    text = """
for e in 1 2 3; do
    echo epoch $e; sleep 0.4; echo loss 0.$e
    rm -f $CBABLATE_CHECKPOINT/*; echo x > $CBABLATE_CHECKPOINT/$e
    sleep 0.1
done
sleep 60
"""
    assert left_by(tmp_path, text, *PATTERNS) == []
