"""`cbablate.report` in functions and scripts, and the decorator that declares a function."""

from __future__ import annotations

import ast
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cbablate
from cbablate import api
from cbablate.errors import StudyError, TrialFailure
from cbablate.spec.budget import Budget
from cbablate.testing.workload import WorkloadContract
from cbablate.workloads.checkpoint import Checkpoint
from cbablate.workloads.own_code.current_trial import CurrentTrial
from cbablate.workloads.own_code.decorator import declared_in
from cbablate.workloads.own_code.fiber import underway
from cbablate.workloads.own_code.reported_stream import stream_of
from tests.workloads.own_code import losses, project, ran, version

REPORTS = """\
import random
import cbablate

def train(config):
    for epoch in range(2):
        cbablate.report({"val/loss": config["lr"]})
"""


def _reports(config: Mapping[str, Any], seed: int, budget: Budget) -> dict[str, float]:
    """Goes on from its checkpoint, and tests in the end."""
    trial = cbablate.current_trial()
    assert trial is not None
    checkpoint = trial.checkpoint
    reached, total = 0, 0.0
    if checkpoint.found is not None:
        reached, total = json.loads((checkpoint.found / "state").read_text())
    for spent in range(reached + 1, budget.amount + 1):
        total += math.sin(seed * spent)
        if checkpoint.due:
            with checkpoint.written() as folder:
                (folder / "state").write_text(json.dumps([spent, total]))
        with torch.no_grad(), np.errstate(all="ignore"):
            cbablate.report({"val/score": torch.tensor(total)}, spent=spent)
            assert not torch.is_grad_enabled()
    return {"test/score": total}


class TestAFunctionThatReports(WorkloadContract):
    workload = staticmethod(_reports)
    config: Mapping[str, Any] = {}
    budget = Budget(epochs=4)


class TestAFunctionThatOnlyReturns(WorkloadContract):
    workload = staticmethod(lambda config, seed: {"val/score": float(seed)})
    config: Mapping[str, Any] = {}


