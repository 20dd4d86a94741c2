r"""`python -m tests.reporting.pages RESULTS`: the pictures of pages in `docs/images/venues/`.

Each shows the table of `studies/placement.yaml`, as its ledger in RESULTS has it (`make demo` makes
one in `results`), on a page of a venue: of its class where Debian has it, else of `article` with
the venue's page, fonts and sizes (`tests/reporting/venues.py`). It needs pdfLaTeX and pdftoppm.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageChops

from cbablate import api
from cbablate.analysis.outcome import outcome
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.methods import methods
from cbablate.spec.typesetting import Typesetting
from tests.reporting.typesetting import typeset
from tests.reporting.venues import VENUES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images" / "venues"
DOTS = 84
"""Dots an inch."""
PACKAGES = r"\usepackage{booktabs,array,rotating}\pagestyle{empty}"
SHADES = 16
_SHOWN = 0.42
"""How much of a page is shown, from above."""


def named(venue: str) -> str:
    """A venue as the name of a file."""
    return re.sub(r"[^a-z]+", "-", venue.lower().removeprefix("like ")).strip("-")


def page(venue: str, table: Table, text: str) -> str:
    """A page of a paper: the table above, sentences of a method section below."""
    one = VENUES[venue]
    style = Typesetting.model_validate({"style": one.style})
    return "\n".join(
        [
            one.preamble,
            PACKAGES,
            r"\begin{document}",
            latex(replace(table, typesetting=style)),
            *[rf"{text}\par"] * 6,
            r"\end{document}",
            "",
        ]
    )


def picture(source: str, to: Path, *, shown: float = _SHOWN, dots: int = DOTS) -> None:
    """The upper part of a document's first page as a PNG, without its margins."""
    with tempfile.TemporaryDirectory() as folder:
        typeset(source, Path(folder))
        command = ["pdftoppm", "-r", f"{dots}", "-gray", "-png", "-singlefile", "page.pdf", "page"]
        subprocess.run(command, cwd=folder, check=True)
        with Image.open(Path(folder) / "page.png") as whole:
            save(whole.crop((0, 0, whole.width, round(shown * whole.height))), to)


def save(drawn: Image.Image, to: Path, *, shades: int = SHADES) -> None:
    """A picture of print with a narrow margin; in so few shades of grey, or as it is."""
    shown = drawn.convert("L" if shades else "RGB")
    box = ImageChops.invert(shown.convert("L")).getbbox() or (0, 0, *shown.size)
    left, top, right, bottom = box
    kept = shown.crop((max(0, left - 12), max(0, top - 12), right + 12, bottom + 4))
    to.parent.mkdir(parents=True, exist_ok=True)
    (kept.quantize(shades) if shades else kept).save(to, optimize=True)


def main() -> int:
    """Make all pictures anew."""
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    plan = api.plan(api.load_study(ROOT / "studies" / "placement.yaml"))
    table = api.table(plan, results=results)
    text = methods([outcome(*api.recorded(plan, results))], "latex")
    for venue in VENUES:
        to = FOLDER / f"{named(venue)}.png"
        picture(page(venue, table, text), to)
        print(f"{to.relative_to(ROOT)}: {to.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
