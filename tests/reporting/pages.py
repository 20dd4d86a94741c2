r"""`python -m tests.reporting.pages`: the pictures of pages in `docs/images/venues/`.

Each shows the default table of a study as `studies/placement.yaml`, with numbers drawn from a seed,
on a page of a venue: of its class where Debian has it, else of `article` with the venue's page,
fonts and sizes (`tests/reporting/venues.py`). It needs pdfLaTeX, pdftotext and pdftoppm.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageChops

from cbablate.analysis.outcome import Outcome, outcome
from cbablate.records.book import Book
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.methods import methods
from cbablate.reporting.tables.arms import outcome_table
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import FROZEN, placement, told
from tests.reporting.typesetting import typeset
from tests.reporting.venues import VENUES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images" / "venues"
DOTS = 84
"""Dots an inch."""
PACKAGES = r"\usepackage{booktabs,array,rotating}\pagestyle{empty}"
SHADES = 16
_TABLE = re.compile(r"(?m)^(?:Table 1|TABLE I)\b")
_SHOWN = 0.48
"""How much of a page is shown, from above."""


def named(venue: str) -> str:
    """A venue as the name of a file."""
    return re.sub(r"[^a-z]+", "-", venue.lower().removeprefix("like ")).strip("-")


def shown() -> Outcome:
    """The study that the pictures show."""
    planned = placement(description=FROZEN)
    return outcome(planned, Book.of(told(planned)))


def page(venue: str, table: Table, text: str) -> str:
    """Pages of a paper: the table, and sentences of a method section around it."""
    one = VENUES[venue]
    style = Typesetting.model_validate({"style": one.style})
    sentences = rf"{text}\par"
    return "\n".join(
        [
            one.preamble,
            PACKAGES,
            r"\begin{document}",
            sentences,
            latex(replace(table, typesetting=style)),
            *[sentences] * 24,
            r"\end{document}",
            "",
        ]
    )


def picture(source: str, to: Path, *, part: float = _SHOWN, dots: int = DOTS) -> None:
    """The upper part of the page that holds a table, as a PNG, without its margins."""
    with tempfile.TemporaryDirectory() as folder:
        typeset(source, Path(folder))
        text = subprocess.run(
            ["pdftotext", "page.pdf", "-"], cwd=folder, check=True, capture_output=True, text=True
        ).stdout
        pages = text.split("\f")
        number = 1 + next(i for i, one in enumerate(pages) if _TABLE.search(one))
        command = ["pdftoppm", "-r", f"{dots}", "-f", f"{number}", "-gray", "-png", "-singlefile"]
        subprocess.run([*command, "page.pdf", "page"], cwd=folder, check=True)
        with Image.open(Path(folder) / "page.png") as whole:
            save(whole.crop((0, 0, whole.width, round(part * whole.height))), to)


def save(drawn: Image.Image, to: Path, *, shades: int = SHADES) -> None:
    """A picture of print with a narrow margin; in so few shades of grey, or as it is."""
    grey = drawn.convert("L" if shades else "RGB")
    box = ImageChops.invert(grey.convert("L")).getbbox() or (0, 0, *grey.size)
    left, top, right, bottom = box
    edges = (left - 12, top - 12, min(grey.width, right + 12), min(grey.height, bottom + 4))
    kept = grey.crop((max(0, edges[0]), max(0, edges[1]), *edges[2:]))
    to.parent.mkdir(parents=True, exist_ok=True)
    (kept.quantize(shades) if shades else kept).save(to, optimize=True)


def main() -> int:
    """Make all pictures anew."""
    found = shown()
    table, text = outcome_table(found), methods([found], "latex")
    for venue in VENUES:
        to = FOLDER / f"{named(venue)}.png"
        picture(page(venue, table, text), to)
        print(f"{to.relative_to(ROOT)}: {to.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
