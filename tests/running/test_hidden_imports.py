"""Own workloads that run a file in a way that their source does not show."""

from __future__ import annotations

import importlib
import linecache
import sys
import zipfile
from pathlib import Path

import pytest

from cbablate import api
from cbablate.errors import StudyError
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from tests.workloads.own_code import losses, project, ran, train, version

HELPER = "def value():\n    return 1\n"
FILE = "importlib.util.spec_from_file_location('helper', {path!r})"
WAYS = {
    "a folder is on Python's path for the import only": (
        "import sys\nsys.path.insert(0, {folder!r})\nfrom helper import value\nsys.path.pop(0)"
    ),
    "a module is made of a file": (
        f"import importlib.util\nspec = {FILE}\nmade = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(made)\nvalue = made.value"
    ),
    "a file is run": "import runpy\nvalue = runpy.run_path({path!r})['value']",
    "a file is compiled": ("exec(compile(open({path!r}).read(), {path!r}, 'exec'), globals())"),
    "the import stands in text": (
        "import sys\nsys.path.insert(0, {folder!r})\n"
        "exec('from helper import value')\nsys.path.pop(0)"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["study", "elsewhere"])
def test_a_file_that_runs_without_being_digested_stops_the_study(
    where: str, way: str, tmp_path: Path
) -> None:
    folder = tmp_path / where / "lib"
    folder.mkdir(parents=True)
    (folder / "helper.py").write_text(HELPER)
    imports = WAYS[way].format(folder=str(folder), path=str(folder / "helper.py"))
    study = project(tmp_path / "study", {"wl.py": train(imports, "value()")})
    for _ in range(2):  # and again: the first look has not made it known
        with pytest.raises(StudyError, match=r"helper\.py.*does not cover"):
            ran(study, tmp_path / "r")


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_every_trial_that_runs_such_a_file_fails(way: str, tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "helper.py").write_text(HELPER)
    imports = WAYS[way].format(folder=str(folder), path=str(folder / "helper.py"))
    lines = "\n".join(f"    {line}" for line in f"{imports}\nreturn value()".splitlines())
    hidden = f"def hidden():\n{lines.replace('globals()', 'found := {}')}\n"
    if way == "a file is compiled":
        hidden = hidden.replace("return value()", "return found['value']()")
    if way == "the import stands in text":
        hidden = hidden.replace("value')", "value', found := {})")
        hidden = hidden.replace("return value()", "return found['value']()")
    study = project(tmp_path / "study", {"wl.py": train(hidden, "hidden()")})
    planned = api.plan(api.load_study(study))
    done = drive(planned, results=tmp_path / "r", executor=LocalExecutor, publish=lambda _: [])
    assert dict(done.states) == {"failed": 3, "waiting": 1}, "three that fail alike are enough"


def test_a_module_found_by_a_symbolic_link_on_pythons_path_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "helper.py").write_text(HELPER)
    (tmp_path / "link").symlink_to("real")
    monkeypatch.syspath_prepend(str(tmp_path / "link"))
    imports = "import importlib\nvalue = importlib.import_module('hel' + 'per').value"
    study = project(tmp_path / "study", {"wl.py": train(imports, "value()")})
    with pytest.raises(StudyError, match=r"helper\.py.*does not cover"):
        ran(study, tmp_path / "r")


def test_a_module_in_an_archive_on_pythons_path_stops_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("zipped.py", HELPER)
    monkeypatch.syspath_prepend(str(tmp_path / "lib.zip"))
    study = project(tmp_path / "study", {"wl.py": train("from zipped import value", "value()")})
    with pytest.raises(StudyError, match=r"lib\.zip.*does not cover"):
        ran(study, tmp_path / "r")
    assert "zipped" not in sys.modules


def test_a_namespace_that_a_library_shares_counts_where_it_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, library = tmp_path / "own" / "corp", tmp_path / "site-packages" / "corp"
    for folder, name in ((own, "core"), (library, "base")):
        folder.mkdir(parents=True)
        (folder / f"{name}.py").write_text(HELPER)
    imports = "from corp.core import value\nfrom corp.base import value as same"
    study = project(tmp_path / "study", {"wl.py": train(imports, "value() + same()")})
    for folder in (own, library):  # whichever comes first
        monkeypatch.syspath_prepend(str(folder.parent))
        importlib.invalidate_caches()
    assert losses(study, tmp_path / "r") == [2.0, 2.0]
    before = version(study.parent)
    (library / "base.py").write_text("def value():\n    return 3\n")
    assert version(study.parent) == before
    (own / "core.py").write_text("def value():\n    return 3\n")
    assert version(study.parent) != before


def test_a_workload_reads_files_of_its_package_as_resources(tmp_path: Path) -> None:
    files = {
        "wl.py": train("from pack import value", "value()"),
        "pack/__init__.py": (
            "from importlib.resources import files\n\n"
            "def value():\n    return files(__name__).joinpath('value.txt').read_text()\n"
        ),
        "pack/value.txt": "4",
    }
    study = project(tmp_path, files)
    assert losses(study, tmp_path / "r") == [4.0, 4.0]


def test_source_that_a_trial_asks_for_is_what_was_digested_though_the_file_was_edited(
    tmp_path: Path,
) -> None:
    imports = (
        "import inspect\nfrom pathlib import Path\n\ndef value():\n    return 1\n\n"
        "def edited():\n"
        "    text = Path(__file__).read_text()\n"
        "    Path(__file__).write_text(text.replace('return 1', 'return 2'))\n"
        "    return inspect.getsource(value).split('return')[1]\n"
    )
    study = project(tmp_path, {"wl.py": train(imports, "edited()")})
    planned = api.plan(api.load_study(study))
    drive(planned, results=tmp_path / "r", executor=LocalExecutor, publish=lambda _: [])
    facts = api.recorded(planned, tmp_path / "r")[1]
    assert {f.body["metrics"]["val/loss"] for f in facts if f.kind == "measured"} == {1.0}
    lines = linecache.getlines(str(tmp_path / "wl.py"))
    assert "    return 2\n" in lines, "and afterwards the file's own"


WRITTEN = {
    "imported": "import sys\nsys.path.insert(0, str(workdir))\nfrom gen import VALUE\nreturn VALUE",
    "run": "import runpy\nreturn runpy.run_path(str(workdir / 'gen.py'))['VALUE']",
}


@pytest.mark.slow
@pytest.mark.parametrize("how", WRITTEN)
def test_each_trial_may_run_code_that_it_has_written_and_gets_its_own(
    how: str, tmp_path: Path
) -> None:
    lines = "\n".join(f"    {line}" for line in WRITTEN[how].splitlines())
    made = (
        "def made(config, workdir):\n"
        "    (workdir / 'gen.py').write_text(f'VALUE = {config[\"lr\"]}')\n"
        f"{lines}\n"
    )
    study = project(tmp_path, {"wl.py": train(made, "made(config, workdir)")})
    assert losses(study, tmp_path / "r") == [0.1, 0.3]
