"""Numbers that programs leave with the real libraries: TensorBoard, MLflow, Weights & Biases."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.workloads.commands.readers.wandb_run import records
from tests.workloads.commands.programs import from_a, script, told

EPOCHS = [(e, {"val/acc": 0.25 * e, "loss": 1.0 / e}) for e in (1, 2, 4)]


def test_scalars_of_tensorboard_are_measurements(tmp_path: Path) -> None:
    text = """
import os
from tensorboardX import SummaryWriter
with SummaryWriter(os.environ["CBABLATE_WORKDIR"] + "/runs/x") as writer:
    for epoch in (1, 2, 4):
        writer.add_scalar("val/acc", 0.25 * epoch, epoch)
        writer.add_text("note", "x", epoch)
        writer.add_scalar("loss", 1.0 / epoch, epoch)
"""
    program = from_a(script(tmp_path, text, "train.py"), tensorboard="runs")
    assert told(program, tmp_path / "t", epochs=4).numbers == EPOCHS


def test_a_folder_of_a_split_goes_before_its_tags(tmp_path: Path) -> None:
    text = """
import os
from tensorboardX import SummaryWriter
folder = os.environ["CBABLATE_WORKDIR"] + "/runs/"
writers = [(SummaryWriter(folder + part), start) for part, start in (("train", 0.0), ("test", 0.5))]
for epoch in range(2):
    for writer, start in writers:
        writer.add_scalar("acc", start + epoch / 4, epoch)
for writer, _ in writers:
    writer.close()
"""
    program = from_a(script(tmp_path, text, "train.py"), tensorboard="runs", counts_from=0)
    assert told(program, tmp_path / "t", epochs=2).numbers == [
        (1, {"train/acc": 0.0, "test/acc": 0.5}),
        (2, {"train/acc": 0.25, "test/acc": 0.75}),
    ]


def test_one_tag_in_two_folders_is_a_sentence(tmp_path: Path) -> None:
    text = """
import os
from tensorboardX import SummaryWriter
for folder, value in (("a", 1.0), ("b", 2.0)):
    with SummaryWriter(os.environ["CBABLATE_WORKDIR"] + "/runs/" + folder) as writer:
        writer.add_scalar("loss", value, 1)
"""
    found = told(from_a(script(tmp_path, text, "train.py"), tensorboard="runs"), tmp_path / "t")
    assert "step 1: loss is in the event files of two folders, a and b" in found.sentence


@pytest.mark.parametrize(
    "pair",
    [
        'writer.add_scalars("x/loss", {"a": epoch / 2, "b": epoch / 4}, epoch)',
        """for one, value in zip(pair, (epoch / 2, epoch / 4)):
        one.add_scalar("x/loss", value, epoch)
        one.flush()""",
    ],
)
def test_scalars_of_one_tag_are_called_by_their_keys(tmp_path: Path, pair: str) -> None:
    text = f"""
import os
from tensorboardX import SummaryWriter
folder = os.environ["CBABLATE_WORKDIR"] + "/runs"
writer = SummaryWriter(folder)
if {"zip" in pair}:  # as torch does
    pair = [SummaryWriter(folder + "/x_loss_" + name) for name in "ab"]
for epoch in (1, 2):
    {pair}
    writer.add_scalar("acc", 0.5, epoch)
writer.close()
"""
    found = told(
        from_a(script(tmp_path, text, "train.py"), tensorboard="runs"), tmp_path / "t", epochs=2
    )
    assert found.numbers == [
        (1, {"x/loss/a": 0.5, "x/loss/b": 0.25, "acc": 0.5}),
        (2, {"x/loss/a": 1.0, "x/loss/b": 0.5, "acc": 0.5}),
    ]


@pytest.mark.parametrize("step", [0, 1])
def test_a_scalar_without_a_step_belongs_to_the_last_and_no_other_goes_back(
    tmp_path: Path, step: int
) -> None:
    text = f"""
import os
from tensorboardX import SummaryWriter
with SummaryWriter(os.environ["CBABLATE_WORKDIR"]) as writer:
    for epoch in (1, 2):
        writer.add_scalar("acc", epoch / 4, epoch)
    writer.add_scalar("test", 0.75, {step})
"""
    found = told(
        from_a(script(tmp_path, text, "train.py"), tensorboard="."), tmp_path / "t", epochs=2
    )
    if step:
        assert "step 1 of test comes after step 2" in found.sentence
    else:
        assert found.numbers == [(1, {"acc": 0.25}), (2, {"acc": 0.5, "test": 0.75})]


def test_a_scalar_may_count_what_is_spent(tmp_path: Path) -> None:
    text = """
import os
from tensorboardX import SummaryWriter
with SummaryWriter(os.environ["CBABLATE_WORKDIR"]) as writer:
    for epoch in (1, 2):
        writer.add_scalar("train", epoch / 8, 100 * epoch - 50)
        writer.add_scalar("acc", 0.25 * epoch, 100 * epoch)
        writer.add_scalar("epoch", epoch, 100 * epoch)
"""
    program = from_a(script(tmp_path, text, "train.py"), tensorboard=".", spent="epoch")
    assert told(program, tmp_path / "t", epochs=2).numbers == [
        (1, {"train": 0.125, "acc": 0.25}),
        (2, {"train": 0.25, "acc": 0.5}),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["mlruns", "mlflow.db"])
def test_a_local_run_of_mlflow_is_read(tmp_path: Path, place: str) -> None:
    text = """
