"""What the Python programs of a command really run, held against what is on record of them."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

import cbablate
from cbablate import api
from cbablate.planning.search import searches
from tests.workloads.commands.programs import Told, described, script, told
from tests.workloads.commands.test_study import STUDY
from tests.workloads.own_code import ran

REPORT = """
import os
with open(os.environ["CBABLATE_REPORT"], "a") as report:
    for epoch in (1, 2, 3):
        report.write('{"epoch": %d, "a": 1}\\n' % epoch)
"""
COVER = "which the digest of its code does not cover, so that an edit would go unnoticed: "


def after(folder: Path, text: str, *, name: str = "train.py", words: tuple[str, ...] = ()) -> Told:
    """What comes of a script that reports at its end, beside a module that it may run."""
    (folder / "models").mkdir()
    (folder / "models" / "foo.py").write_text("k = 1\n")
    (folder / name).write_text(text + REPORT)
    workdir = folder / "trial"
    workdir.mkdir()
    return told(described(folder, *(words or ("python", name))), workdir)


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\nimportlib.import_module('models.' + 'foo')",
        "import sys\nsys.path.insert(0, 'mod' + 'els')\nimport foo",
        "import runpy\nrunpy.run_path('models/foo' + '.py')",
        "exec(compile(open('models/foo' + '.py').read(), 'models/foo' + '.py', 'exec'))",
        "import subprocess, sys\nsubprocess.run([sys.executable, 'models/foo' + '.py'])",
        "import os\nif not os.fork():\n __import__('models.' + 'foo')\n os._exit(0)\nos.wait()",
        "import os\nos.system('python -m models.' + 'foo')",
    ],
    ids=["import_module", "path", "runpy", "exec", "subprocess", "fork", "shell"],
)
def test_a_file_that_only_running_tells_fails_the_trial(tmp_path: Path, text: str) -> None:
    found = after(tmp_path, text)
    assert found.sentence == (f"the command ran models/foo.py, {COVER}add models/foo.py to `code`")
    assert found.measurements == []


def test_a_worker_that_is_spawned_is_watched_too(tmp_path: Path) -> None:
    text = """
import multiprocessing
def work(name):
    __import__(name)
if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=work, args=["models." + "foo"])
    worker.start()
    worker.join()
