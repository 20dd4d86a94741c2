"""A stranger's executor keeps the contract, and is reached by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate import api
from cbablate.errors import CbablateError, EnvironmentFault, UsageError
from cbablate.planning.trial import Trial
from cbablate.records.place import Place
from cbablate.running.drive import drive
from cbablate.running.executors.catalog import EXECUTORS
from cbablate.running.executors.port import Executor
from cbablate.spec.needs import Needs
from cbablate.testing.executor import ExecutorContract
from cbablate.testing.feeds import TOY, Diary
from tests.running.toy_executor import ForkingExecutor
from tests.toys import toy_plan

OURS = "tests.running.toy_executor:ForkingExecutor"


class TestForkingExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        with ForkingExecutor() as executor:
            yield executor

    def test_a_trial_whose_process_dies_is_lost_and_the_next_is_not(
        self, executor: Executor
    ) -> None:
        plan = toy_plan({"fault": "die"}, epochs=4, replicates=2)
        diary = Diary(plan.trials)
        executor.execute(diary, TOY)
        ends = [diary.of(trial.id, "ended")[0].how for trial in plan.trials]
        assert ends == ["finished", "lost"] * 2


def test_a_study_runs_on_an_executor_of_ones_own(tmp_path: Path) -> None:
    plan, told = toy_plan({"ceiling": 2.0}, epochs=3), {}
    for name in ("local", OURS):
        resources = api.Resources(on=name)
        done = api.run(plan, results=tmp_path / name[:5], resources=resources, mirrored=False)
        assert done.exit_code == 0
        with Place(tmp_path / name[:5]).reading() as ledger:
            facts = ledger.records(["measured", "ended"])
            told[name] = [
                (fact.kind, fact.subject, fact.body.get("metrics"), fact.body.get("state"))
                for fact in facts
            ]
            assert {f.body["executor"] for f in ledger.records(["started"])} == {
                name if name in EXECUTORS else "forking"
            }
    assert told["local"] == told[OURS]


def test_what_a_workload_says_of_a_trials_needs_is_recorded_with_its_start(tmp_path: Path) -> None:
    plan = toy_plan(replicates=1)
    (trial,) = plan.trials
    plan = replace(plan, trials=(replace(trial, needs=Needs(gpus=0.25)),))
    drive(plan, results=tmp_path, executor=ForkingExecutor, publish=lambda facts: [])
    with Place(tmp_path).reading() as ledger:
        (started,) = ledger.records(["started"])
    assert started.body["gpus"] == 0.25


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (
            "slurm",
            "'ray' or 'local', not on 'slurm'; an executor of your own is named as module:Class",
        ),
        ("", "not on ''"),
        ("no_such_module:Executor", "cannot be made: ModuleNotFoundError"),
        ("tests.running.toy_executor:None_", "cannot be made: AttributeError"),
        ("collections:OrderedDict", "is not an executor: it has no 'execute'"),
    ],
)
def test_a_word_that_names_no_executor_is_a_sentence(where: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        api.Resources(on=where).executor()
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("raise SystemExit(0)", UsageError, "cannot be made: SystemExit"),
        ("raise OSError(28, 'No space left on device')", EnvironmentFault, "No space left"),
        (
            "class X:\n"
            "    name, slots, execute, call, needs_of = 'x', 1, 1, 1, 1\n"
            "    def __init__(self, **_): pass\n",
            UsageError,
            "it has no '__enter__'",
        ),
    ],
)
def test_a_stranger_s_module_that_ends_or_lacks_something_trains_nothing_and_says_so(
    text: str,
    error: type[CbablateError],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"strange_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(error, match=sentence):
        api.Resources(on=f"{name}:X").executor()


def test_needs_that_no_machine_holds_end_a_study_before_its_first_trial(tmp_path: Path) -> None:
    class Small(ForkingExecutor):
        def needs_of(self, trial: Trial) -> Needs:
            if trial.needs is not None:
                raise EnvironmentFault("no node holds that")
            return super().needs_of(trial)

    plan = toy_plan({"ceiling": 2.0}, replicates=1)
    first, second = plan.trials
    plan = replace(plan, trials=(first, replace(second, needs=Needs(cpus=64))))
    with pytest.raises(EnvironmentFault, match="no node holds that"):
        drive(plan, results=tmp_path, executor=Small, publish=lambda facts: [])
    with Place(tmp_path).reading() as ledger:
        assert not ledger.records(["started"])
