"""A table as a page of its own: whole, escaped, aligned, and with the keys of its rows."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from cbablate.reporting.forms.web_page import html
from cbablate.reporting.model.cell import Number, Spread
from cbablate.reporting.model.column import Column, Row
from tests.reporting.tables import HOSTILE, TABLES, named


class Cells(HTMLParser):
    """The words of a page's cells, row by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def test_every_cell_reads_as_the_table_says() -> None:
    for table in (named(*HOSTILE), TABLES["two-way"](), TABLES["foreign"]()):
        rows = Cells(html(table)).rows[1:]
        said = [[cell.plain.replace(" †", "†") for cell in row.cells] for row in table.rows]
        assert [[re.sub(r"<U\+\w+>", "", one) for one in row] for row in rows] == [
            [re.sub(r"[\u200b\u202e\u2066\0]", "", one) for one in row] for row in said
        ]


def test_the_best_is_bold_and_a_name_makes_no_tag() -> None:
    cell = Spread(Number(95.2, 1), Number(0.3, 1), best=True)
    table = replace(
        named(*HOSTILE), columns=(Column("x", "spread"),), rows=(Row((cell,), arm="ab"),)
    )
    page = html(table)
    assert "<b>95.2</b> ± 0.3" in page
    assert f"<!-- cbablate row {table.name} ab -->" in page
    assert "<b>|" not in html(named(*HOSTILE))
    assert "<script" not in page


def test_a_page_with_a_bold_face_says_what_it_means() -> None:
    bold = [
        table
        for table in (make() for make in TABLES.values())
        if any(isinstance(c, Spread) and c.best for row in table.rows for c in row.cells)
    ]
    assert bold
    for table in bold:
        page = html(table)
        assert "Bold: the best, and what is not distinguishable from it." in page
        assert page.count("<b>") > 0
    assert "Bold:" not in html(named("a"))


def test_it_needs_nothing_else() -> None:
    page = html(named(*HOSTILE))
    assert not re.search(r"\b(?:src|href)=", page)
    assert "default-src 'none'" in page


def test_symbols_in_notes_are_in_italics_and_names_are_not() -> None:
    table = replace(named("a"), notes=("Of “p <b>”, p = 0.02.",), brief=None)
    assert "<li>Of “p &lt;b&gt;”, <em>p</em> = 0.02.</li>" in html(table)
