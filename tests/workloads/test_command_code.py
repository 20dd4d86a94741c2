"""Which files are a command's code, and what of them changes its identity."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cbablate.errors import StudyError
from cbablate.spec.description import Description, Undescribed
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.program import Program
from cbablate.workloads.catalog import describe
from cbablate.workloads.own_code import command_code, declared_files
from cbablate.workloads.own_code.program_check import changed_files, written_words
from tests.workloads.test_source import LAYOUTS

PYTHON = {"train.py": "import helper\n", "helper.py": "RATE = 2\n", "other.py": "A = 1\n"}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def lay(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def described(folder: Path, *words: str, **said: Any) -> Description:
    return describe(OwnWorkload(command=words, **said), folder)


def program(folder: Path, *words: str, **said: Any) -> Program:
    found = described(folder, *words, **said).program
    assert found is not None
    return found


def files(folder: Path, *words: str, **said: Any) -> list[str]:
    return [one.path for one in program(folder, *words, **said).files]


def refusal(folder: Path, *words: str, **said: Any) -> tuple[Any, str]:
    with pytest.raises(Undescribed) as caught:
        described(folder, *words, **said)
    (fault,) = caught.value.faults
    return fault.path, f"{fault.sentence} {fault.hint}".strip()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["python", "train.py", "--lr", "{lr}"], ["helper.py", "train.py"]),
        (["python", "-u", "-m", "train"], ["helper.py", "train.py"]),
        (["env", "A=1", "python", "train.py"], ["helper.py", "train.py"]),
        (["torchrun", "--nproc-per-node", "2", "train.py"], ["helper.py", "train.py"]),
        (["python", "-m", "torch.distributed.run", "train.py"], ["helper.py", "train.py"]),
        (["python", "{study}/train.py"], ["helper.py", "train.py"]),
        (["bash", "go.sh", "conf/a.yaml"], ["conf/a.yaml", "go.sh"]),
        (["./go.sh", "--config=conf/a.yaml"], ["conf/a.yaml", "go.sh"]),
        (["./go.sh", "conf/{norm}.yaml"], ["conf/a.yaml", "conf/b.yaml", "go.sh"]),
        (["./go.sh", "{workdir}/{norm}.yaml", "{a}/{b}", "*", "{lr}", "/dev/null"], ["go.sh"]),
        (["python", "app"], ["app/__main__.py", "app/inner.py"]),
        (["python", "-m", "package.run"], ["package/__init__.py", "package/run.py"]),
    ],
)
def test_the_words_that_are_files_are_the_code_and_what_a_script_imports(
    tmp_path: Path, words: list[str], found: list[str]
) -> None:
    lay(tmp_path, PYTHON)
    lay(tmp_path, {"go.sh": "echo", "conf/a.yaml": "a: 1", "conf/b.yaml": "a: 2"})
    lay(tmp_path, {"app/__main__.py": "import inner", "app/inner.py": "", "inner.py": "A = 3"})
    lay(tmp_path, {"package/__init__.py": "", "package/run.py": "", "package/rest.py": ""})
    assert files(tmp_path, *words) == found


def test_a_comment_is_no_other_code_and_another_number_is(tmp_path: Path) -> None:
    lay(tmp_path, PYTHON)
    before = described(tmp_path, "python", "train.py").version
    (tmp_path / "helper.py").write_text("# twice\nRATE  =  2\n")
    assert described(tmp_path, "python", "train.py").version == before
    (tmp_path / "other.py").write_text("A = 2\n")
    assert described(tmp_path, "python", "train.py").version == before
    (tmp_path / "helper.py").write_text("RATE = 3\n")
    assert described(tmp_path, "python", "train.py").version != before


@pytest.mark.parametrize(("code", "imported", "edited"), LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("words", [("python", "train.py"), ("python", "-m", "train")], ids=" ".join)
def test_what_a_script_imports_is_found_by_the_rules_of_python(
    tmp_path: Path, words: tuple[str, ...], code: dict[str, str], imported: str, edited: str
) -> None:
    lay(tmp_path, {**code, "train.py": imported})
    before = described(tmp_path, *words).version
    (tmp_path / edited).write_text((tmp_path / edited).read_text() + "\nEDITED = 1\n")
    assert described(tmp_path, *words).version != before


@pytest.mark.parametrize(
    "text",
    [b"\xef\xbb\xbfA = '%b'\n" % "ä".encode(), b"# coding: latin-1\nA = '%b'\n" % b"\xe4"],
    ids=["byte-order mark", "coding cookie"],
)
def test_a_source_is_read_as_python_reads_it(tmp_path: Path, text: bytes) -> None:
    lay(tmp_path, {"train.py": text})
    before = described(tmp_path, "python", "train.py").version
    (tmp_path / "train.py").write_bytes(text + b"# a comment\n")
    assert described(tmp_path, "python", "train.py").version == before


def test_other_words_readers_and_folders_to_run_in_are_other_commands(tmp_path: Path) -> None:
    lay(tmp_path, PYTHON)
    versions = [
        described(tmp_path, "python", "train.py").version,
        described(tmp_path, "python", "train.py", "--amp").version,
        described(tmp_path, "python", "train.py", reads={"json": "m.json"}).version,
        described(tmp_path, "python", "{study}/train.py", runs_in="trial").version,
    ]
    assert len(set(versions)) == len(versions)


def test_what_a_trial_takes_and_how_metrics_are_printed_are_no_part_of_identity(
    tmp_path: Path,
) -> None:
    lay(tmp_path, PYTHON)
    plain = described(tmp_path, "python", "train.py")
    dressed = described(
        tmp_path, "python", "train.py", needs={"cpus": 2.0}, metrics={"a": {"label": "A"}}
    )
    assert dressed.version == plain.version
    assert str(dressed.needs({})) == "2 cores"


def test_a_moved_project_is_the_same_one(tmp_path: Path) -> None:
    lay(tmp_path / "here" / "study", {**PYTHON, "lib/a.txt": "a", "../common/x.sh": "x"})
    said = {"code": ("lib", "../common/x.sh"), "data": ("lib/a.txt",)}
    before = described(tmp_path / "here" / "study", "python", "train.py", **said)
    shutil.move(tmp_path / "here", tmp_path / "there")
    after = described(tmp_path / "there" / "study", "python", "train.py", **said)
    assert after.version == before.version
    assert after.data({}) == before.data({})


def test_declaring_what_is_imported_anyway_trains_nothing_anew(tmp_path: Path) -> None:
    lay(tmp_path, PYTHON)
    declared = described(tmp_path, "python", "train.py", code=("helper.py",))
    assert declared.version == described(tmp_path, "python", "train.py").version


def test_a_script_is_code_whatever_is_declared(tmp_path: Path) -> None:
    lay(tmp_path, {**PYTHON, "a.yaml": "a: 1"})
    words = ("python", "train.py", "--log", "a.yaml")
    assert files(tmp_path, *words, code=()) == ["helper.py", "train.py"]
    assert files(tmp_path, *words) == ["a.yaml", "helper.py", "train.py"]


def test_a_file_beside_a_script_comes_before_a_library_of_its_name(tmp_path: Path) -> None:
    lay(tmp_path, {"train.py": "import queue, yaml, torch.nn, ray", "queue.py": "", "yaml.py": ""})
    lay(tmp_path, {"torch/__init__.py": "from . import nn", "torch/nn.py": "", "ray/readme": ""})
    wanted = ["queue.py", "torch/__init__.py", "torch/nn.py", "train.py", "yaml.py"]
    assert files(tmp_path, "python", "train.py") == wanted


def test_a_module_from_elsewhere_is_known_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, {"study/train.py": "import afar_module", "one/afar_module.py": "A = 1"})
    monkeypatch.syspath_prepend(tmp_path / "one")
    first = described(tmp_path / "study", "python", "train.py")
    shutil.move(tmp_path / "one", tmp_path / "two")
    monkeypatch.syspath_prepend(tmp_path / "two")
    assert described(tmp_path / "study", "python", "train.py").version == first.version
    (tmp_path / "two" / "afar_module.py").write_text("A = 2")
    assert described(tmp_path / "study", "python", "train.py").version != first.version


def test_a_declared_folder_is_all_its_files_less_caches_results_and_studies(
    tmp_path: Path,
) -> None:
    lay(tmp_path, PYTHON)
    lay(tmp_path, {"lib/deep/b.cu": "b", "lib/.git/x": "x", "lib/__pycache__/a.pyc": b"\0"})
    lay(tmp_path, {"lib/results/ledger.sqlite": "", "lib/results/table.txt": ""})
    lay(tmp_path, {"lib/study.yaml": "workload: toy\nbaseline: {}\n", "lib/conf.yaml": "a: 1\n"})
    (tmp_path / "lib" / "loop").symlink_to(tmp_path / "lib", target_is_directory=True)
    found = files(tmp_path, "python", "train.py", code=("lib/",))
    assert found == ["helper.py", "lib/conf.yaml", "lib/deep/b.cu", "train.py"]


@pytest.mark.parametrize("names", [("a/x.txt", "b/x.txt"), ("b/x.txt", "a/x.txt")])
def test_a_digest_does_not_depend_on_the_order_in_which_files_were_made(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for name in names:
        lay(tmp_path, {f"data/{name}": name})
    said = described(tmp_path, "true", code=(), data=("data",))
    assert said.data({}) == "279b297af45d920026d1"


def test_data_are_known_by_content_wherever_they_lie(tmp_path: Path) -> None:
    lay(tmp_path, {"go.sh": "", "one/a.bin": "12", "two/a.bin": "12", "three/a.bin": "13"})
    one, two, three = (
        described(tmp_path, "./go.sh", data=(name,)) for name in ("one", "two/", "three")
    )
    assert one.version == two.version == three.version
    assert one.data({}) == two.data({}) != three.data({})
    assert described(tmp_path, "./go.sh").data({}) == ""


def test_data_with_a_version_are_not_read(tmp_path: Path) -> None:
    lay(tmp_path, {"go.sh": ""})
    data = [
        described(tmp_path, "./go.sh", data=({"path": "nowhere/pets", "version": version},))
        for version in ("1", "1", "2")
    ]
    assert data[0].data({}) == data[1].data({}) != data[2].data({})


def test_a_function_has_data_needs_and_a_version_too(tmp_path: Path) -> None:
    lay(tmp_path, {"wl.py": "def train(config, *, seed, budget, workdir):\n    yield 1\n"})
    lay(tmp_path, {"pets/a": "1"})
    bare = describe("wl:train", tmp_path)
    same = describe(OwnWorkload(function="wl:train"), tmp_path)
    assert (same.name, same.version, same.data({})) == (bare.name, bare.version, "")
    said = OwnWorkload(function="wl:train", data=("pets",), version=3, needs={"gpus": 0.5})  # type: ignore[arg-type]  # as YAML has it
    full = describe(said, tmp_path)
    assert (full.version, full.vouched) == ("3", "3")
    assert full.data({})
    assert str(full.needs({})) == "1 core and 0.5 GPUs"


def test_what_is_not_there_is_refused_at_its_key(tmp_path: Path) -> None:
    lay(tmp_path, {**PYTHON, "mylib/a.py": "", "data/pets/a": ""})
    path, said = refusal(tmp_path, "python", "train.py", code=("train.py", "mylb/"))
    seen = "as seen from this file's folder"
    assert (path, said) == (("code", 1), f"there is no 'mylb/', {seen} did you mean 'mylib'?")
    path, said = refusal(tmp_path, "python", "train.py", data=("data/petz",))
    assert path == ("data", 0)
    assert said == f"there is no 'data/petz', {seen} did you mean 'data/pets'?"
    path, said = refusal(tmp_path, "mytrainer", "--lr", "{lr}")
    assert said.startswith("no word of the command is a file here, so nothing tells what it runs")
    assert files(tmp_path, "mytrainer", code=()) == []


def test_more_than_can_be_read_asks_for_a_version_or_a_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, {"go.sh": "", **{f"many/{i}": "" for i in range(5)}})
    monkeypatch.setattr(declared_files, "MOST_DATA", (4, 100))
    path, said = refusal(tmp_path, "./go.sh", data=("many",))
    assert path == ("data", 0)
    assert said == (
        "'many' has more than 4 files, which are not read state a version instead: "
        "{path: many, version: ...}"
    )
    monkeypatch.setattr(declared_files, "MOST_CODE", (4, 100))
    path, said = refusal(tmp_path, "./go.sh", code=("many",))
    assert path == ("code", 0)
    assert said.endswith("name the files that the command runs, and what it reads under data")


def test_a_vouched_version_stays_when_the_code_changes_and_not_when_the_words_do(
    tmp_path: Path,
) -> None:
    lay(tmp_path, PYTHON)
    before = described(tmp_path, "python", "train.py", version=3)
    (tmp_path / "helper.py").write_text("RATE = 3\n")
    after = described(tmp_path, "python", "train.py", version=3)
    assert after.version == before.version
    assert after.program is not None
    assert before.program is not None
    assert after.program.digest != before.program.digest
    assert described(tmp_path, "python", "train.py", "-x", version=3).version != before.version
    assert described(tmp_path, "python", "train.py", version=4).version != before.version


@pytest.mark.parametrize(
    ("source", "libraries"),
    [
        ("import helper, argparse", set()),
        ("import helper\nfrom lib.core import x\nimport torch", {"torch", "numpy"}),
        ("import helper, requests", set()),
        ("import subprocess", set()),
        ("import pytorch_lightning", {"torch", "numpy"}),
        ("import torchvision", {"torch", "numpy"}),
    ],
)
def test_the_libraries_of_a_python_command_are_what_its_files_import(
    tmp_path: Path, source: str, libraries: set[str]
) -> None:
    lay(tmp_path, {**PYTHON, "train.py": source, "lib/core.py": "x = 1"})
    assert described(tmp_path, "python", "train.py").libraries() == libraries
    lay(tmp_path, {"go.sh": "python train.py"})
    assert described(tmp_path, "./go.sh").libraries() == set()
    lay(tmp_path, {"train.py": "import torch"})
    elsewhere = described(tmp_path, "/opt/conda/bin/python", "train.py")
    assert elsewhere.libraries() == set(), "it has libraries of its own, of other versions"


def test_a_program_travels(tmp_path: Path) -> None:
    lay(tmp_path, PYTHON)
    found = program(tmp_path, "python", "train.py", reads={"json": "m.json"})
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own


def test_files_that_are_edited_or_gone_where_it_runs_are_named(tmp_path: Path) -> None:
    lay(tmp_path, {**PYTHON, "pets/a": "1"})
    found = program(tmp_path, "python", "train.py", data=("pets",))
    assert changed_files(found) == ""
    (tmp_path / "helper.py").write_text("RATE = 2  # as before\n")
    assert changed_files(found) == ""
    (tmp_path / "helper.py").write_text("RATE = 3\n")
    assert f"{tmp_path / 'helper.py'} was edited or is another" in changed_files(found)
    (tmp_path / "helper.py").unlink()
    assert f"{tmp_path / 'helper.py'} is not there" in changed_files(found)
    lay(tmp_path, {**PYTHON, "pets/a": "2"})
    assert f"the data {tmp_path / 'pets'} are other data" in changed_files(found)
    shutil.rmtree(tmp_path / "pets")
    assert f"the data {tmp_path / 'pets'} are not there" in changed_files(found)


def test_an_edit_that_keeps_size_and_time_is_seen_where_the_file_is_another(
    tmp_path: Path,
) -> None:
    lay(tmp_path, PYTHON)
    found = program(tmp_path, "python", "train.py")
    assert changed_files(found) == ""
    helper = tmp_path / "helper.py"
    status = helper.stat()
    (tmp_path / "new.py").write_text("RATE = 9\n")
    (tmp_path / "new.py").replace(helper)
    os.utime(helper, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "helper.py was edited" in changed_files(found)


def test_a_file_that_a_command_writes_and_names_is_told(tmp_path: Path) -> None:
    lay(tmp_path, PYTHON)
    words = ("python", "train.py", "--log", "log.txt")
    found = program(tmp_path, *words)
    declared = program(tmp_path, *words, code=("train.py",))
    assert written_words(found) == written_words(declared) == ""
    (tmp_path / "log.txt").write_text("done")
    assert written_words(found).startswith(f"{tmp_path / 'log.txt'} was not there before")
    assert written_words(declared) == ""


def test_a_file_that_a_value_names_belongs_to_the_arms_with_that_value(tmp_path: Path) -> None:
    lay(tmp_path, {"go.sh": ". ./$1", "a.env": "K=1", "b.env": "K=2"})
    found = described(tmp_path, "sh", "go.sh", "{cfg}")
    before = [found.data({"cfg": name}) for name in ("a.env", "b.env", "none")]
    assert len(set(before)) == 3
    assert before[2] == ""
    (tmp_path / "a.env").write_text("K=7")
    after = [found.data({"cfg": name}) for name in ("a.env", "b.env", "none")]
    assert after[0] != before[0]
    assert after[1:] == before[1:]


@pytest.mark.parametrize(
    ("words", "config", "chosen"),
    [
        (["{cfg}"], {"cfg": "conf/a.yaml"}, ["conf/a.yaml"]),
        (["--cfg={run.cfg}"], {"run": {"cfg": "conf/a.yaml"}}, ["conf/a.yaml"]),
        (["{--*}"], {"cfg": "conf/a.yaml"}, ["conf/a.yaml"]),
        ([], {"cfg": ["conf/a.yaml", "conf/b.yaml"]}, ["conf/a.yaml", "conf/b.yaml"]),
        (["{stem}{end}"], {"stem": "conf/a", "end": ".yaml"}, ["conf/a.yaml"]),
        (["python", "{script}"], {"script": "train.py"}, ["helper.py", "train.py"]),
        (["python", "-um", "{name}"], {"name": "train"}, ["helper.py", "train.py"]),
        (["{cfg}"], {"cfg": "go.sh"}, []),
        (["{cfg}"], {"cfg": "*"}, []),
        (["{cfg}"], {"cfg": 3}, []),
    ],
)
def test_the_files_of_a_config_are_those_that_its_values_name(
    tmp_path: Path, words: list[str], config: dict[str, Any], chosen: list[str]
) -> None:
    lay(tmp_path, {**PYTHON, "go.sh": "", "conf/a.yaml": "a: 1", "conf/b.yaml": "a: 2"})
    found = described(tmp_path, "./go.sh", *words)
    assert [one.path for one in found.chosen(config)] == chosen


def test_data_that_a_value_names_are_data_and_declared_code_stays_the_code(tmp_path: Path) -> None:
    lay(tmp_path, {"go.sh": "", "a.env": "K=1", "big/a.bin": "1", "plain.env": ""})
    config = {"cfg": "a.env", "data": "big/a.bin"}
    words = ("./go.sh", "{cfg}", "{data}", "plain.env", "big")
    found = described(tmp_path, *words, code=("go.sh",), data=({"path": "big", "version": "1"},))
    assert found.chosen(config) == ()
    assert found.unseen(config) == (
        "The command names plain.env; a.env, which neither `code` nor `data` does: if it reads "
        "that, an edit goes unnoticed.",
    )
    covered = described(tmp_path, *words, code=("go.sh", "a.env", "plain.env"), data=("big",))
    assert covered.unseen(config) == ()
    assert described(tmp_path, "./go.sh", "{cfg}", "big").unseen(config) == (
        "The command names big, which neither `code` nor `data` does: if it reads that, an edit "
        "goes unnoticed.",
    )


def test_a_large_file_that_a_value_names_is_to_be_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_code, "MOST_CODE", (4, 100))
    lay(tmp_path, {"go.sh": "", "a.bin": "1" * 200})
    with pytest.raises(StudyError, match="the code has more than"):
        described(tmp_path, "./go.sh", "{cfg}").data({"cfg": "a.bin"})


@pytest.mark.parametrize(
    "words",
    [
        ["-um", "package.run"],
        ["-mpackage.run"],
        ["-Bmpackage.run"],
        ["-X", "utf8", "-Im", "package.run"],
        ["-c", "import package.run; package.run.main({lr}, '{seed}')"],
        ["-uc", "from package import run"],
        ["-m", "accelerate.commands.launch", "--module", "package.run"],
    ],
    ids=" ".join,
)
def test_a_module_is_found_however_python_is_given_it(tmp_path: Path, words: list[str]) -> None:
    lay(tmp_path, {"package/__init__.py": "", "package/run.py": "from . import rest"})
    lay(tmp_path, {"package/rest.py": "A = 1", "base.yaml": ""})
    before = described(tmp_path, "python", *words, "--config", "base.yaml").version
    (tmp_path / "package" / "rest.py").write_text("A = 2")
    assert described(tmp_path, "python", *words, "--config", "base.yaml").version != before


@pytest.mark.parametrize(
    ("words", "blind"),
    [
        (["python", "-I", "train.py"], "-I"),
        (["python3.12", "-X", "utf8", "-um", "train"], ""),
        (["python", "-uIm", "train"], "-uIm"),
        (["python", "-S", "train.py"], "-S"),
        (["python", "train.py", "-I", "-S"], ""),
        (["env", "-i", "python", "train.py"], "-i"),
        (["env", "PYTHONPATH=lib", "python", "train.py"], "PYTHONPATH=lib"),
        (["python", "-W", "ignore::SyntaxWarning", "train.py"], ""),
    ],
    ids=str,
)
def test_a_python_that_cannot_be_watched_is_told(
    tmp_path: Path, words: list[str], blind: str
) -> None:
    lay(tmp_path, PYTHON)
    said = described(tmp_path, *words).unseen({})
    assert [f"With the word {blind} nobody sees" in each for each in said] == [True] * bool(blind)
