"""`report`, `explain` and `verify` as a person types them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cbablate import api
from cbablate.cli.main import app
from cbablate.errors import CbablateError, EnvironmentFault
from tests.toys import toy_file

# One process makes what these look at.
pytestmark = pytest.mark.xdist_group("report commands")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A study that has run, and its results."""
    folder = tmp_path_factory.mktemp("reported")
    study = toy_file(folder)
    ran = api.run(
        api.plan(api.load_study(study)),
        results=folder / "results",
        resources=api.Resources(on="local"),
        mirrored=False,
    )
    assert ran.exit_code == 0
    return study, folder / "results"


def typed(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.slow
def test_report_writes_a_page_and_says_where(done: tuple[Path, Path], tmp_path: Path) -> None:
    study, results = done
    out = tmp_path / "page.html"
    said = typed("report", study, "--results", results, "-o", out)
    assert said.exit_code == 0, said.output
    assert said.stdout == ""
    assert said.stderr == f"wrote {out}\n"
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "12 of 12 trials complete" in page
    nowhere = typed("report", study, "--results", results, "-o", tmp_path / "no" / "page.html")
    assert isinstance(nowhere.exception, EnvironmentFault)


@pytest.mark.slow
def test_explain_takes_the_key_that_the_latex_source_carries(done: tuple[Path, Path]) -> None:
    study, results = done
    latex = typed("table", study, "--results", results, "--as", "latex").stdout
    (line,) = [line for line in latex.splitlines() if line.lstrip().startswith("three ")]
    said = typed("explain", study, f"{line.split()[-1]}:2", "--results", results)
    assert said.exit_code == 0
    assert said.stdout.startswith("three, ")
    assert "Entered: 3 trials" in said.stdout
    assert isinstance(typed("explain", study, "x:2").exception, CbablateError)


@pytest.mark.slow
def test_explain_takes_a_negative_number_for_a_row_and_no_misspelt_option_for_one(
    tmp_path: Path,
) -> None:
    study = tmp_path / "below.yaml"
    study.write_text(
        "question: Does a lower ceiling score lower?\n"
        "workload: toy\n"
        "baseline: {ceiling: 1.0, noise: 0.05, seconds: 0}\n"
        "factors:\n"
        "  - name: ceiling\n"
        "    levels: [{name: one}, {name: '-0.1', changes: {ceiling: -0.1}}]\n"
        "budget: {epochs: 1}\n"
        "replicates: 2\n"
        "objective: {metric: val/score, direction: maximize}\n"
        "report: [test/score]\n"
    )
    where = ("--results", tmp_path / "r")
    assert typed("run", study, "--on", "local", "--no-mirrors", *where).exit_code == 0
    for words in (["-0.1", "2"], ["-0.1:2"], ["--", "-0.1", "2"]):
        said = typed("explain", study, *where, *words)
        assert said.stdout.startswith("-0.1, "), (words, said.output)
    missing = typed("explain", study, *where, "-.7", "2")
    assert "is called '-.7'" in str(missing.exception)
    for option in ("--result", "-x"):
        misspelt = typed("explain", study, "-0.1", option, tmp_path / "r")
        assert misspelt.exit_code == 2
        assert f"No such option: {option}" in misspelt.stderr


@pytest.mark.slow
def test_verify_exits_0_or_3_and_names_the_line(done: tuple[Path, Path], tmp_path: Path) -> None:
    study, results = done
    paper = tmp_path / "paper.tex"
    latex = typed("table", study, "--results", results, "--as", "latex").stdout
    paper.write_text(f"{latex}5 & 6 \\\\ % cbablate row other 0123456789\n")
    words = ("verify", study, paper, "--results", results)
    same = typed(*words)
    assert same.exit_code == 0, same.output
    assert "toys: 4 of 4 rows" in same.stdout
    assert "all match" in same.stdout
    assert "other: not checked, for its study file was not given" in same.stderr
    number = next(i for i, line in enumerate(latex.splitlines(), 1) if line.startswith("    two "))
    value = latex.splitlines()[number - 1].split(" & ")[1].partition(r"\,")[0]
    data = latex.partition("% cbablate data toys ")[2][:12]
    paper.write_text(latex.replace(f"two & {value}", "two & 7.77").replace(data, "0" * 12))
    changed = typed(*words)
    assert changed.exit_code == 3
    where = f"paper.tex:{number}: toys, two, Score: the paper prints 7.77, the ledger says {value}"
    assert where in changed.stdout.replace("\n", ""), changed.stdout
    assert "1 do not match; there are new data since" in changed.stdout


def test_verify_says_what_a_paper_leaves_out_and_what_its_words_changed(
    done: tuple[Path, Path], tmp_path: Path
) -> None:
    study, results = done
    paper = tmp_path / "paper.tex"
    latex = typed("table", study, "--results", results, "--as", "latex").stdout
    two = next(line for line in latex.splitlines() if line.startswith("    two "))
    paper.write_text(latex.replace(f"{two}\n", ""))
    words = ("verify", study, paper, "--results", results)
    less = typed(*words)
    assert less.exit_code == 0, less.output
    assert "toys: 3 of 4 rows" in less.stdout
    assert "not printed: two" in less.stdout
    paper.write_text(latex.replace("paired by seed", "unpaired"))
    wrong = typed(*words)
    assert wrong.exit_code == 3
    assert 'the ledger "Means of' in wrong.stdout.replace("\n", " "), wrong.stdout


@pytest.mark.parametrize("suffix", ["md", "html", "csv"])
def test_verify_reads_every_form_that_table_writes(
    suffix: str, done: tuple[Path, Path], tmp_path: Path
) -> None:
    study, results = done
    copy = tmp_path / f"table.{suffix}"
    assert typed("table", study, "--results", results, "-o", copy).exit_code == 0
    same = typed("verify", study, copy, "--results", results)
    assert same.exit_code == 0, same.output
    assert "all match" in same.stdout
    text = copy.read_text()
    changed = re.sub(r"(\d)\.(\d)(\d+)", lambda m: f"{m[1]}.{9 - int(m[2])}{m[3]}", text)
    assert changed != text
    copy.write_text(changed)
    assert typed("verify", study, copy, "--results", results).exit_code == 3


@pytest.mark.slow
def test_verify_of_a_paper_without_our_tables_fails(
    done: tuple[Path, Path], tmp_path: Path
) -> None:
    study, results = done
    paper = tmp_path / "paper.tex"
    paper.write_text("\\begin{document}")
    said = typed("verify", study, paper, "--results", results)
    assert said.exit_code == 3
    assert "has no row of it" in said.stdout
    assert isinstance(typed("verify", paper).exception, CbablateError)


def test_verify_counts_no_row_that_is_commented_out(
    done: tuple[Path, Path], tmp_path: Path
) -> None:
    study, results = done
    paper = tmp_path / "paper.tex"
    latex = typed("table", study, "--results", results, "--as", "latex").stdout
    words = ("verify", study, paper, "--results", results)
    two = next(line for line in latex.splitlines() if line.startswith("    two "))
    paper.write_text(latex.replace(two, f"% {two}"))
    some = typed(*words)
    assert some.exit_code == 0, some.output
    assert "toys: 3 of 4 rows" in some.stdout
    assert "all match; 1 row is commented out" in some.stdout
    paper.write_text("\n".join(f"% {line}" for line in latex.splitlines()))
    none = typed(*words)
    assert none.exit_code == 3
    assert "match" not in none.stdout
    assert f"toys: {paper} prints no row of it: 4 rows are commented out" in none.stdout


@pytest.mark.slow
def test_explaining_and_verifying_import_nothing_heavy(
    done: tuple[Path, Path], tmp_path: Path
) -> None:
    study, results = done
    paper = tmp_path / "paper.tex"
    paper.write_text(typed("table", study, "--results", results, "--as", "latex").stdout)
    program = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from cbablate.cli.main import app\n"
        f"for words in (['explain', {str(study)!r}, '2:2'], ['verify', {str(study)!r}, "
        f"{str(paper)!r}]):\n"
        f"    said = CliRunner().invoke(app, [*words, '--results', {str(results)!r}])\n"
        "    assert said.exit_code == 0, said.output\n"
        "heavy = {'torch', 'ray', 'mlflow', 'optuna', 'matplotlib', 'scipy', 'sqlalchemy'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or None)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, f"imported {ran.stderr}"


def test_diff_compares_studies_or_one_with_its_past(
    done: tuple[Path, Path], tmp_path: Path
) -> None:
    study, results = done
    longer = toy_file(tmp_path, replicates=5)
    said = typed("diff", study, longer, "--results", results)
    assert said.exit_code == 0, said.output
    assert "  replicates: 3 -> 5" in said.stdout
    assert "Complete trials: 12 -> 12, 12 of them the same" in said.stdout
    past = typed("diff", study, "--results", results, "--until", "1")
    assert "Complete trials: 0 -> 12, 0 of them the same" in past.stdout
    empty = typed("diff", study, "--results", results, "--other", tmp_path / "none")
    assert "there is no ledger at" in str(empty.exception)
    assert isinstance(typed("diff", study).exception, CbablateError)
