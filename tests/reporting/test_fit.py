"""Tables fit their pages: what is too wide is set smaller, turned or parted, and it is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.reporting.forms.fit import Fit, fit, pieces
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.forms.latex_column import natural_width
from cbablate.reporting.model.cell import Number, Spread, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.style import STYLES
from cbablate.reporting.model.table import Table
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import placement
from tests.reporting.tables import LONG, named, scaled, table_of

EMPTY = table_of(placement(), [])


def wide(columns: int, name: str = "arm", rows: int = 3, **how: object) -> Table:
    """A table with so many columns of numbers."""
    cell = Spread(Number(95.24, 2), Number(0.61, 2))
    return replace(
        EMPTY,
        columns=(Column("Arm", "text"), *(Column(f"m{i}", "spread") for i in range(columns))),
        rows=tuple(Row((Text(f"{name} {i}"), *[cell] * columns)) for i in range(rows)),
        typesetting=Typesetting.model_validate(how),
    )


def needed(table: Table, found: Fit, part: tuple[int, ...]) -> float:
    """How wide a part comes out, in points."""
    widths = 0.0
    for index in part:
        cells = [row.cells[index] for row in table.rows]
        natural = natural_width(table.columns[index], cells, found.size)
        text = table.columns[index].kind == "text"
        widths += min(natural, found.share) if text else natural
    return widths + 5.0 * (len(part) - 1)


@settings(max_examples=60)
@given(
    columns=st.integers(1, 30),
    name=st.text(max_size=120),
    style=st.sampled_from(sorted(STYLES)),
    orientation=st.sampled_from(["auto", "portrait", "landscape"]),
)
def test_no_part_is_wider_than_its_page_and_no_column_is_lost(
    columns: int, name: str, style: str, orientation: str
) -> None:
    table = wide(columns, name, style=style, orientation=orientation)
    found = fit(table)
    assert all(needed(table, found, part) <= found.width for part in found.parts)
    shown = [index for part in found.parts for index in part if index]
    assert shown == list(range(1, columns + 1))
    assert all(part[0] == 0 for part in found.parts)
    assert orientation == "auto" or (found.place == "turned") == (orientation == "landscape")


@pytest.mark.slow
@settings(max_examples=60)
@given(
    rows=st.integers(0, 200),
    notes=st.lists(st.text(max_size=300), max_size=30),
    turned=st.booleans(),
)
def test_every_row_is_on_one_page_in_its_order(rows: int, notes: list[str], turned: bool) -> None:
    table = wide(3, rows=rows, orientation="landscape" if turned else "portrait")
    shared = pieces(table, fit(table), "A caption.", notes)
    assert tuple(row for piece in shared.rows for row in piece) == table.rows
    assert all(shared.rows) or not table.rows
    assert max(map(len, shared.rows)) <= (38 if turned else 52)


@pytest.mark.parametrize(
    ("columns", "style", "place", "said"),
    [
        (2, "icml", "column", ""),
        (5, "icml", "text", "Too wide for a column of 3.25 in (icml): over both"),
        (5, "neurips", "text", ""),
        (10, "neurips", "turned", "Too wide for 5.5 in (neurips): turned"),
    ],
)
def test_what_is_too_wide_goes_where_it_fits_and_the_source_says_so(
    columns: int, style: str, place: str, said: str
) -> None:
    table = wide(columns, style=style)
    assert fit(table).place == place
    above = latex(table).partition(r"\begin{")[0]
    assert said in above
    assert ("Too wide" in above) == bool(said)


def test_a_smaller_size_is_tried_before_words_are_broken() -> None:
    sizes = {fit(wide(columns, style="neurips")).size for columns in range(1, 8)}
    assert sizes == {"small", "footnotesize"}
    long = fit(named(*LONG))
    assert long.place == "text"
    assert long.share < 100


def test_a_table_too_wide_for_a_page_is_parted_and_each_part_has_the_names() -> None:
    table = replace(
        scaled(-4.2e5, *(f"test/loss {place}" for place in range(12))),
        typesetting=Typesetting(style="icml", orientation="portrait"),
    )
    text = latex(table)
    assert "Too wide for 6.75 in (icml): in 3 parts" in text
    assert text.count(r"\begin{table*}") == 3
    assert text.count("    1 at 2 & ") == 3
    assert text.count("(2 of 3)") == 1
