"""The corpus of bad studies: each has its message beside it, word for word."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cbablate.errors import StudyError
from cbablate.planning.plan import plan
from cbablate.spec.loading.load import read_study
from cbablate.workloads.catalog import describe

CORPUS = Path(__file__).parent.parent / "bad_studies"
CASES = sorted(CORPUS.glob("*/*.yaml"))


def complaint(name: str) -> str:
    """What is said about a file of the working folder: by its reader, or else by its plan."""
    try:
        file = read_study(name, describe)
    except StudyError as error:
        return str(error)
    try:
        plan(file.study, file.description)
    except StudyError as error:
        return str(file.located(error))
    return ""


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_bad_study_is_refused_in_these_words(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    expected = path.with_suffix(".expected").read_text(encoding="utf-8")
    assert f"{complaint(path.name)}\n" == expected


def test_the_corpus_is_large_and_has_no_expectation_without_a_study() -> None:
    assert len(CASES) > 100
    assert {p.with_suffix(".yaml") for p in CORPUS.glob("*/*.expected")} == set(CASES)


@pytest.mark.slow
def test_refusing_imports_no_library_that_trains_schedules_or_tracks() -> None:
    script = """
import json, os, sys
from pathlib import Path
from tests.spec.test_bad_studies import CASES, complaint
said = 0
for path in CASES[::4]:
    os.chdir(path.parent)
    said += bool(complaint(path.name))
heavy = [m for m in ("torch", "ray", "optuna", "mlflow", "timm") if m in sys.modules]
print(json.dumps([said, heavy]))
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CORPUS.parent.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(ended.stdout) == [len(CASES[::4]), []]
