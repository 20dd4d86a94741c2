"""Tables fit their pages: what is too wide is set smaller, turned or parted, and it is said."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cbablate.reporting.forms.fit import Fit, fit, pieces
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.forms.latex_column import natural_width
from cbablate.reporting.model.cell import Number, Range, Spread, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.style import STYLES
from cbablate.reporting.model.table import Table
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import FROZEN, NAMES, placement, told
from tests.reporting.tables import LONG, named, scaled, set_in, table_of

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


def needed(found: Fit, place: int) -> float:
    """How wide a part comes out, in points."""
    widths = 0.0
    for index in found.parts[place]:
        cells = [row.cells[index] for row in found.table.rows]
        natural = natural_width(found.table.columns[index], cells, found.size)
        text = found.table.columns[index].kind == "text"
        widths += min(natural, found.share) if text else natural
    return widths + found.gaps[place] * (len(found.parts[place]) - 1)


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
    assert all(needed(found, place) <= found.width for place in range(len(found.parts)))
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
    shared = pieces(fit(table), "A caption.", notes)
    assert tuple(row for piece in shared.rows for row in piece) == table.rows
    assert all(shared.rows) or not table.rows
    assert max(map(len, shared.rows)) <= (38 if turned else 52)


@pytest.mark.parametrize(
    ("columns", "style", "place", "said"),
    [
        (2, "icml", "column", ""),
        (5, "icml", "text", "Too wide for a column of 3.25 in (icml): over both"),
        (5, "neurips", "text", ""),
        (7, "plain", "text", "Too wide for 4.77 in (plain): in 2 panels"),
        (10, "neurips", "text", "Too wide for 5.5 in (neurips): in 2 panels"),
        (15, "neurips", "text", "Too wide for 5.5 in (neurips): in 3 panels"),
        (48, "neurips", "text", "Too wide for 5.5 in (neurips): in 7 parts"),
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


def test_a_table_of_more_rows_than_two_panels_hold_is_turned() -> None:
    assert fit(wide(10, rows=15, style="neurips")).panels
    found = fit(wide(10, rows=16, style="neurips"))
    assert found.place == "turned"
    assert found.remarks == ("Too wide for 5.5 in (neurips): turned",)


@pytest.mark.parametrize(
    ("width", "points"),
    [
        *[("column", 229.5), ("text", 345), ("5in", 361.35), ("300 pt", 300), ("12cm", 341.4)],
        *[("80mm", 227.6), (r"0.9\textwidth", 310.5), (r"0.9\columnwidth", 206.55)],
    ],
)
def test_a_table_is_no_wider_than_the_width_that_was_asked_for(width: str, points: float) -> None:
    found = fit(wide(3, width=width))
    assert found.width == pytest.approx(points, abs=0.1)
    assert all(needed(found, place) <= found.width for place in range(len(found.parts)))
    assert found.place == ("column" if points < 230 else "text")


@pytest.mark.parametrize(
    "width", ["0in", "wide", "5", "5 inches", r"1\textheight", "-3cm", "1e3pt"]
)
def test_what_is_no_width_is_refused(width: str) -> None:
    with pytest.raises(ValidationError, match="a width is column, text, a length such as 5in"):
        Typesetting(width=width)


def test_a_width_that_holds_not_even_one_column_is_told_of() -> None:
    found = fit(wide(3, width="0.4in", orientation="portrait"))
    assert found.remarks[1] == "Wider than 0.4 in: names and one column need more"
    assert len(fit(wide(3, width="3in")).remarks) == 0


def test_what_stands_between_columns_grows_with_the_page() -> None:
    gaps = [fit(wide(3, style=style)).gaps[0] for style in ("plain", "tmlr")]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 12


def test_a_smaller_size_is_tried_before_words_are_broken() -> None:
    sizes = {fit(wide(columns, style="neurips")).size for columns in range(1, 8)}
    assert sizes == {9, 8}
    long = fit(set_in(named(*LONG), style="icml"))
    assert long.place == "text"
    assert long.share < 150


def test_a_table_too_wide_for_a_page_is_parted_and_each_part_has_the_names() -> None:
    table = replace(
        scaled(-4.2e5, *(f"test/loss {place}" for place in range(32))),
        typesetting=Typesetting(style="icml", orientation="portrait"),
    )
    text = latex(table)
    assert "Too wide for 6.75 in (icml): in 7 parts" in text
    assert text.count(r"\begin{table*}") == 7
    assert text.count("    1 at 2 & ") == 7
    assert text.count("(2 of 7)") == 1


def test_panels_stand_in_one_float_and_only_long_parts_have_pages_of_their_own() -> None:
    assert latex(wide(15, style="neurips")).count(r"\begin{table}") == 1
    for rows, apart in ((3, 0), (20, 6)):
        text = latex(wide(48, rows=rows, style="neurips", orientation="portrait"))
        assert text.count(r"\begin{table}") == 7
        assert text.count(r"\clearpage") == apart


def test_for_want_of_room_n_and_spans_are_left_out_and_notes_say_so() -> None:
    planned = placement(names=(*NAMES[:3], "halving only, MLP end"), description=FROZEN)
    whole = set_in(table_of(planned, told(planned)), style="neurips")
    short = fit(replace(whole, typesetting=Typesetting(style="neurips", width="375pt")))
    assert [column.label for column in short.table.columns][-1] == "Parameters"
    assert not any(isinstance(cell, Range) for row in short.table.rows for cell in row.cells)
    (note,) = [one for one in short.table.shown if one.startswith("Training")]
    assert note == "Training: median of 7 rounds; no round is further than 1.7 % from it."
    assert len(short.remarks) == 2
    assert fit(set_in(whole, style="tmlr")).table.columns[-1].label == "n"


@pytest.mark.parametrize("columns", [10, 11, 15, 16])
def test_panels_are_exactly_as_wide_as_each_other_and_no_wider_than_the_page(columns: int) -> None:
    found = fit(wide(columns, style="neurips"))
    widths = re.findall(r"\\begin\{tabular\*\}\{([\d.]+)pt\}", latex(found.table))
    assert len(widths) == len(found.parts) > 1
    assert len(set(widths)) == 1
    assert float(widths[0]) <= found.width


def test_names_that_must_be_broken_stand_where_they_take_least_of_the_page() -> None:
    name = (
        "a name of very many words that says exactly what was done to the network, and why it was"
    )
    assert fit(wide(2, name)).place == "text"


def test_a_word_without_end_is_cut_where_its_lines_end_and_nowhere_else() -> None:
    (row, *_) = [line for line in latex(wide(2, "L" * 100)).splitlines() if "LLL" in line]
    runs = [len(run) for run in re.findall("L+", row)]
    assert len(runs) < 5
    assert sum(runs) == 100
    assert len(set(runs[:-1])) == 1