"""
    assert "the command ran models/foo.py, " in after(tmp_path, text).sentence


def test_what_a_shell_script_starts_is_code(tmp_path: Path) -> None:
    (tmp_path / "go.sh").write_text("python train.py\n")
    words = ("sh", "go.sh")
    assert "the command ran train.py, " in after(tmp_path, "", words=words).sentence
    covered = described(tmp_path, *words, code=("train.py", "go.sh"))
    assert told(covered, tmp_path / "other").failure is None


def test_the_advice_names_what_counts_today(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("a: 1")
    text = "import importlib\nimportlib.import_module('models.' + 'foo')"
    words = ("python", "train.py", "base.yaml")
    found = after(tmp_path, text, words=words)
    assert "add models/foo.py to `code`" in found.sentence
    free = told(described(tmp_path, *words, code=None), tmp_path / "trial")
    assert free.sentence.endswith(
        "say `code: [train.py, base.yaml, models/foo.py]`, files or their folders"
    )


@pytest.mark.parametrize(
    "text",
    [
        "import models.foo, json, numpy, yaml, cbablate",
        "import os, runpy\nhere = os.environ['CBABLATE_WORKDIR']\n"
        "open(here + '/made.py', 'w').write('a = 1')\nrunpy.run_path(here + '/made.py')",
        "import sys, tempfile\nhere = tempfile.mkdtemp()\nsys.path.append(here)\n"
        "open(here + '/made.py', 'w').write('a = 1')\nimport importlib\n"
        "importlib.import_module('ma' + 'de')",
        "exec(compile('a = 1', '/nowhere/a.py', 'exec'))\nexec('b = 2')",
    ],
    ids=["on record", "in the trial's folder", "made for this trial", "no file"],
)
def test_what_is_on_record_or_follows_from_it_is_no_stranger(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(cbablate.__file__).parents[1]))
    found = after(tmp_path, text)
    assert (found.sentence, len(found.measurements)) == ("None", 3)


def test_a_program_does_not_notice_the_witness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import sys\nsys.own = 1\n")
    monkeypatch.setenv("PYTHONPATH", str(own))
    text = "import sys, sitecustomize\nprint(sys.path, sitecustomize.__file__, sys.own)\n"
    script(tmp_path, text + "print(sorted(sys.modules))\nraise SystemExit(3)\n", "train.py")
    found = told(described(tmp_path, "python", "train.py"), tmp_path / "t")
    assert found.failure is not None
    command = f"cd {tmp_path}; {shlex.quote(sys.executable)} train.py"
    assert found.failure.trace == os.popen(command).read().strip()  # noqa: S605 - our own words


def test_each_measurement_is_held_against_what_ran_by_then(tmp_path: Path) -> None:
    late = "import importlib\nimportlib.import_module('models.' + 'foo')\n"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "foo.py").write_text("")
    script(tmp_path, REPORT + late + "while True: pass\n", "train.py")
    found = told(described(tmp_path, "python", "train.py"), tmp_path / "t", epochs=4)
    assert "models/foo.py" in found.sentence, "though the program has not ended"


def test_an_edit_of_what_a_value_names_fails_a_trial_that_runs(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        REPORT.replace('"a":', '"val/top1":') + "open('b.env', 'a').write('2')\n"
    )
    text = STUDY.replace(
        "  reads: {csv: summary.csv, counts_from: 0, names: {eval_top1: val/top1}}\n", ""
    )
    text = text.replace("baseline: {lr: 0.1}", "baseline: {lr: 0.1, cfg: a.env}")
    text = text.replace("{lr: 0.3}", "{lr: 0.3, cfg: b.env}")
    for name in ("a.env", "b.env"):
        (tmp_path / name).write_text("1")
    (tmp_path / "study.yaml").write_text(text)
    ran(tmp_path / "study.yaml", tmp_path / "results")
    ends = [fact.body for fact in api.facts(tmp_path / "results") if fact.kind == "ended"]
    reasons = [end["reason"] for end in ends if end["state"] == "failed"]
    assert f"{tmp_path / 'b.env'} was edited or is another" in reasons[0]


def test_a_launcher_that_is_installed_is_no_code_of_the_users(tmp_path: Path) -> None:
    here = ("--local-addr", "127.0.0.1")  # for a machine whose name nobody resolves
    words = ("torchrun", *here, "--nproc-per-node", "1", "train.py")
    found = after(tmp_path, "", words=words)
    assert (found.sentence, len(found.measurements)) == ("None", 3)


def test_an_edit_of_what_a_choice_of_a_sweep_names_searches_anew(tmp_path: Path) -> None:
    (tmp_path / "go.sh").write_text("")
    (tmp_path / "sweep.yaml").write_text(
        "space: {cfg: {choice: [a.env, b.env]}}\nsampler: random\ntrials: 4\n"
    )
    text = STUDY[: STUDY.index("workload")] + STUDY[STUDY.index("baseline") :]
    text = text.replace("{lr: 0.1}", "{lr: 0.1, cfg: a.env}") + "tune: sweep.yaml\n"
    text += 'workload: {command: [sh, go.sh, "{cfg}", "{lr}", "{seed}"]}\n'
    (tmp_path / "study.yaml").write_text(text)
    for name in ("a.env", "b.env", "c.env"):
        (tmp_path / name).write_text("1")

    def found() -> list[str]:
        return [one.id for one in searches(api.plan(api.load_study(tmp_path / "study.yaml")))]

    before = found()
    (tmp_path / "c.env").write_text("2")
    assert found() == before
    (tmp_path / "b.env").write_text("2")
    assert not {*found()} & {*before}
