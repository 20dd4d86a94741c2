"""The callbacks, each in a real training of its library, as a function that cbablate runs."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cbablate.records.measurement import Measurement
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.spec.budget import Budget
from cbablate.testing.feeds import Diary
from cbablate.testing.toy_plan import toy_plan
from cbablate.testing.workload import WorkloadContract
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.source import code_of
from tests.callbacks import lightning_training

pytestmark = pytest.mark.slow

LIGHTNING = Path(__file__).with_name("lightning_training.py").read_text()
TRANSFORMERS = """\
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
from cbablate.callbacks.transformers_callback import TransformersCallback

def examples(count):
    return [{"input_ids": torch.tensor([i % 7, i % 3]), "labels": i % 2} for i in range(count)]

def train(config, seed, budget, workdir):
    small = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    steps = budget.unit == "steps"
    arguments = TrainingArguments(
        output_dir=str(workdir), seed=seed, use_cpu=True, report_to=[], disable_tqdm=True,
        save_strategy="no", per_device_train_batch_size=16, **{
            "max_steps" if steps else "num_train_epochs": budget.amount,
            "eval_strategy": "steps" if steps else "epoch", "eval_steps": 2,
            "logging_strategy": "steps" if steps else "epoch", "logging_steps": 1,
        }
    )
    trainer = Trainer(
        BertForSequenceClassification(BertConfig(vocab_size=7, **small)), arguments,
        train_dataset=examples(64), eval_dataset=examples(16), callbacks=[TransformersCallback()],
    )
    trainer.train()
    trainer.evaluate()
    trainer.evaluate(examples(16), metric_key_prefix="test")
"""
TIMM = """\
from timm import utils
from cbablate.callbacks.timm_summary import update_summary
utils.update_summary = update_summary

def train(config, budget):
    for epoch in range(budget.amount):
        utils.update_summary(
            epoch, {"loss": 1.0 / (epoch + 1)}, {"top1": 10.0 * epoch},
            filename=config["file"], lr=0.1, write_header=epoch == 0,
        )
