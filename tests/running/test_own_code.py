"""Own workloads: what ran is what was recorded, in one process and in several."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cbablate import api
from cbablate.errors import EnvironmentFault, StudyError
from cbablate.overviews import overview
from cbablate.records.book import Book
from cbablate.running.drive import drive
from cbablate.workloads.own_code import importing, source
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.source import code_of
from tests.workloads.own_code import (
    FOUND_AT_RUN_TIME,
    losses,
    project,
    ran,
    train,
)


@pytest.mark.slow
def test_a_module_of_a_package_that_was_edited_runs_anew_in_the_same_process(
    tmp_path: Path,
) -> None:
    files = {
        "wl.py": train("from mylib import step", "step()"),
        "mylib/__init__.py": "from .core import step\n",
        "mylib/core.py": "def step():\n    return 1\n",
    }
    study = project(tmp_path, files)
    assert losses(study, tmp_path / "r") == [1.0, 1.0]
    (tmp_path / "mylib" / "core.py").write_text("def step():\n    return 2\n")  # of equal size
    assert losses(study, tmp_path / "r") == [2.0, 2.0]
    (tmp_path / "mylib" / "core.py").write_text("def step():\n    return 1\n")
    assert ran(study, tmp_path / "r").trained == 0


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["helpers.py", "helpers/__init__.py", "helpers/inner.py"])
def test_two_studies_with_a_helper_of_one_name_each_run_their_own(
    layout: str, tmp_path: Path
) -> None:
    module = "helpers.inner" if "inner" in layout else "helpers"
    imports = f"from {module} import value"
    for value, name in ((1, "a"), (2, "b")):
        files = {"wl.py": train(imports, "value()"), layout: f"def value():\n    return {value}\n"}
        project(tmp_path / name, files)
    for name, value in (("a", 1.0), ("b", 2.0), ("a", 1.0), ("b", 2.0)):
        results = tmp_path / f"r{len(list(tmp_path.iterdir()))}"
        assert losses(tmp_path / name / "study.yaml", results) == [value, value]


def test_a_workload_in_a_package_may_import_relatively(tmp_path: Path) -> None:
    files = {
        "mylib/train.py": train("from .core import step", "step()"),
        "mylib/core.py": "from . import deeper\n\ndef step():\n    return deeper.VALUE\n",
        "mylib/deeper/__init__.py": "from ..constant import VALUE\n",
        "mylib/constant.py": "VALUE = 7\n",
    }
    assert losses(project(tmp_path, files, workload="mylib.train:train"), tmp_path / "r") == [7, 7]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + train(value="len('\u00e9')").encode(),
        b"# -*- coding: latin-1 -*-\n" + train(value="len('\u00e9')").encode("latin-1"),
        train(value="len('\u00e9')").replace("\n", "\r\n").encode(),
    ],
    ids=["byte-order mark", "coding cookie", "carriage returns"],
)
def test_a_file_is_read_as_python_reads_it(text: bytes, tmp_path: Path) -> None:
    assert losses(project(tmp_path, {"wl.py": text}), tmp_path / "r") == [1.0, 1.0]


def test_what_runs_is_the_text_that_was_planned_whatever_lies_there_now(tmp_path: Path) -> None:
    project(tmp_path, {"wl.py": train("import helper", "0"), "helper.py": "VALUE = 1\n"})
    code = code_of("wl", tmp_path)
    shutil.rmtree(tmp_path)
    try:
        assert Entry("wl:train", code).load().__globals__["helper"].VALUE == 1
        project(tmp_path, {"helper.py": "VALUE = 2\n"})
        assert importlib.import_module("helper").VALUE == 1
    finally:
        importing.unload()


def test_other_code_than_was_planned_is_refused_where_it_does_not_travel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, {"wl.py": train("import helper", "0"), "helper.py": "VALUE = 1\n"})
    monkeypatch.setattr(source, "MOST_TEXT", 10)
    entry = Entry("wl:train", code_of("wl", tmp_path))
    try:
        assert entry.load()
        importing.unload()
        (tmp_path / "helper.py").write_text("VALUE = 2\n")
        with pytest.raises(EnvironmentFault, match=r"helper\.py is not on this machine as it was"):
            entry.load()
    finally:
        importing.unload()


@pytest.mark.slow
def test_nothing_of_a_study_is_left_in_the_process_that_ran_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"wl.py": train("import helper", "helper.VALUE"), "helper.py": "VALUE = 1\n"}
    study = project(tmp_path, files)
    monkeypatch.syspath_prepend(str(tmp_path))
    mine = importlib.import_module("helper")
    before = sys.path[:], sys.meta_path[:]
    assert losses(study, tmp_path / "r") == [1.0, 1.0]
    assert sys.modules["helper"] is mine, "what a notebook has imported is its own"
    assert "wl" not in sys.modules
    assert before == (sys.path, sys.meta_path)
    del sys.modules["helper"]


def test_what_is_imported_meanwhile_by_another_thread_or_a_finalizer_ends_no_trial(
    tmp_path: Path,
) -> None:
    project(tmp_path, {"wl.py": train()})
    code = code_of("wl", tmp_path)
    assert code is not None
    before = set(sys.modules)

    def collect(_phase: str, _told: object) -> None:
        sys.modules[f"late{len(sys.modules)}"] = ModuleType("late")

    often = gc.get_threshold()
    gc.callbacks.append(collect)
    gc.set_threshold(50)
    try:
        importing.loaded(code)
        importing.unload()
    finally:
        gc.set_threshold(*often)
        gc.callbacks.remove(collect)
        for name in sys.modules.keys() - before:
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["beside", "PYTHONPATH", "added to the path"])
def test_code_that_is_found_while_it_runs_ends_the_trial_that_imports_it(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib = tmp_path / ("study" if where == "beside" else "lib")
    late = FOUND_AT_RUN_TIME.replace("\n", "\n    ")
    if where == "PYTHONPATH":
        monkeypatch.syspath_prepend(str(lib))
    if where == "added to the path":
        late = f"import sys\n    sys.path.insert(0, {str(lib)!r})\n    {late}"
    text = train().replace("    for epoch", f"    {late}\n    for epoch")
    study = project(tmp_path / "study", {"wl.py": text})
    project(lib, {"helper.py": "VALUE = 1\n"})
    path = sys.path[:]
    done = ran(study, tmp_path / "r")
    sys.path[:] = path
    assert len(done.failures) == 3, "each that started, also on a worker that is warm"
    for history in done.failures.values():
        assert f"imported {lib / 'helper.py'} (as 'helper'), which the digest" in history.reason


def test_a_module_that_the_process_has_from_elsewhere_is_not_taken_for_the_studys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path / "lib", {"helper.py": "VALUE = 1\n"})
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    mine = importlib.import_module("helper")
    study = project(tmp_path / "study", {"wl.py": train(FOUND_AT_RUN_TIME)})
    with pytest.raises(StudyError, match=r"helper\.py \(as 'helper'\), which the digest"):
        ran(study, tmp_path / "r")
    assert sys.modules.pop("helper") is mine


@pytest.mark.slow
def test_code_that_is_found_while_the_file_is_imported_starts_no_trial(tmp_path: Path) -> None:
    study = project(tmp_path, {"wl.py": train(FOUND_AT_RUN_TIME), "helper.py": "VALUE = 1\n"})
    with pytest.raises(StudyError, match=r"helper\.py \(as 'helper'\), which the digest"):
        ran(study, tmp_path / "r")
    assert not Book.of(api.facts(tmp_path / "r")).histories


WRAPPED = """
import functools

