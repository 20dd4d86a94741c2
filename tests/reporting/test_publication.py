"""Publication: files that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.errors import EnvironmentFault
from cbablate.planning.plan import plan as replanned
from cbablate.reporting.pages import publication
from cbablate.reporting.pages.publication import publish
from cbablate.reporting.pages.report import report
from tests.analysis.fabrication import placement, told
from tests.reporting.tables import drawn

FILES = [
    "placement.html",
    "placement.tex",
    "placement.md",
    "placement.csv",
    "placement-differences.pdf",
    "placement-differences.png",
    "placement-curves.pdf",
    "placement-curves.png",
    "placement-attention-entropy.pdf",
    "placement-attention-entropy.png",
]


@pytest.mark.slow
def test_tables_and_figures_are_written_and_named(tmp_path: Path) -> None:
    plan = placement(replicates=2)
    written = publish(plan, told(plan), tmp_path / "out")
    assert [path.name for path in written] == FILES
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)


@pytest.mark.slow
def test_publishing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    plan = placement(replicates=2)
    first = [path.read_bytes() for path in publish(plan, told(plan), tmp_path)]
    assert [path.read_bytes() for path in publish(plan, told(plan), tmp_path)] == first


def test_nothing_run_has_tables_and_the_report_that_the_command_writes_and_no_figure(
    tmp_path: Path,
) -> None:
    page, *tables = publish(placement(), [], tmp_path)
    assert [page.name, *(path.name for path in tables)] == FILES[:4]
    assert page.read_text(encoding="utf-8") == report(placement(), [])


def test_a_figure_that_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_figure: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("power cut")

    old = tmp_path / FILES[4]
    old.write_bytes(b"old")
    monkeypatch.setattr(publication, "write_figure", fail)
    plan = placement(replicates=2)
    with pytest.raises(RuntimeError, match="power cut"):
        publish(plan, told(plan), tmp_path)
    assert old.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES[:5])


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match=r"tables cannot be written to .*file"):
        publish(placement(), [], tmp_path / "file")


@pytest.mark.slow
def test_what_a_former_state_of_the_study_had_written_does_not_stay_beside_its_table(
    tmp_path: Path,
) -> None:
    crossed = drawn("factorial", 2, 2, replicates=2)
    first = {path.name for path in publish(crossed, told(crossed), tmp_path)}
    own = tmp_path / f"{crossed.study.name}-notes.md"
    own.write_text("mine")
    study = crossed.study.model_copy(update={"design": "one_at_a_time"})
    now = replanned(study, crossed.description)
    second = {path.name for path in publish(now, told(now), tmp_path)}
    assert f"{crossed.study.name}-effects.tex" in first - second
    assert {path.name for path in tmp_path.iterdir()} == second | {own.name}
