"""What a notebook calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cbablate
from cbablate import api
from cbablate.errors import CbablateError, StudyError
from cbablate.records.state import TrialState
from tests.toys import toy_file


def test_the_package_offers_what_the_api_has_and_imports_it_late() -> None:
    assert set(cbablate.__all__) == set(api.__all__)
    for name in cbablate.__all__:
        assert getattr(cbablate, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="no attribute 'tabel'"):
        _ = cbablate.tabel
    program = "import sys, cbablate; sys.exit('pydantic' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_study_runs_and_its_table_reads_in_a_few_lines(tmp_path: Path) -> None:
    planned = api.plan(api.load_study(toy_file(tmp_path)))
    done = api.run(
        planned,
        results=tmp_path / "results",
        resources=api.Resources(on="local"),
        mirrored=False,
    )
    assert done.states == {TrialState.COMPLETE: 12}
    assert "four" in str(api.table(planned, results=tmp_path / "results"))
    assert {path.suffix for path in done.published} == {".tex", ".md", ".csv"}
    assert not (tmp_path / "results" / "mlflow.sqlite").exists()


def test_twin_arms_are_told_with_their_place_in_the_file(tmp_path: Path) -> None:
    path = toy_file(tmp_path)
    path.write_text(path.read_text().replace("ceiling: 3.0", "ceiling: 2.0"))
    with pytest.raises(StudyError, match=r"toys\.yaml:9:9: .*'two' and 'three' are the same"):
        api.plan(api.load_study(path))


def test_a_place_to_run_that_is_none_is_a_sentence() -> None:
    with pytest.raises(CbablateError, match="'ray' or 'local', not on 'mars'"):
        api.Resources(on="mars").executor()


def test_verify_asks_nothing_of_a_workload_that_has_nothing_to_verify(tmp_path: Path) -> None:
    planned = api.plan(api.load_study(toy_file(tmp_path)))
    api.verify(planned, api.Resources(on="local"))
