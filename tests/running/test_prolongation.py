"""A budget that is raised: the longer training goes on from the end of the shorter one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan, plan
from cbablate.records.book import Book
from cbablate.records.history import History
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.reporting.forms.form import render
from cbablate.reporting.tables.arms import ablation_table
from cbablate.running import checkpoints
from cbablate.running.checkpoints import checkpoint_bytes
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.spec.budget import Budget
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe
from tests.workloads.images import TINY

pytestmark = pytest.mark.slow

CLOCKS = {"seconds", "images_per_second"}


def asked(epochs: int, schedule: str = "constant") -> Plan:
    study = Study(
        name="longer",
        question="Does it go on?",
        workload="image_classification",
        baseline={
            **TINY,
            "schedule": {"name": schedule, "warmup_epochs": 0.5},
            "augment": {"shift": 1, "mixup": 0.8},
            "probes": ["alignment"],
        },
        budget=Budget(epochs=epochs),
        replicates=1,
        objective=Objective(metric="val/top1", direction="maximize"),
        report=("test/top1", "attention/entropy"),
    )
    return plan(study, describe(study.workload, Path()))


def driven(study: Plan, results: Path, **more: Any) -> list[Record]:
    drive(study, results=results, executor=LocalExecutor, publish=lambda facts: [], **more)
    with Place(results).reading() as ledger:
        return ledger.records()


def of(study: Plan, facts: list[Record]) -> History:
    return Book.of(facts).histories[study.trials[0].id]


def curve(history: History) -> list[Any]:
    return [
        (
            each.spent,
            {name: value for name, value in each.metrics.items() if name not in CLOCKS},
            each.vectors,
            each.sketches,
        )
        for each in history.measurements
    ]


def started(study: Plan, facts: list[Record]) -> list[Any]:
    subject = study.trials[0].id
    return [f.body.get("from") for f in facts if f.kind == "started" and f.subject == subject]


@pytest.mark.slow
def test_a_longer_training_goes_on_from_the_shorter_and_equals_one_that_never_stopped(
    tmp_path: Path,
) -> None:
    longer, shorter = asked(4), asked(2)
    undisturbed = driven(longer, tmp_path / "undisturbed")
    first = driven(shorter, tmp_path / "r")
    told = driven(longer, tmp_path / "r")
    assert started(longer, told) == [2]
    history = of(longer, told)
    assert curve(history) == curve(of(longer, undisturbed))
    assert curve(of(shorter, told)) == curve(of(shorter, first)), "the shorter is what it was"
    assert len(history.sessions) == 2
    tables = [
        render(ablation_table(longer, summarize(longer, facts)), "markdown")
        for facts in (told, undisturbed)
    ]
    assert tables[0] == tables[1]
    assert checkpoint_bytes(Place(tmp_path / "r").checkpoints)[0] == 2, "the ends of both"


@pytest.mark.slow
def test_where_the_rate_knows_the_end_a_longer_training_starts_anew(tmp_path: Path) -> None:
    driven(asked(1, "cosine"), tmp_path)
    told = driven(asked(2, "cosine"), tmp_path)
    assert started(asked(2, "cosine"), told) == [None]
    assert checkpoint_bytes(Place(tmp_path).checkpoints) == (0, 0)


@pytest.mark.slow
def test_the_ends_of_trials_are_kept_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven(asked(1), tmp_path)
    assert checkpoint_bytes(Place(tmp_path).checkpoints)[0] == 1
    monkeypatch.setattr(checkpoints, "_MOST_BYTES", 10)
    assert started(asked(2), driven(asked(2), tmp_path)) == [None]


@pytest.mark.slow
def test_a_longer_training_does_not_have_the_end_of_one_that_measured_once(tmp_path: Path) -> None:
    longer = asked(2)
    driven(asked(1), tmp_path)
    facts = driven(longer, tmp_path)
    assert started(longer, facts) == [1]
    (only,) = of(longer, facts).measurements
    assert only.spent == 2