@pytest.mark.parametrize(
    "text",
    [
        REPORTS,
        "def train(cfg, budget):\n    return {'val/loss': cfg['lr']}\n",
        "import cbablate\n\ndef measured(*args):\n    cbablate.report(*args)\n\n"
        "def train(config, **others):\n    measured({'val/loss': 9})\n"
        "    return {'val/loss': config['lr']}\n",
        "def train(config, *, seed):\n    return iter_of(config)\n\ndef iter_of(config):\n"
        "    from cbablate.records.measurement import Measurement\n"
        "    yield Measurement(2, {'val/loss': config['lr']})\n",
        "import cbablate\n\n@cbablate.workload(version=3)\ndef train(config):\n"
        "    return {'val/loss': config['lr']}\n",
    ],
)
def test_a_function_of_any_shape_is_a_workload(text: str, tmp_path: Path) -> None:
    assert losses(project(tmp_path, {"wl.py": text}), tmp_path / "r") == [0.1, 0.3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def train(config, lr):\n    return {}\n", "takes (config, lr), and is called with"),
        ("def train():\n    return {}\n", "no place for a trial's config"),
        ("def train(seed, budget):\n    return {}\n", "no place for a trial's config"),
        ("def train(config):\n    print(len(config))\n", "'train' measures nothing: let it"),
        ("def train(config):\n    return 0.5\n", "'train' measures nothing: let it"),
        ("async def train(config):\n    return {}\n", "is an async function"),
        (
            "from cbablate import workload\n@workload(version=1)\ndef train(config, lr):\n"
            "    return {}\n",
            "takes (config, lr), and is called with",
        ),
    ],
)
def test_what_can_be_no_workload_is_refused_before_anything_trains(
    text: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(StudyError) as refused:
        api.load_study(project(tmp_path, {"wl.py": text}))
    assert sentence in str(refused.value)


def test_a_function_that_ends_before_its_budget_fails_its_trials(tmp_path: Path) -> None:
    text = REPORTS.replace("range(2)", "range(1)")
    done = ran(project(tmp_path, {"wl.py": text}), tmp_path / "r")
    assert len(done.failures) == 3, "then no further one is started"
    assert {one.reason for one in done.failures.values()} == {
        "the workload ended after 1 of 2 epochs"
    }


GOES_ON = """
import cbablate

def train(config):
    checkpoint = cbablate.current_trial().checkpoint
    reached = int((checkpoint.found / "epoch").read_text()) if checkpoint.found else 0
    for epoch in range(reached + 1, 5):
        {before}
        cbablate.report({{"val/loss": 1 / epoch}}{spent})
        {after}
    return {{"test/loss": 1.0}}
"""
KEEPS = """with checkpoint.written() as folder:
            (folder / "epoch").write_text(str(epoch))"""


def _stream(text: str, workdir: Path) -> list[tuple[int, float]]:
    names: dict[str, Any] = {}
    exec(text, names)  # noqa: S102 - our own words
    workdir.mkdir(exist_ok=True)
    trial = CurrentTrial({}, 1, Budget(epochs=4), workdir, Checkpoint(workdir))
    with underway(trial):
        return [(each.spent, each.metrics["val/loss"]) for each in stream_of(names["train"], trial)]


@pytest.mark.parametrize("spent", ["", ", spent=epoch"])
def test_a_function_that_goes_on_says_what_is_spent(tmp_path: Path, spent: str) -> None:
    checkpoint = Checkpoint(tmp_path)
    with checkpoint.written() as folder:
        (folder / "epoch").write_text("2")
    text = GOES_ON.format(before="pass", after="pass", spent=spent)
    if spent:
        assert _stream(text, tmp_path) == [(3, 1 / 3), (4, 1 / 4)]
    else:
        with pytest.raises(TrialFailure, match="was given the checkpoint of an earlier attempt"):
            _stream(text, tmp_path)


def test_a_function_that_keeps_a_checkpoint_is_told_so_before_it_is_cut_short(
    tmp_path: Path,
) -> None:
    text = GOES_ON.format(before=KEEPS, after="pass", spent="")
    with pytest.raises(TrialFailure, match="which left one, called"):
        _stream(text, tmp_path / "a")
    text = GOES_ON.format(before=KEEPS, after="pass", spent=", spent=epoch")
    assert len(_stream(text, tmp_path / "b")) == 4


SWALLOWS = """\
import contextlib, cbablate

def train(config, budget):
    for epoch in range(3):
        with contextlib.suppress(Exception):
            cbablate.report({"val/loss": None if epoch == 0 else config["lr"]})
    return {"test/loss": 1.0}

if __name__ == "__main__":
    train(cbablate.current_trial().config, None)
"""


@pytest.mark.parametrize("how", ["wl:train", "{command: [python, wl.py]}"])
def test_a_report_that_is_refused_fails_its_trial_though_the_error_is_caught(
    how: str, tmp_path: Path
) -> None:
    study = project(tmp_path, {"wl.py": SWALLOWS}, workload=how)
    done = ran(study, tmp_path / "r")
    assert done.failures
    for one in done.failures.values():
        assert one.reason == "metric 'val/loss' is 'None' (NoneType), not a number"


class TestInAScript:
    def test_a_script_that_runs_by_itself_reports_to_nobody(self, tmp_path: Path) -> None:
        program = "import cbablate; cbablate.report({'a': 1}); print(cbablate.current_trial())"
        assert self._told(program, tmp_path) == "None\n"
        assert not list(tmp_path.iterdir())

    def test_within_a_command_each_report_is_a_line(self, tmp_path: Path) -> None:
        program = (
            "import cbablate, numpy as np, torch\n"
            "cbablate.report({'a': np.float32(0.5), 'b': torch.tensor(2)}, spent=np.int64(3))\n"
            "cbablate.report({'a': float('nan')}, vectors={'v': np.ones(2)}, notes={'n': 'x'})\n"
        )
        self._told(program, tmp_path, CBABLATE_REPORT=str(tmp_path / "lines"))
        first, second = map(json.loads, (tmp_path / "lines").read_text().splitlines())
        assert first == {"spent": 3, "metrics": {"a": 0.5, "b": 2.0}}
        assert math.isnan(second["metrics"]["a"])
        assert (second["vectors"], second["notes"]) == ({"v": [1.0, 1.0]}, {"n": "x"})
        assert "spent" not in second

    def test_lines_of_several_processes_do_not_mix(self, tmp_path: Path) -> None:
        program = (
            "import cbablate, os\nos.fork(); os.fork()\n"
            "for i in range(200): cbablate.report({'x' * 500: i}, spent=i + 1)\n"
            "import contextlib\nwith contextlib.suppress(OSError):\n"
            "    while True: os.wait()\n"
        )
        self._told(program, tmp_path, CBABLATE_REPORT=str(tmp_path / "lines"))
        lines = (tmp_path / "lines").read_text().splitlines()
        assert len(lines) == 800
        assert {json.loads(line)["spent"] for line in lines} == set(range(1, 201))

    def test_a_command_knows_its_trial(self, tmp_path: Path) -> None:
        program = (
            "import cbablate; t = cbablate.current_trial()\n"
            "print(t.config, t.seed, t.budget, t.workdir, t.checkpoint.found, t.checkpoint.due)"
        )
        variables = {
            "CBABLATE_CONFIG": '{"lr": 0.1}',
            "CBABLATE_SEED": "7",
            "CBABLATE_UNIT": "steps",
            "CBABLATE_BUDGET": "30",
            "CBABLATE_WORKDIR": str(tmp_path),
            "CBABLATE_CHECKPOINT": str(tmp_path / "checkpoint"),
            "CBABLATE_CHECKPOINT_EVERY": "0.0",
        }
        (tmp_path / "checkpoint").mkdir()
        (tmp_path / "checkpoint" / "state").touch()
        assert self._told(program, tmp_path, **variables) == (
            f"{{'lr': 0.1}} 7 30 steps {tmp_path} {tmp_path / 'checkpoint'} True\n"
        )

    @pytest.mark.parametrize("value", ["good", None, [1, 2], True])
    def test_what_is_no_number_is_refused_where_it_is_reported(
        self, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CBABLATE_REPORT", str(tmp_path / "lines"))
        with pytest.raises(TrialFailure, match=r"metric 'a' is .*, not a number"):
            cbablate.report({"a": value})
        (line,) = (tmp_path / "lines").read_text().splitlines()
        assert json.loads(line)["refused"].startswith("metric 'a' is ")

    def _told(self, program: str, folder: Path, **variables: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **variables},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout


DECLARED = """\
{imports}

@{decorator}
def train(config):
    return {{}}
"""


class TestTheDecorator:
    @pytest.mark.parametrize(
        ("imports", "name"),
        [
            ("import cbablate", "cbablate.workload"),
            ("import cbablate as cb", "cb.workload"),
            ("from cbablate import workload", "workload"),
            ("from cbablate import workload as mine", "mine"),
            ("import cbablate.errors", "cbablate.workload"),
        ],
    )
    def test_its_words_are_read_from_the_source(self, imports: str, name: str) -> None:
        words = "metrics={'val/acc': {'better': 'higher', 'scale': 100}}, data=['d'], version=3"
        assert self._declared(imports, f"{name}({words})") == {
            "metrics": {"val/acc": {"better": "higher", "scale": 100}},
            "data": ["d"],
            "version": 3,
        }

    @pytest.mark.parametrize(
        ("decorator", "sentence"),
        [
            ("workload(version=VERSION)", "line 3: `version` of @workload is read without running"),
            ("workload(metric={})", "line 3: 'metric' is not a word of @workload; they are"),
            ("workload(**words)", "line 3: ** is not a word of @workload"),
            ("workload({})", "line 3: @workload takes words only"),
            ("workload", "line 3: @workload is called with words"),
        ],
    )
    def test_what_cannot_be_read_is_a_sentence_with_its_line(
        self, decorator: str, sentence: str
    ) -> None:
        said = self._declared("from cbablate import workload", decorator)
        assert isinstance(said, str)
        assert sentence in said

    def test_a_study_takes_its_words_and_yaml_goes_before(self, tmp_path: Path) -> None:
        words = (
            "metrics={'val/loss': {'label': 'Loss', 'unit': 'nats'}, 'x': {'label': 'X'}},"
            " needs={'cpus': 2}, data=['d'], version=3"
        )
        (tmp_path / "d").write_text("data")
        text = (
            f"import cbablate\n@cbablate.workload({words})\ndef train(config):\n    return {{}}\n"
        )
        study = project(tmp_path, {"wl.py": text})
        plain = api.plan(api.load_study(study)).description
        assert (plain.declared["val/loss"].label, plain.vouched) == ("Loss", "3")
        needs = plain.needs({})
        assert needs is not None
        assert (needs.cpus, bool(plain.data({}))) == (2, True)
        mapping = "{function: wl:train, version: 4, metrics: {val/loss: {label: Loss of mine}}}"
        study = project(tmp_path, {}, workload=mapping)
        written = api.plan(api.load_study(study)).description
        assert (written.declared["val/loss"].label, written.vouched) == ("Loss of mine", "4")
        assert written.needs({}) == needs

    def test_what_it_says_is_no_code(self, tmp_path: Path) -> None:
        text = "import cbablate\n{}def train(config):\n    return {{}}\n"
        digests = []
        for said in ("", "@cbablate.workload(metrics={'a': {'label': 'A'}})\n", "@str\n"):
            project(tmp_path, {"wl.py": text.format(said)})
            digests.append(version(tmp_path))
        assert digests[0] == digests[1] != digests[2]

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ("metrics={'a': {'better': 'up'}}", "wl.py, @workload of 'train': metrics.a.better"),
            ("metrics={1, 2}", "is not JSON serializable"),
            ("version=a", "wl.py, line 2: `version` of @workload is read without running"),
            ("data=['missing']", "'missing'"),
        ],
    )
    def test_what_no_study_may_say_is_refused(
        self, words: str, sentence: str, tmp_path: Path
    ) -> None:
        text = (
            f"import cbablate\n@cbablate.workload({words})\ndef train(config):\n    return {{}}\n"
        )
        with pytest.raises(StudyError) as refused:
            api.load_study(project(tmp_path, {"wl.py": text}))
        assert sentence in str(refused.value)

    def test_a_decorator_of_somebody_elses_declares_nothing(self) -> None:
        assert self._declared("from flows import workload", "workload(version=1)") == {}

    def test_the_function_stays_what_it_is(self) -> None:
        def train(config: Any) -> None:
            """Trains."""

        assert cbablate.workload(version=3)(train) is train
        assert train.cbablate_workload["version"] == 3  # type: ignore[attr-defined]

    def _declared(self, imports: str, decorator: str) -> Any:
        text = DECLARED.format(imports=imports, decorator=decorator)
        return declared_in(ast.parse(text), "train")