"""


def told(
    text: str, folder: Path, budget: Budget, *, stop_at: int = 10**9, **config: Any
) -> list[Measurement]:
    """What one trial measures; it ends as it should."""
    (folder / "wl.py").write_text(text)
    trial = replace(toy_plan(replicates=1).trials[0], budget=budget, config=config)
    diary = Diary((trial,), stop_at=stop_at)
    with LocalExecutor() as executor:
        executor.execute(diary, Entry("wl:train", code_of("wl", folder)))
    (ending,) = diary.of(trial.id, "ended")
    stopped = stop_at < budget.amount
    assert (ending.how, ending.sentence) == (
        ("stopped", "enough") if stopped else ("finished", "")
    ), ending.traceback
    return diary.of(trial.id, "measured")


@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
class TestLightning:
    def test_each_epoch_reports_what_was_logged_and_a_test_is_added(
        self, name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        measured = told(LIGHTNING.replace("lightning.pytorch", name), tmp_path, Budget(epochs=3))
        assert "fitted" in capfd.readouterr().err
        assert [each.spent for each in measured] == [1, 2, 3]
        for each in measured:
            assert {"train/loss", "val/loss"} <= set(each.metrics)
        assert [("test/loss" in each.metrics) for each in measured] == [False, False, True]
        last = measured[-1].metrics
        assert last["test/loss"] == last["val/loss"]

    def test_a_budget_of_steps_is_reported_at_each_validation(
        self, name: str, tmp_path: Path
    ) -> None:
        measured = told(LIGHTNING.replace("lightning.pytorch", name), tmp_path, Budget(steps=6))
        assert [each.spent for each in measured] == [2, 4, 6]

    def test_a_pruned_training_ends_where_it_is(
        self, name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        measured = told(
            LIGHTNING.replace("lightning.pytorch", name), tmp_path, Budget(epochs=9), stop_at=2
        )
        assert [each.spent for each in measured] == [1, 2]
        assert "fitted" not in capfd.readouterr().err


def test_what_a_lightning_module_logs_at_the_end_of_an_epoch_is_of_that_epoch(
    tmp_path: Path,
) -> None:
    measured = told(LIGHTNING, tmp_path, Budget(epochs=3))
    assert [(each.spent, each.metrics["late"]) for each in measured] == [(1, 0), (2, 1), (3, 2)]


def test_what_lightning_keeps_of_an_earlier_validation_is_not_reported_again(
    tmp_path: Path,
) -> None:
    measured = told(LIGHTNING, tmp_path, Budget(epochs=3), check_val_every_n_epoch=2)
    assert [("val/loss" in each.metrics) for each in measured] == [False, True, False]
    assert all("train/loss" in each.metrics for each in measured)


def test_the_mean_of_an_epoch_is_reported_with_the_step_that_ends_it(tmp_path: Path) -> None:
    measured = told(LIGHTNING, tmp_path, Budget(steps=12))
    assert [each.spent for each in measured] == [2, 4, 6, 8, 10, 12]
    assert [("train/loss" in each.metrics) for each in measured] == [False, True] * 3
    assert all("val/loss" in each.metrics for each in measured)


class _OfLightning(WorkloadContract):
    workload = staticmethod(lightning_training.train)
    budget = Budget(epochs=4)

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config


@pytest.mark.parametrize("schedule", ["by step", "by hand", "plateau"])
def test_lightning_goes_on_from_a_checkpoint_as_if_nothing_had_happened(
    schedule: str, tmp_path: Path
) -> None:
    contract = _OfLightning({"schedule": schedule})
    contract.test_a_trial_taken_up_from_a_checkpoint_ends_in_the_same_numbers(tmp_path)
    assert len(list(tmp_path.rglob("checkpoint/lightning.ckpt"))) >= 3


def test_a_training_that_reloads_its_data_leaves_no_checkpoint(tmp_path: Path) -> None:
    contract = _OfLightning({"reload_dataloaders_every_n_epochs": 1})
    contract.test_a_trial_taken_up_from_a_checkpoint_ends_in_the_same_numbers(tmp_path)
    assert not list(tmp_path.rglob("checkpoint/lightning.ckpt"))


class TestTransformers:
    def test_each_evaluation_reports_what_was_logged_and_a_test_is_added(
        self, tmp_path: Path
    ) -> None:
        measured = told(TRANSFORMERS, tmp_path, Budget(epochs=3))
        assert [each.spent for each in measured] == [1, 2, 3]
        for each in measured:
            assert {"loss", "grad_norm", "eval_loss", "eval_runtime"} <= set(each.metrics)
            assert "epoch" not in each.metrics
        assert "test_loss" not in measured[1].metrics
        last = measured[-1].metrics
        assert last["test_loss"] == last["eval_loss"]
        assert "train_runtime" in last

    def test_a_budget_of_steps_is_counted_in_steps(self, tmp_path: Path) -> None:
        measured = told(TRANSFORMERS, tmp_path, Budget(steps=6))
        assert [each.spent for each in measured] == [2, 4, 6]

    def test_a_pruned_training_ends_where_it_is(self, tmp_path: Path) -> None:
        measured = told(TRANSFORMERS, tmp_path, Budget(epochs=9), stop_at=2)
        assert [each.spent for each in measured] == [1, 2]

    @pytest.mark.parametrize("steps", [1, 2, 4, 6])
    def test_only_evaluations_at_the_end_of_an_epoch_are_reported_if_epochs_are_counted(
        self, tmp_path: Path, steps: int
    ) -> None:
        text = TRANSFORMERS.replace('"steps" if steps else "epoch"', '"steps"').replace(
            '"eval_steps": 2', f'"eval_steps": {steps}, "eval_on_start": True'
        )
        text = text.replace("    trainer.evaluate()\n", "").replace(
            'logging_steps": 1', 'logging_steps": 3'
        )
        measured = told(text, tmp_path, Budget(epochs=3))
        evaluated = [each.spent for each in measured if "eval_loss" in each.metrics]
        assert evaluated == ([3] if steps == 6 else [1, 2, 3])
        assert "test_loss" in measured[-1].metrics

    def test_evaluations_on_several_data_sets_are_one_measurement(self, tmp_path: Path) -> None:
        text = TRANSFORMERS.replace(
            "eval_dataset=examples(16)", "eval_dataset={'a': examples(16), 'b': examples(8)}"
        )
        measured = told(text, tmp_path, Budget(epochs=3))
        assert [each.spent for each in measured] == [1, 2, 3]
        for each in measured:
            assert {"loss", "eval_a_loss", "eval_b_loss"} <= set(each.metrics)


def test_timms_summary_is_written_and_reported(tmp_path: Path) -> None:
    file = tmp_path / "summary.csv"
    measured = told(TIMM, tmp_path, Budget(epochs=2), file=str(file))
    assert [each.spent for each in measured] == [1, 2]
    assert measured[1].metrics == {"train_loss": 0.5, "eval_top1": 10.0}
    with file.open() as rows:
        assert [row["eval_top1"] for row in csv.DictReader(rows)] == ["0.0", "10.0"]
