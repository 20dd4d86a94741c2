"""`@cbablate.workload` in a source says what a workload file says of a function."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.spec.own_workload import OwnWorkload
from cbablate.workloads.catalog import describe

SOURCE = """\
from cbablate import workload

{declaration}
def train(config, *, seed, budget, workdir):
    yield 1
"""
WORDS = (
    '@workload(metrics={"val/acc": {"label": "Accuracy", "better": "higher"}}, '
    'needs={"gpus": 0.5}, data=["pets"], version=3)'
)


def lay(folder: Path, declaration: str, name: str = "wl.py") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(SOURCE.format(declaration=declaration))


def test_the_source_says_metrics_needs_data_and_a_version(tmp_path: Path) -> None:
    lay(tmp_path, WORDS)
    (tmp_path / "pets").write_text("1")
    found = describe("wl:train", tmp_path)
    assert found.declared["val/acc"].label == "Accuracy"
    assert str(found.needs({})) == "1 core and 0.5 GPUs"
    assert (found.version, found.vouched) == ("3", "3")
    assert found.data({})


def test_what_a_file_says_goes_before(tmp_path: Path) -> None:
    lay(tmp_path, WORDS)
    (tmp_path / "pets").write_text("1")
    said = OwnWorkload.model_validate_json(
        '{"function": "wl:train", "version": 4, "data": [], "needs": {"cpus": 2}}'
    )
    found = describe(said, tmp_path)
    assert found.vouched == "4"
    assert str(found.needs({})) == "2 cores"
    assert found.data({}) == ""
    assert found.declared["val/acc"].label == "Accuracy"


def test_data_of_a_source_lie_beside_the_source(tmp_path: Path) -> None:
    lay(tmp_path, '@workload(data=["pets"])', "package/wl.py")
    (tmp_path / "package" / "pets").write_text("1")
    found = describe("package.wl:train", tmp_path)
    assert found.code is not None
    assert [one.path for one in found.code.data] == ["package/pets"]


def test_a_label_in_the_source_is_no_other_code_and_the_body_is(tmp_path: Path) -> None:
    lay(tmp_path, '@workload(metrics={"a": {"label": "A"}})')
    before = describe("wl:train", tmp_path).version
    lay(tmp_path, '@workload(metrics={"a": {"label": "Another"}}, needs={"cpus": 2})')
    assert describe("wl:train", tmp_path).version == before
    text = (tmp_path / "wl.py").read_text()
    (tmp_path / "wl.py").write_text(text.replace("yield 1", "yield 2"))
    assert describe("wl:train", tmp_path).version != before


@pytest.mark.parametrize(
    ("declaration", "sentence"),
    [
        ('@workload(needs={"gpu": 1})', "wl.py, @workload of 'train': needs.gpu: 'gpu' is not a"),
        ("@workload(version=1.5)", "wl.py, @workload of 'train': version: 1.5 is not"),
        ("@workload(data={'a'})", "wl.py, @workload of 'train': "),
        ("@workload(metrics=METRICS)", "wl.py, line 3: `metrics` of @workload is read without"),
        ("@workload(command=1)", "wl.py, line 3: 'command' is not a word of @workload"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_file(
    tmp_path: Path, declaration: str, sentence: str
) -> None:
    lay(tmp_path, declaration)
    with pytest.raises(LookupError) as caught:
        describe("wl:train", tmp_path)
    assert str(caught.value.args[0]).startswith(sentence)