import mlflow
with mlflow.start_run():
    for epoch in (1, 2, 4):
        mlflow.log_metrics({"val/acc": 0.25 * epoch, "loss": 1.0 / epoch}, step=epoch)
"""
    program = from_a(script(tmp_path, text, "train.py"), mlflow=place)
    found = told(program, tmp_path / "t", epochs=4)
    assert found.failure is None, found.failure.trace
    assert found.numbers == EPOCHS


FILE = """
mkdir -p $CBABLATE_WORKDIR/mlruns/0/a/metrics; cd $CBABLATE_WORKDIR/mlruns/0/a/metrics
log() { echo "$1 $3 $4" >> $2; }
"""


@pytest.mark.parametrize("begin", [0, 1])
def test_a_metric_of_mlflow_without_a_step_belongs_to_the_last(tmp_path: Path, begin: int) -> None:
    text = f"{FILE} log 7 loss 0.5 {begin}; log 8 loss 0.4 {begin + 1}; log 8 test 0.9 0"
    program = from_a(script(tmp_path, text), mlflow="mlruns", counts_from=begin)
    found = told(program, tmp_path / "t", epochs=2)
    assert found.numbers == [(1, {"loss": 0.5}), (2, {"loss": 0.4, "test": 0.9})]


def test_metrics_of_mlflow_without_any_step_are_counted(tmp_path: Path) -> None:
    text = f"{FILE} log 7 loss 0.5 0; log 8 loss 0.4 0; log 9 loss 0.3 0; log 10 test 0.9 0"
    found = told(from_a(script(tmp_path, text), mlflow="mlruns"), tmp_path / "t")
    assert found.numbers == [
        (1, {"loss": 0.5}),
        (2, {"loss": 0.4}),
        (3, {"loss": 0.3, "test": 0.9}),
    ]


def test_epochs_of_mlflow_that_begin_with_0_must_be_called_so(tmp_path: Path) -> None:
    text = f"{FILE} log 7 loss 0.5 0; log 8 loss 0.4 1; log 9 loss 0.3 2"
    found = told(from_a(script(tmp_path, text), mlflow="mlruns"), tmp_path / "t")
    assert not found.numbers or "counts_from: 0" in found.sentence


def test_metrics_of_two_runs_are_a_sentence(tmp_path: Path) -> None:
    text = """
cd $CBABLATE_WORKDIR
for run in a b; do
    mkdir -p mlruns/0/$run/metrics/val
    echo "1 0.5 1" > mlruns/0/$run/metrics/val/acc
done
"""
    found = told(from_a(script(tmp_path, text), mlflow="mlruns"), tmp_path / "t")
    assert "step 1 of val/acc: two runs have metrics, a and b" in found.sentence


def test_a_database_that_is_locked_is_read_later(tmp_path: Path) -> None:
    text = """
import os, sqlite3, time
database = sqlite3.connect(os.environ["CBABLATE_WORKDIR"] + "/m.db", isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
time.sleep(0.3)
database.execute("CREATE TABLE metrics (run_uuid, key, value, is_nan, step)")
database.execute("INSERT INTO metrics VALUES ('a', 'acc', 0, 1, 3)")
database.execute("COMMIT")
"""
    found = told(from_a(script(tmp_path, text, "train.py"), mlflow="m.db"), tmp_path / "t")
    assert [str(each.metrics) for each in found.measurements] == ["{'acc': nan}"]
    assert sqlite3.connect(tmp_path / "t" / "m.db").execute("SELECT 1 FROM metrics").fetchall()


@pytest.mark.slow
def test_an_offline_run_of_wandb_is_read(tmp_path: Path) -> None:
    text = """
import wandb
with wandb.init(project="p") as run:
    for epoch in (1, 2, 4):
        run.log({"epoch": epoch, "val/acc": 0.25 * epoch}, commit=False)
        run.log({"loss": 1.0 / epoch, "note": "x" * 40_000})
"""
    program = from_a(script(tmp_path, text, "train.py"), wandb=".")
    found = told(program, tmp_path / "t", epochs=4)
    assert found.failure is None, found.failure.trace
    assert found.numbers == EPOCHS


@given(st.lists(st.binary(max_size=70_000), max_size=6), st.data())
def test_records_of_a_log_are_read_however_it_grows(said: list[bytes], data: st.DataObject) -> None:
    log = _log(said)
    found, at = [], 0
    for end in [*sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=4))), len(log)]:
        for place, record in records(log[at:end], at):
            found.append(record)
            last = place
        at = last if found else 0
    assert found == said


def _log(said: list[bytes]) -> bytes:
    """Records as LevelDB writes them."""
    log = bytearray(b":W&B\xe1\xbe\x00")
    for record in said:
        first = True
        while True:
            room = 32_768 - len(log) % 32_768
            if room < 7:
                log += b"\0" * room
                continue
            piece, record = record[: room - 7], record[room - 7 :]
            kind = (1 if not record else 2) if first else (4 if not record else 3)
            log += struct.pack("<IHB", 0, len(piece), kind) + piece
            first = False
            if not record:
                break
    return bytes(log)
