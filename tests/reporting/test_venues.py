r"""Tables as papers set them: in ten classes, by two engines, without one box that is too wide."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate.analysis.outcome import outcome
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.model.table import Table
from cbablate.reporting.tables.arms import outcome_table
from tests.analysis.fabrication import FROZEN, placement, sizes, told
from tests.analysis.tuned import places_told, tuned_places
from tests.reporting.tables import crossed, finished, named, scaled, set_in, table_of
from tests.reporting.typesetting import typeset
from tests.reporting.venues import VENUES

STRANGE = (
    "a much longer name of an arm than fits",
    "cosine schedule, warm-up of 5 epochs",
    "ViT-Tiny/16 + context broadcasting",
    "w/o everything_that_one_could_name",
)
PACKAGES = r"\usepackage{booktabs,array,longtable,rotating,pdflscape}"


def tuned() -> Table:
    planned = tuned_places(FROZEN)
    return outcome_table(outcome(planned, places_told(planned)))


def tables() -> list[Table]:
    """The default tables, and a stranger's, with long names and metrics that nobody described."""
    raw = ("val/loss_total_weighted", "test/mean_average_precision_50_95", "test/latency_p99_ms")
    each = (
        table_of(placement(description=FROZEN), told(placement(description=FROZEN))),
        finished(sizes(description=FROZEN)),
        tuned(),
        named(*STRANGE, factor="training recipe of the third revision"),
        scaled(3.7, *raw),
        scaled(3.7e5, *(f"test/some_long_metric_{place}" for place in range(6))),
        crossed(("48", "96"), ("none", "CB", "CB scaled")),
    )
    return [replace(table, name=f"{number}") for number, table in enumerate(each)]


def paper(venue: str) -> str:
    """A paper that holds them all, each on its page."""
    style = VENUES[venue].style
    floats = [f"{latex(set_in(table, style=style))}\\clearpage" for table in tables()]
    head = VENUES[venue].preamble
    return "\n".join([head, PACKAGES, r"\begin{document}", *floats, r"\end{document}", ""])


def placed_words(folder: Path) -> list[tuple[str, float, float]]:
    """The words of a page that was set in a folder, with where each begins and ends, in points."""
    shown = subprocess.run(
        ["pdftotext", "-bbox", "page.pdf", "-"], cwd=folder, capture_output=True, check=True
    ).stdout.decode()
    words = re.findall(r'xMin="([\d.]+)".*?xMax="([\d.]+)".*?>(.*?)</word>', shown)
    return [(word, float(left), float(right)) for left, right, word in words]


def missing(file: str) -> bool:
    """Whether a class is not installed."""
    found = shutil.which("kpsewhich")
    return not found or subprocess.run([found, file], capture_output=True).returncode != 0


@pytest.mark.tex
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
@pytest.mark.parametrize("venue", VENUES)
def test_no_table_runs_over_a_margin(venue: str, engine: str, tmp_path: Path) -> None:
    if missing(VENUES[venue].needs):
        pytest.skip(f"{VENUES[venue].needs} (texlive-publishers) is not installed")
    _, log = typeset(paper(venue), tmp_path, engine)
    assert re.findall(r"Overfull \\hbox.*", log) == []
    assert "Float too large" not in log
    assert "Missing character" not in log


@pytest.mark.tex
def test_a_head_wider_than_its_numbers_stands_over_their_middle_and_opens_no_gap(
    tmp_path: Path,
) -> None:
    table = latex(set_in(scaled(3.7, "generalisability"), width="text"))
    page = [VENUES["article"].preamble, PACKAGES, r"\begin{document}", table, r"\end{document}"]
    typeset("\n".join(page), tmp_path)
    words = placed_words(tmp_path)
    place = [word for word, _, _ in words].index("4.625")
    mean, sign, half = words[place : place + 3]
    assert (sign[0], half[0]) == ("±", "1.402")
    assert sign[1] - mean[2] < 2
    assert half[1] - sign[2] < 2
    head = next(one for one in reversed(words) if one[0] == "generalisability")
    assert head[2] - head[1] > half[2] - mean[1], "the head is the wider one"
    assert abs((head[1] + head[2]) / 2 - (mean[1] + half[2]) / 2) < 0.5
