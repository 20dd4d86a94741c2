"""Hints, folders of results and closed pipes: what a person types next, and what a script gets."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cbablate.cli.words import say
from tests.cli.typed import typed
from tests.toys import toy_file

# One process makes what these look at.
pytestmark = pytest.mark.xdist_group("words")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that has run; its results lie in `ray results`."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "my studies").mkdir()
    toy_file(folder / "my studies", replicates=2, epochs=1)
    words = ("--on", "local", "--no-mirrors", "--results", "ray results")
    ran = typed("run", "my studies/toys.yaml", *words, cwd=folder)
    assert ran.code == 0, ran
    (folder / "said").write_text(ran.err)
    return folder


STUDY = "my studies/toys.yaml"


@pytest.mark.slow
def test_a_hint_can_be_pasted_as_it_is(done: Path) -> None:
    said = (done / "said").read_text()
    (line,) = [line for line in said.splitlines() if "cbablate sync" in line]
    words = shlex.split(line[line.index("cbablate sync") :])
    assert words == ["cbablate", "sync", STUDY, "--results", "ray results"]


READING = [
    ["status", STUDY],
    ["table", STUDY],
    ["sweep", STUDY],
    ["explain", STUDY, "1:2"],
    ["diff", STUDY, "--until", "3"],
    ["report", STUDY],
    ["sync", STUDY],
    ["verify", STUDY, "paper.tex"],
    ["status", STUDY, "--json"],
    ["table", STUDY, "--json"],
]


@pytest.mark.parametrize("words", READING, ids=lambda words: " ".join(words[:1] + words[2:]))
def test_a_misspelt_folder_of_results_is_an_error_of_the_environment(
    words: list[str], done: Path
) -> None:
    (done / "paper.tex").touch()
    said = typed(*words, "--results", "ray result", cwd=done)
    assert said.code == 4, said
    assert said.out == ""
    assert "there is no ledger at ray result. Did you mean 'ray results'?" in said.err
    assert not (done / "ray result").exists()


@pytest.mark.slow
def test_what_was_meant_by_a_folder_without_a_ledger_is_said(done: Path) -> None:
    inner = typed("status", STUDY, "--results", "ray results/toys", cwd=done)
    assert (inner.code, "Did you mean 'ray results'?" in inner.err) == (4, True), inner
    file = typed("status", STUDY, "--results", "ray results/ledger.sqlite", cwd=done)
    assert file.code == 4
    other = typed("diff", STUDY, "--results", "ray results", "--other", "gone", cwd=done)
    assert (other.code, "no ledger at gone" in other.err) == (4, True), other


def test_before_the_first_run_the_usual_folder_may_be_missing_and_that_is_said(done: Path) -> None:
    for command in ("status", "table"):
        said = typed(command, STUDY, cwd=done)
        assert said.code == 0, said
        assert "Nothing has run yet: there is no ledger in ./results." in said.err
        assert typed(command, STUDY, "--results", "results", cwd=done).code == 4
    assert typed("plan", STUDY, "--results", "later", cwd=done).code == 0, "it may be made later"


def test_a_study_in_a_folder_below_is_suggested(done: Path) -> None:
    for asked in ("toys.yaml", "toys", "toyz.yaml"):
        said = typed("table", asked, cwd=done)
        assert said.code == 2
        assert "did you mean 'my studies/toys.yaml'?" in said.err, said
    (done / "dangling.yaml").symlink_to("gone.yaml")
    said = typed("check", "dangling.yaml", cwd=done)
    (done / "dangling.yaml").unlink()
    assert "dangling.yaml: is a link to gone.yaml, which does not exist" in said.err


PRINTING = [
    *(["check", STUDY], ["plan", STUDY], ["schema"], ["--help"], ["table", "--help"], ["data"]),
    *([command, STUDY, "--results", "ray results"] for command in ("status", "table")),
    ["table", STUDY, "--results", "ray results", "--as", "csv"],
    ["table", STUDY, "--results", "ray results", "--json"],
    ["explain", STUDY, "1:2", "--results", "ray results"],
    ["diff", STUDY, "--until", "3", "--results", "ray results"],
    ["run", STUDY, "--results", "ray results", "--on", "local", "--no-mirrors"],
]


@pytest.mark.slow
@pytest.mark.parametrize("words", PRINTING, ids=lambda words: " ".join(words))
def test_a_command_whose_reader_leaves_ends_as_it_would_have(words: list[str], done: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    said = subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", *words],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        cwd=done,
        timeout=120,
    )
    os.close(writer)
    assert said.returncode == 0, said
    assert "Traceback" not in said.stderr
    assert "BrokenPipe" not in said.stderr
    if words[0] != "run":
        assert said.stderr == ""


@pytest.mark.slow
def test_a_run_whose_messages_nobody_reads_goes_on(done: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = ["run", STUDY, "--results", "unheard", "--on", "local", "--no-mirrors"]
    said = subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", *words],
        stdout=subprocess.PIPE,
        stderr=writer,
        text=True,
        cwd=done,
        timeout=120,
    )
    os.close(writer)
    assert said.returncode == 0
    assert "8 of 8 trials" in said.stdout or "2 seeds" in said.stdout, said.stdout


SERVER = "http://me:secret@mlflow.example.org"


@pytest.mark.slow
def test_a_tracking_address_of_the_environment_that_is_not_used_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy_file(tmp_path, replicates=1, epochs=1)
    ran = ("run", "toys.yaml", "--on", "local")
    store = f"sqlite:///{tmp_path.resolve() / 'other.sqlite'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", SERVER)
    quiet = typed(*ran, "--no-mirrors", cwd=tmp_path)
    assert "MLFLOW_TRACKING_URI" not in quiet.err, "MLflow is not told at all"
    for words in ((*ran,), ("sync", "toys.yaml"), ("ui", "--results", "none")):
        said = typed(*words, cwd=tmp_path)
        assert said.err.count("MLFLOW_TRACKING_URI is set to") == 1, (words, said)
        assert (
            "http://***@mlflow.example.org and is not used: trials are shown in sqlite" in said.err
        )
        assert "secret" not in said.err
        assert "MLFLOW_TRACKING_URI" not in said.out
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    same = typed("sync", "toys.yaml", "--mlflow", store, cwd=tmp_path)
    assert same.code == 0, same
    assert "MLFLOW_TRACKING_URI" not in same.err


def test_a_stream_without_a_minus_sign_is_given_a_hyphen(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "latin-1", errors="replace"))
    say("undecided (\u22120.23 to +0.98 pp), a\u2212b")
    assert written.getvalue() == b"undecided (-0.23 to +0.98 pp), a?b\n"
