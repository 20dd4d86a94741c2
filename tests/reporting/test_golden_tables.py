r"""Golden tables: as a person approved of them, and set by two engines with every name intact."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate.character import code_point, visible
from cbablate.reporting.forms.latex import document, latex
from cbablate.reporting.forms.tex_text import unsettable
from cbablate.reporting.model.cell import Text
from cbablate.reporting.model.style import STYLES
from cbablate.reporting.model.table import Table
from tests.reporting import golden
from tests.reporting.tables import TABLES
from tests.reporting.typesetting import bare, typeset


def test_there_are_thirty_at_least() -> None:
    assert len(TABLES) >= 30
    kept = {path.stem for path in (golden.FOLDER / "tables").iterdir()}
    assert kept == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_as_a_person_approved_of_it(name: str) -> None:
    golden.check(f"tables/{name}.tex", latex(TABLES[name]()))


def settable(text: str) -> str:
    """The text as TeX without any package sets it: what it cannot set is spelled by number."""
    numbers = {line.split()[0][2:] for line in unsettable(text)}
    shown = "".join(
        code_point(one) if f"{ord(one):04X}" in numbers else one for one in visible(text)
    )
    return bare(shown)


@pytest.mark.tex
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_all_are_set_on_their_pages_with_every_name_as_it_was(engine: str, tmp_path: Path) -> None:
    tables = {name: replace(make(), name=name) for name, make in TABLES.items()}
    first, *_ = tables.values()
    head, _, _ = document(first).partition(r"\begin{document}")
    head = head.replace(r"\usepackage{fontspec}", "")  # which fonts are here is not looked at
    # rotating takes a setting of floats when it is loaded, so it is loaded before that is changed
    packages = "\\usepackage{array,rotating,pdflscape,longtable}\n\\usepackage{booktabs}"
    head = head.replace(r"\usepackage{booktabs}", packages) + "\\setlength{\\textheight}{9in}\n"
    body = "\n".join(paged(table) for table in tables.values())
    shown, log = typeset(f"{head}\\begin{{document}}\n{body}\\end{{document}}\n", tmp_path, engine)
    assert "Overfull" not in log
    assert "Float too large" not in log
    assert "Missing character" not in log
    page = bare(shown)
    for name, table in tables.items():
        for words in _words(table):
            itself = engine == "lualatex" and bare(visible(words)) in page  # its font has more
            assert itself or settable(words) in page, (name, words)
    for number in ("95.24±0.61", "+1.45±0.42†", "115,210", "<0.001", "5/6"):
        assert number in page
    assert "root:" not in page


def paged(table: Table) -> str:
    """The table in columns as wide as its style's."""
    style = STYLES[table.typesetting.style]
    columns = r"\onecolumn" if style.columns == 1 else r"\twocolumn"
    widths = (
        rf"\setlength{{\textwidth}}{{{style.text}pt}}\setlength{{\columnsep}}{{{style.gutter}pt}}"
    )
    return f"\\clearpage{widths}{columns}\n{latex(table)}\\clearpage"


def _words(table: Table) -> list[str]:
    cells = [cell for row in table.rows for cell in row.cells]
    said = [cell.text for cell in cells if isinstance(cell, Text)]
    heads = [re.sub(r"\s.*", "", column.label) for column in table.columns]
    caption = table.typesetting.caption or table.caption
    return [caption, *said, *heads, *(column.over for column in table.columns)]