def logged(function):
    @functools.wraps(function)
    def workload(*args, **kwargs):
        yield from function(*args, **kwargs)
    return workload

"""
UNUSABLE = {
    "wrapped in what hands everything on": (
        WRAPPED + "@logged\n@logged\ndef train(config, lr):\n    yield\n",
        "'train' takes (config, lr), and is called with what it takes of config, seed, budget",
    ),
    "wrong signature": (
        "def decorated(f):\n    return f\n@decorated\n" + "def train(config, lr):\n    yield\n",
        "'train' takes (config, lr), and is called with what it takes of config, seed, budget",
    ),
    "asynchronous": ("async def other(**all):\n    yield\ntrain = other\n", "is an async function"),
    "no function": ("train = 3\n", "wl.py has no function 'train'"),
    "raises": (train() + "raise ValueError('no luck')\n", "ValueError: no luck"),
    "does not parse": (train() + "x = = 1\n", "SyntaxError: invalid syntax"),
    "raises what is no Exception": (
        train() + "class Odd(BaseException): pass\nraise Odd('no luck')\n",
        "Odd: no luck",
    ),
    "leaves": (train() + "import sys\nsys.exit(3)\n", "it calls sys.exit(3) while it is imported"),
    "no such name": (train("from helper import nothing"), "cannot import name 'nothing'"),
}


@pytest.mark.parametrize("how", UNUSABLE)
def test_a_workload_that_cannot_be_used_is_a_sentence_before_the_first_trial(
    how: str, tmp_path: Path
) -> None:
    text, sentence = UNUSABLE[how]
    study = project(tmp_path, {"wl.py": text, "helper.py": ""})
    with pytest.raises(StudyError) as refused:
        ran(study, tmp_path / "r")
    assert sentence in str(refused.value)
    assert not Book.of(api.facts(tmp_path / "r")).histories


ADAPTED = """
import functools

