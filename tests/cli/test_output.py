"""What `table -o` writes: the form that the file's name promises, or a refusal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cbablate.cli import output
from cbablate.records.place import Place
from cbablate.reporting.forms import typesetter
from tests.cli.typed import Said, typed
from tests.reporting.typesetting import needs
from tests.toys import toy_file


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return toy_file(tmp_path, replicates=2)


def table(study: Path, *words: str) -> Said:
    return typed("table", study.name, *words, cwd=study.parent)


FORMS = {"tex": r"\toprule", "md": "| --", "csv": "arm,", "txt": "────", "html": "<tr>"}


@pytest.mark.parametrize("suffix", [*FORMS, "TEX", "Csv"])
def test_the_form_follows_the_suffix(suffix: str, study: Path) -> None:
    said = table(study, "-o", f"x.{suffix}")
    assert (said.code, said.err.splitlines()[-1]) == (0, f"wrote x.{suffix}")
    written = (study.parent / f"x.{suffix}").read_text()
    bare = written.replace(" ", "")
    signs = {end for end, sign in FORMS.items() if sign.replace(" ", "") in bare}
    assert signs == {suffix.lower()}, written[:300]


@pytest.mark.parametrize("suffix", FORMS)
def test_a_form_is_asked_for_by_its_suffix_as_well_as_by_its_name(suffix: str, study: Path) -> None:
    said = table(study, "--as", suffix, "-o", f"x.{suffix}")
    assert said.code == 0, said
    wrong = table(study, "--as", "tox")
    assert (wrong.code, wrong.out) == (2, "")
    assert "latex (.tex), markdown (.md), csv (.csv)" in " ".join(wrong.err.split())


@pytest.mark.parametrize("suffix", ["", ".png", ".xlsx", ".foo", ".csv.gz", ".json"])
def test_an_unknown_suffix_is_refused_and_nothing_is_written(suffix: str, study: Path) -> None:
    said = table(study, "-o", f"x{suffix}")
    assert said.code == 2, said
    assert ".tex, .md, .csv, .html, .txt and .pdf" in " ".join(said.err.split())
    assert not (study.parent / f"x{suffix}").exists()


def test_a_terminal_is_shown_a_table_within_its_width(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = table(study).out
    assert max(map(len, piped.splitlines())) > 50
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(output, "product", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, table(study).out.splitlines())) == 50
    monkeypatch.setenv("COLUMNS", "200")
    assert len(table(study).out.splitlines()) == len(piped.splitlines())


@pytest.mark.tex
@pytest.mark.parametrize("name", ["x.pdf", "x.PDF"])
def test_a_table_whose_name_ends_in_pdf_is_a_page(name: str, study: Path) -> None:
    needs("pdflatex")
    said = table(study, "-o", name)
    assert said.code == 0, said
    assert (study.parent / name).read_bytes().startswith(b"%PDF-")


def test_without_latex_a_pdf_is_an_error_that_says_what_to_do(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typesetter.shutil, "which", lambda _name: None)
    said = table(study, "-o", "x.pdf")
    assert said.code == 4, said
    assert "apt-get install texlive-latex-base" in " ".join(said.err.split())
    assert "-o FILE.html" in said.err
    assert not (study.parent / "x.pdf").exists()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("--as", "latex", "-o", "x.csv"), "x.tex"),
        (("--as", "text", "-o", "x.pdf"), "x.txt"),
        (("--json", "-o", "x.csv"), "x.json"),
    ],
)
def test_a_form_that_contradicts_the_suffix_is_refused(
    words: tuple[str, ...], meant: str, study: Path
) -> None:
    said = table(study, *words)
    assert said.code == 2, said
    assert meant in said.err
    assert not (study.parent / words[-1]).exists()


@pytest.mark.parametrize("name", ["x.tex", "x.inc", "x", "x.TEX"])
def test_a_form_that_was_asked_for_is_written_where_the_suffix_does_not_object(
    name: str, study: Path
) -> None:
    assert table(study, "--as", "latex", "-o", name).code == 0
    assert r"\toprule" in (study.parent / name).read_text()


def test_a_file_that_cannot_be_written_is_an_error_of_the_environment(study: Path) -> None:
    for name in ("none/x.tex", ".", "y" * 300):
        said = table(study, "--as", "latex", "-o", name)
        assert (said.code, said.out) == (4, ""), said
        assert "cannot be written" in said.err
    assert typed("report", study.name, "-o", "none/x", cwd=study.parent).code == 4


@pytest.mark.parametrize("name", ["ledger.sqlite", "ledger.sqlite-wal", "ledger.seal", "lock"])
def test_what_a_results_folder_keeps_is_never_written_over(name: str, study: Path) -> None:
    results = study.parent / "results"
    with Place(results).writing() as ledger:
        ledger.tell("session", "s", {})
    link = study.parent / "link"
    link.symlink_to(results / name)
    before = {path: path.read_bytes() for path in results.iterdir()}
    assert before
    for path in (f"results/{name}", "link"):
        for command in (("table", study.name, "--as", "latex"), ("report", study.name)):
            said = typed(*command, "-o", path, cwd=study.parent)
            assert said.code == 2, said
            if not Path(path).suffix:
                assert f"{path} would take the place of" in " ".join(said.err.split()), said
    assert {path: path.read_bytes() for path in before} == before


def test_a_report_is_what_its_suffix_promises(study: Path) -> None:
    for words in (("-o", study.name), ("-o", "x.tex"), ("--pdf", "-o", "x.html")):
        before = study.read_bytes()
        said = typed("report", study.name, *words, cwd=study.parent)
        assert said.code == 2, said
        assert study.read_bytes() == before
        assert not (study.parent / words[-1]).exists() or words[-1] == study.name
    said = typed("report", study.name, "-o", "x.HTML", cwd=study.parent)
    assert said.code == 0, said
    assert (study.parent / "x.HTML").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.tex
def test_a_report_whose_name_ends_in_pdf_is_a_pdf(study: Path) -> None:
    needs("pdflatex")
    said = typed("report", study.name, "-o", "x.pdf", cwd=study.parent)
    assert said.code == 0, said
    assert (study.parent / "x.pdf").read_bytes().startswith(b"%PDF-")
