"""Both executors keep the one contract, and give the same records."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate.errors import EnvironmentFault
from cbablate.planning.trial import Trial
from cbablate.records.measurement import Measurement
from cbablate.records.place import Place
from cbablate.records.state import Verdict
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.running.executors.port import Executor
from cbablate.running.isolation.limits import Limits
from cbablate.spec.needs import Needs
from cbablate.testing.executor import ExecutorContract
from cbablate.testing.feeds import TOY, Diary, hostile, stream, trials_that
from cbablate.testing.program_executor import ProgramExecutorContract
from cbablate.testing.reporting_executor import ReportingExecutorContract, reporting
from cbablate.workloads.own_code.entry import Entry
from tests.toys import toy_file, toy_plan


class TestLocalExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        with LocalExecutor() as executor:
            yield executor

    def test_without_a_keeper_no_checkpoint_is_asked_for(self, executor: Executor) -> None:
        trial = toy_plan(epochs=1, replicates=1).trials[0]
        diary = Diary((trial,))
        executor.execute(diary, stream("tells_what_is_due"))
        (measurement,) = diary.of(trial.id, "measured")
        assert measurement.metrics == {"due": 0.0}


class TestLocalExecutorOfPrograms(ProgramExecutorContract):
    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        with LocalExecutor() as executor:
            yield executor


class TestLocalExecutorOfReportingFunctions(ReportingExecutorContract):
    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        with LocalExecutor() as executor:
            yield executor

    def test_what_a_function_did_when_it_was_stopped_is_told(self, executor: Executor) -> None:
        diary = Diary(trials_that("raises", "reports for ever", "ends", epochs=9), stop_at=1)
        executor.execute(diary, reporting("goes_on"))
        said = {how: diary.of(how, "ended")[0].sentence for how in ("raises", "reports for ever")}
        assert said["raises"].endswith("closing it raised RuntimeError: not now")
        assert "the function caught TrialStopped and goes on reporting" in said["reports for ever"]
        assert diary.of("ends", "ended")[0].sentence == "enough"


class WorkerKiller(Diary):
    """A feed that kills the worker of the trial "works" when that has measured."""

    pids = Path()

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        if trial.id == "works":
            program = int((self.pids / "train.sh.works.pid").read_text())
            os.kill(_parent(_parent(program)), signal.SIGKILL)
        return super().measured(trial, measurement)


def _parent(pid: int) -> int:
    status = Path(f"/proc/{pid}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])


@pytest.mark.ray
class TestRayExecutorOfReportingFunctions(ReportingExecutorContract):
    @pytest.fixture
    def executor(self, ray_session: None) -> Iterator[Executor]:
        from cbablate.running.executors.ray_executor import RayExecutor

        with RayExecutor(slots=2) as executor:
            yield executor


@pytest.mark.ray
class TestRayExecutorOfPrograms(ProgramExecutorContract):
    @pytest.fixture
    def executor(self, ray_session: None) -> Iterator[Executor]:
        from cbablate.running.executors.ray_executor import RayExecutor

        with RayExecutor(slots=2) as executor:
            yield executor

    def test_no_program_outlives_a_worker_that_is_killed(
        self, executor: Executor, program: Entry, tmp_path: Path
    ) -> None:
        trials = trials_that("works", "works-too", epochs=3)
        diary = WorkerKiller(trials)
        diary.pids = tmp_path
        executor.execute(diary, program)
        assert {trial.id: diary.of(trial.id, "ended")[0].how for trial in trials} == {
            "works": "lost",
            "works-too": "finished",
        }
        self._all_gone(tmp_path, 2)


@pytest.mark.ray
class TestRayExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self, ray_session: None) -> Iterator[Executor]:
        from cbablate.running.executors.ray_executor import RayExecutor

        with RayExecutor(slots=2) as executor:
            yield executor

    def test_a_trial_whose_process_dies_is_lost_and_its_neighbours_are_not(
        self, executor: Executor
    ) -> None:
        plan = toy_plan({"fault": "die"}, epochs=4, replicates=1)
        diary = Diary(plan.trials)
        executor.execute(diary, TOY)
        ends = {t.config["fault"]: diary.of(t.id, "ended")[0].how for t in plan.trials}
        assert ends == {"none": "finished", "die": "lost"}

        (ending,) = diary.of(plan.trials[1].id, "ended")
        assert ending.sentence.startswith("the process of the trial died: ")
        assert "exit" in ending.traceback

    def test_a_worker_that_a_trial_leaves_unfit_is_replaced(self, executor: Executor) -> None:
        trials = trials_that("ends", epochs=1)
        trials = tuple(replace(trials[0], id=f"{number}") for number in range(5))
        diary = Diary(trials)
        executor.execute(diary, hostile("leaves_a_thread"))
        assert diary.endings() == {"finished"}
        workers = {diary.of(trial.id, "measured")[0].metrics["process"] for trial in trials}
        assert len(workers) == len(trials)

    def test_a_trial_that_code_in_c_holds_up_is_ended_with_its_process(
        self, executor: Executor
    ) -> None:
        diary = Diary(trials_that("in C", "ends", epochs=3))
        executor.execute(diary, hostile("hangs"), limits=Limits(silence=1.0))
        (ending,) = diary.of("in C", "ended")
        assert (ending.how, ending.failure) == ("raised", "timeout")
        assert "could not be interrupted" in ending.sentence
        assert diary.of("ends", "ended")[0].how == "finished"

    def test_more_gpus_than_there_are_is_a_sentence(self, ray_session: None) -> None:
        import ray

        from cbablate.running.executors.ray_executor import RayExecutor

        asked = int(ray.cluster_resources().get("GPU", 0)) + 1
        with (
            pytest.raises(EnvironmentFault, match="--gpus-per-trial"),
            RayExecutor(needs=Needs(gpus=asked)),
        ):
            pass


@pytest.mark.ray
def test_ray_and_local_record_the_same_facts(ray_session: None, tmp_path: Path) -> None:
    from cbablate.running.executors.ray_executor import RayExecutor

    plan = toy_plan({"ceiling": 2.0}, {"fault": "nan"}, {"fault": "raise"}, epochs=4, replicates=2)
    told = {}
    for name, executor in {"local": LocalExecutor, "ray": RayExecutor}.items():
        drive(plan, results=tmp_path / name, executor=executor, publish=lambda facts: [])
        with Place(tmp_path / name).reading() as ledger:
            told[name] = {
                (fact.subject, fact.kind, fact.body.get("spent")): (
                    fact.body.get("metrics"),
                    fact.body.get("state"),
                    fact.body.get("reason"),
                )
                for fact in ledger.records(["measured", "ended"])
            }
    assert told["ray"] == told["local"]
    kinds = Counter(kind for _, kind, _ in told["local"])
    assert kinds == {"measured": 2 * (4 + 4 + 2 + 2), "ended": 2 * 4}, "nan and raise end at 2 of 4"


@pytest.mark.slow
def test_local_needs_neither_ray_nor_optuna_nor_mlflow(tmp_path: Path) -> None:
    study = toy_file(tmp_path)
    program = (
        "import sys\n"
        "absent = ('ray', 'optuna', 'mlflow')\n"
        "for name in absent: sys.modules[name] = None\n"
        "from importlib import util; found = util.find_spec\n"
        "util.find_spec = lambda n, p=None: None if n in absent else found(n, p)\n"
        f"sys.argv = ['cbablate', 'run', {str(study)!r}, '--on', 'local', '--results', "
        f"{str(tmp_path / 'r')!r}]\n"
        "from cbablate.cli.main import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "four" in done.stdout
    assert "Not shown yet" not in done.stderr