def seeded(function):
    @functools.wraps(function)
    def workload(config, *, seed, budget, workdir):
        yield from function(config, seed, budget)
    return workload

@seeded
def train(config, seed, budget):
    yield Measurement(spent=budget.amount, metrics={"val/loss": 1.0})
"""


def test_a_decorator_may_give_a_function_the_signature_of_a_workload(tmp_path: Path) -> None:
    study = project(tmp_path, {"wl.py": train().partition("def train")[0] + ADAPTED})
    assert losses(study, tmp_path / "r") == [1.0, 1.0]


def test_a_decorator_that_hands_everything_on_takes_nothing_from_a_workload(tmp_path: Path) -> None:
    head, _, body = train().partition("def train")
    study = project(tmp_path, {"wl.py": f"{head}{WRAPPED}@logged\ndef train{body}"})
    assert ran(study, tmp_path / "r").exit_code == 0


def test_a_workload_that_prints_and_goes_elsewhere_when_imported_disturbs_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = project(tmp_path, {"wl.py": train("import os\nprint('hello')\nos.chdir('/')")})
    assert ran(Path(study.name), Path("r")).exit_code == 0
    assert Path.cwd() == tmp_path
    assert "hello" not in capsys.readouterr().out


def test_what_importing_a_workload_sets_is_set_in_each_of_its_trials(tmp_path: Path) -> None:
    imports = (
        "import os, sys, numpy as np\nsys.setrecursionlimit(1_234)\nos.environ['FACTOR'] = '2'\n"
        "np.seterr(divide='raise')\n"
    )
    value = "sys.getrecursionlimit() * int(os.environ['FACTOR'])"
    study = project(tmp_path, {"wl.py": train(imports, value)})
    for results in ("first", "second"):
        assert losses(study, tmp_path / results) == [2_468, 2_468]
    assert "FACTOR" not in os.environ


def test_a_package_that_is_not_installed_is_the_machines_fault(tmp_path: Path) -> None:
    study = project(tmp_path, {"wl.py": train("import no_such_package.inner")})
    with pytest.raises(EnvironmentFault, match="'no_such_package', which is not installed"):
        ran(study, tmp_path / "r")


def test_whole_numbers_and_scalars_of_numpy_are_plain_numbers(tmp_path: Path) -> None:
    text = train("import numpy as np", "3")
    text = text.replace("spent=epoch", "spent=(np.int64(epoch) if epoch == 1 else np.array(2))")
    text = text.replace("float(3)}", 'np.float32(3), "a": np.array(1.0), "b": np.int64(2)}')
    study = project(tmp_path, {"wl.py": text})
    assert ran(study, tmp_path / "r").exit_code == 0
    (body, *_) = [fact.body for fact in api.facts(tmp_path / "r") if fact.kind == "measured"]
    assert (body["spent"], body["metrics"]) == (1, {"val/loss": 3.0, "a": 1.0, "b": 2.0})


@pytest.mark.parametrize("spent", ["True", "2.0", "np.True_", "'1'", "np.array([1, 2])"])
def test_what_is_no_whole_number_is_still_refused(spent: str, tmp_path: Path) -> None:
    text = train("import numpy as np").replace("spent=epoch", f"spent={spent}")
    done = ran(project(tmp_path, {"wl.py": text}), tmp_path / "r")
    assert all("not a whole number of epochs" in h.reason for h in done.failures.values())
    assert len(done.failures) == 3, "then no further trial is started"


@pytest.mark.ray
def test_ray_workers_run_the_code_that_was_planned(tmp_path: Path, ray_session: None) -> None:
    files = {
        "mylib/train.py": train("from .core import step", "step()"),
        "mylib/core.py": "def step():\n    return 1\n",
    }
    study = project(tmp_path, files, workload="mylib.train:train")
    for value in (1, 2):
        (tmp_path / "mylib" / "core.py").write_text(f"def step():\n    return {value}\n")
        planned = api.plan(api.load_study(study))
        executor = api.Resources().executor
        done = drive(planned, results=tmp_path / "r", executor=executor, publish=lambda facts: [])
        assert done.exit_code == 0
    facts = api.facts(tmp_path / "r")
    assert {f.body["metrics"]["val/loss"] for f in facts if f.kind == "measured"} == {1.0, 2.0}


class TestMisspelt:
    """A metric that never comes costs a measurement or a trial, and not the study."""

    def _ran(self, tmp_path: Path, text: str, **swap: str) -> str:
        study = project(tmp_path, {"wl.py": text})
        for old, new in swap.items():
            study.write_text(study.read_text().replace(f"{old}: [val/loss]", f"{old}: [{new}]"))
        self.done = ran(study, tmp_path / "r")
        self.again = ran(study, tmp_path / "r")
        return " ".join(self.done.unanswered)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["val/los", "val_loss", "Val/Loss", "val/lsos"])
    def test_a_plainly_misspelt_objective_costs_one_measurement(
        self, name: str, tmp_path: Path
    ) -> None:
        said = self._ran(tmp_path, train().replace("val/loss", name))
        assert f"it reports '{name}' and not 'val/loss', the objective" in said
        (history,) = self.done.failures.values()
        assert (history.failure, history.measurements) == ("no measurement", [])
        assert (self.done.trained, self.done.exit_code) == (1, 3)

    def test_an_objective_that_never_comes_costs_one_trial(self, tmp_path: Path) -> None:
        said = self._ran(tmp_path, train().replace("val/loss", "score"))
        assert "'val/loss' is the study's objective, and no trial that ended has it" in said
        assert "they have score" in said
        assert (self.done.trained, self.done.exit_code) == (1, 3)
        assert self.again.trained == 0, "running again without a mended name trains nothing"

    @pytest.mark.slow
    def test_an_objective_may_come_with_the_last_measurement(self, tmp_path: Path) -> None:
        late = "**({'val/loss': 1.0} if epoch == 2 else {'val/lasses': 0.5, 'train/loss': 2.0})"
        text = train().replace("\"val/loss\": float(config['lr'])", late)
        assert not self._ran(tmp_path, text)
        assert (self.done.trained, self.done.exit_code) == (4, 0)

    @pytest.mark.slow
    def test_a_misspelt_metric_to_report_costs_one_measurement(self, tmp_path: Path) -> None:
        said = self._ran(tmp_path, train(), report="val/loss, test/accuracy")
        assert "'test/accuracy' is to be reported, and no trial that ended has it" in said
        assert self.done.trained == 2, "one of each arm: some arms may not have it"
        text = train().replace('{"val/loss"', '{"test/acuracy": 1.0, "val/loss"')
        said = self._ran(tmp_path / "b", text, report="val/loss, test/accuracy")
        assert "it reports 'test/acuracy' and not 'test/accuracy', a metric to report" in said
        assert self.done.trained == 1

    @pytest.mark.slow
    def test_names_that_are_metrics_of_their_own_are_no_misspellings(self, tmp_path: Path) -> None:
        for index, (asked, there) in enumerate(
            [("val/top1", "val/top5"), ("val/mae", "val/mse"), ("test/loss", "val/loss")]
        ):
            late = f"**({{'{asked}': 1.0}} if epoch == 2 else {{}}), '{there}': 0.5"
            text = train().replace("\"val/loss\": float(config['lr'])", f"{late}, 'val/loss': 1.0")
            assert not self._ran(tmp_path / str(index), text, report=f"val/loss, {asked}")
            assert self.done.trained == 4

    def test_a_workload_that_gives_no_measurements_stops_the_study_at_once(
        self, tmp_path: Path
    ) -> None:
        text = "def train(config, *, seed, budget, workdir):\n    return config['lr']\n"
        said = self._ran(tmp_path, text)
        assert "the workload reported nothing and returned '0.1' (float): let it call" in said
        assert self.done.trained == 1


class TestMoved:
    """A study is known by its content and its place relative to its results."""

    @pytest.fixture
    def own(self, tmp_path: Path) -> Path:
        study = project(tmp_path / "own", {"wl.py": train()})
        assert ran(study, study.parent / "r").trained == 4
        return study.parent

    def test_a_copied_folder_goes_on_beside_the_original(self, own: Path) -> None:
        moved = own.with_name("moved")
        shutil.copytree(own, moved)
        assert ran(moved / "study.yaml", moved / "r").trained == 0
        text = (moved / "study.yaml").read_text().replace("How much", "By how much")
        (moved / "study.yaml").write_text(text.replace("replicates: 2", "replicates: 3"))
        assert ran(moved / "study.yaml", moved / "r").trained == 2, "and may be edited there"
        assert ran(own / "study.yaml", own / "r").trained == 0

    @pytest.mark.slow
    def test_a_moved_folder_goes_on(self, own: Path) -> None:
        moved = own.rename(own.with_name("moved"))
        assert ran(moved / "study.yaml", moved / "r").trained == 0

    def test_a_link_to_the_folder_is_the_folder(self, own: Path) -> None:
        link = own.with_name("link")
        link.symlink_to(own)
        assert ran(link / "study.yaml", link / "r").trained == 0

    @pytest.mark.slow
    def test_a_copy_of_the_study_alone_is_the_same_study(self, own: Path) -> None:
        copy = own.with_name("copy")
        shutil.copytree(own, copy, ignore=shutil.ignore_patterns("r"))
        assert ran(copy / "study.yaml", own / "r").trained == 0

    @pytest.mark.parametrize("what", ["question", "code"])
    def test_another_study_of_the_same_name_is_refused(self, what: str, own: Path) -> None:
        other = own.with_name("other")
        shutil.copytree(own, other, ignore=shutil.ignore_patterns("r"))
        if what == "question":
            study = other / "study.yaml"
            study.write_text(study.read_text().replace("How much", "Whether"))
        else:
            (other / "wl.py").write_text(train(value="2"))
        with pytest.raises(EnvironmentFault, match="another study named 'study', from"):
            ran(other / "study.yaml", own / "r")


def test_after_an_edit_it_is_said_what_an_earlier_version_made(tmp_path: Path) -> None:
    study = project(tmp_path, {"wl.py": train()})
    losses(study, tmp_path / "r")
    before = api.plan(api.load_study(study)).description.version
    sentence = (
        f"4 complete trials were made by an earlier version of wl.py ({before[:8]}, the last 20"
    )
    assert "earlier version" not in " ".join(_said(study, tmp_path / "r"))
    (tmp_path / "wl.py").write_text(f"# as it was\n{train()}")
    assert ran(study, tmp_path / "r").trained == 0, "a comment is no code"
    (tmp_path / "wl.py").write_text(train(value="2"))
    for said in _said(study, tmp_path / "r"):
        assert sentence in said
        assert "Nothing has been trained yet" not in said
    assert ran(study, tmp_path / "r").trained == 4


def test_after_an_edit_of_what_is_imported_the_sentence_names_all_that_it_may_be(
    tmp_path: Path,
) -> None:
    study = project(tmp_path, {"wl.py": train("import h"), "h.py": "A = 1\n"})
    losses(study, tmp_path / "r")
    (tmp_path / "h.py").write_text("A = 2\n")
    assert "made by an earlier version of wl.py or h.py (" in _said(study, tmp_path / "r")[0]


def test_after_an_edit_of_a_script_its_command_is_named_only_if_it_may_be_that(
    tmp_path: Path,
) -> None:
    said = "workload: {{command: [python, s.py, 'lr={{lr}}'{more}]}}"
    study = project(tmp_path, {"s.py": SCRIPT})
    text = study.read_text().replace("workload: wl:train", said.format(more=""))
    study.write_text(text)
    assert ran(study, tmp_path / "r").exit_code == 0
    (tmp_path / "s.py").write_text(f"{SCRIPT}A = 1\n")
    assert "made by an earlier version of s.py (" in _said(study, tmp_path / "r")[0]
    study.write_text(text.replace("'lr={lr}'", "'lr={lr}', more"))
    assert (
        "made by an earlier version of s.py or by another command ("
        in (_said(study, tmp_path / "r")[0])
    )
    (tmp_path / "s.py").write_text(SCRIPT)
    assert "by another command (" in _said(study, tmp_path / "r")[0]


def test_after_a_new_key_of_the_baseline_it_is_said_what_was_made_without_it(
    tmp_path: Path,
) -> None:
    study = project(tmp_path, {"wl.py": train()})
    losses(study, tmp_path / "r")
    text = study.read_text()
    edited = text.replace("baseline: {", "baseline: {foo: 1, ")
    assert edited != text
    study.write_text(edited)
    for said in _said(study, tmp_path / "r"):
        assert "4 complete trials were made with another config (without foo; the last 20" in said
    study.write_text(text.replace("{lr: 0.1}", "{lr: 0.7}"))
    assert "with another config (with another lr; " in _said(study, tmp_path / "r")[0]
    study.write_text(text)
    assert "another config" not in " ".join(_said(study, tmp_path / "r"))


def test_levels_and_replicates_that_are_taken_out_are_no_other_config(tmp_path: Path) -> None:
    study = project(tmp_path, {"wl.py": train()})
    losses(study, tmp_path / "r")
    text = study.read_text()
    fewer = text.replace("replicates: 2", "replicates: 1").replace("{epochs: 2}", "{epochs: 1}")
    study.write_text(fewer)
    assert "another config" not in " ".join(_said(study, tmp_path / "r"))


SCRIPT = """\
import json, os
with open(os.environ["CBABLATE_REPORT"], "w") as file:
    for epoch in (1, 2):
        file.write(json.dumps({"spent": epoch, "val/loss": 1.0}) + "\\n")
"""


def _said(study: Path, results: Path) -> list[str]:
    """What `status`, `plan` and `table` say, on one line each."""
    planned, facts = api.recorded(api.plan(api.load_study(study)), results)
    shown = str(api.table(planned, results=results))
    texts = (overview.standing(planned, facts), overview.planned(planned, facts), shown)
    return [" ".join(text.split()) for text in texts]


def test_a_package_on_pythonpath_that_was_edited_runs_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = project(tmp_path / "study", {"wl.py": train("from mylib import step", "step()")})
    core = tmp_path / "lib" / "mylib" / "core.py"
    project(
        tmp_path / "lib",
        {"mylib/__init__.py": "from .core import step\n", "mylib/core.py": ""},
    )
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    for value in (1, 2):
        core.write_text(f"def step():\n    return {value}\n")
        assert losses(study, tmp_path / "r") == [value, value]


def test_a_library_that_cbablate_needs_is_not_imported_anew_though_it_is_editable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib = project(
        tmp_path / "lib", {"timm/__init__.py": "VALUE = 1\n", "timm/layers.py": ""}
    ).parent
    monkeypatch.syspath_prepend(str(lib))
    for name in [name for name in sys.modules if name.partition(".")[0] == "timm"]:
        monkeypatch.delitem(sys.modules, name)
    editable = importlib.import_module("timm")
    try:
        study = project(tmp_path / "study", {"wl.py": train("import timm.layers", "timm.VALUE")})
        before = api.plan(api.load_study(study)).description.version
        assert losses(study, tmp_path / "r") == [1.0, 1.0]
        assert sys.modules["timm"] is editable
        (lib / "timm" / "layers.py").write_text("A = 1\n")
        assert api.plan(api.load_study(study)).description.version != before
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "timm"]:
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["{'spent': epoch}", "Measurement(spent=epoch, metrics=None)"])
def test_a_workload_that_yields_no_measurements_costs_one_trial(wrong: str, tmp_path: Path) -> None:
    text = train().partition("        yield ")[0] + f"        yield {wrong}\n"
    done = ran(project(tmp_path, {"wl.py": text}), tmp_path / "r")
    assert done.trained == 1
    assert "No further trial was started" in done.unanswered[0]
