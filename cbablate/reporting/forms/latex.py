r"""`latex`: a table as a LaTeX float, or one that runs over pages, fit for the pages of its style.

It needs `booktabs`, and where the page is turned or the table long, a package each that every TeX
has; a comment says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cbablate.character import visible
from cbablate.reporting.forms.fit import LONG, Fit, Pieces, are_short, fit, pieces
from cbablate.reporting.forms.latex_column import (
    MARK_WIDTH,
    ColumnLayout,
    column_layout,
    heads,
    spelled_cell,
)
from cbablate.reporting.forms.script import definitions
from cbablate.reporting.forms.tex_text import is_endless, prose, unsettable
from cbablate.reporting.forms.text_width import LEADING
from cbablate.reporting.model.aligned_text import in_ascii
from cbablate.reporting.model.cell import Text
from cbablate.reporting.model.column import KEY, Column, Row
from cbablate.reporting.model.style import INCH
from cbablate.reporting.model.table import MARK, Table

__all__ = ["document", "latex"]

_MOST_LACKED = 40
"""How many letters that pdfLaTeX lacks are named."""
_STRETCH = r"\emergencystretch=2em"
"""Lets lines of a caption or of notes be loose where words cannot be broken."""


@dataclass(frozen=True)
class _Part:
    """Some columns of a table, and how they are set. `number` of `of` is what its caption says."""

    found: Fit
    indices: tuple[int, ...]
    layouts: tuple[ColumnLayout, ...]
    number: int
    of: int
    gap: float

    @property
    def table(self) -> Table:
        return self.found.table

    @property
    def columns(self) -> list[Column]:
        return [self.table.columns[index] for index in self.indices]

    @property
    def width(self) -> float:
        """How wide it comes out, in points; rather too wide."""
        return sum(one.width for one in self.layouts) + self.gap * (len(self.layouts) - 1)

    @property
    def label(self) -> str:
        named = self.table.typesetting.label or f"tab:{self.table.name}"
        return named + (f"-{self.number}" if self.number > 1 else "")

    @property
    def caption(self) -> str:
        going_on = [f"({self.number} of {self.of})"] * (self.of > 1)
        said = _sentences(self.table)
        return " ".join([*(said[:1] if self.found.style.titles else said), *going_on])

    @property
    def notes(self) -> list[str]:
        """What is not said by the caption; below the last part alone."""
        if self.number < self.of:
            return []
        table = self.table
        return [*(table.captioned if self.found.style.titles else ()), *table.below]


def latex(table: Table) -> str:
    """The table as one float, or as several that follow each other, or as one over pages."""
    found = fit(table)
    long = _is_long(found)
    floats: list[str] = []
    for parts in _parts(found):
        floats += [_over_pages(parts[0])] if long else _floats(parts)
    apart = "\n" if len(floats) == len(found.parts) and are_short(found) else "\n\\clearpage\n"
    body = apart.join(floats) + "\n"
    body += f"% {MARK} end {table.name}\n" if table.data else ""
    scripts = definitions(body)
    spell = visible if scripts else in_ascii  # without them the file is in ASCII
    above = [*(f"% {spell(line)}" for line in _comment(found, long=long)), *scripts]
    return "".join(f"{line}\n" for line in above) + body


def document(table: Table) -> str:
    """A whole document that shows the table on a page as wide as its style's."""
    found = fit(table)
    style = found.style
    two = "[twocolumn]" if style.columns == 2 else ""
    return "\n".join(
        [
            rf"\documentclass{two}{{article}}",
            *(rf"\usepackage{{{name}}}" for name in _packages(found)),
            r"\ifdefined\Umathchar\usepackage{fontspec}\fi",
            rf"\setlength{{\textwidth}}{{{style.text:.2f}pt}}",
            rf"\setlength{{\textheight}}{{{style.height:.2f}pt}}\setlength{{\topmargin}}{{-0.5in}}",
            rf"\setlength{{\columnsep}}{{{style.gutter:.2f}pt}}",
            rf"\setlength{{\oddsidemargin}}{{{(8.5 * INCH - style.text) / 2 - INCH:.2f}pt}}",
            r"\pagestyle{empty}",
            r"\makeatletter\setlength{\@fptop}{0pt}\makeatother",
            r"\begin{document}",
            latex(table) + r"\end{document}",
            "",
        ]
    )


def _is_long(found: Fit) -> bool:
    """Whether it runs over pages; in two columns no table can, and floats follow each other."""
    wish = found.table.typesetting.long
    wanted = len(found.table.rows) > LONG if wish == "auto" else wish
    return wanted and found.style.columns == 1


def _parts(found: Fit) -> Iterator[list[_Part]]:
    """What stands in each float: all panels, or a part."""
    apart = len(found.parts) > 1 and not found.panels
    of = len(found.parts) if apart else 1
    parts = [
        _Part(found, indices, tuple(_layouts(found, indices)), number if apart else 1, of, gap)
        for number, (indices, gap) in enumerate(zip(found.parts, found.gaps, strict=True), 1)
    ]
    yield from [[part] for part in parts] if apart else [parts]


def _layouts(found: Fit, indices: Sequence[int]) -> Iterator[ColumnLayout]:
    for index in indices:
        cells = [row.cells[index] for row in found.table.rows]
        column = found.table.columns[index]
        yield column_layout(column, cells, size=found.size, share=found.share)


def _packages(found: Fit) -> list[str]:
    """What a document must load."""
    turned, long = found.place == "turned", _is_long(found)
    words = [layout for part in found.parts for layout in _layouts(found, part)]
    return [
        "booktabs",
        *["array"] * any(layout.wrapped for layout in words),
        *["longtable"] * long,
        *["pdflscape" if long else "rotating"] * turned,
    ]


def _comment(found: Fit, *, long: bool) -> list[str]:
    """What the table is, and what was replaced, in lines."""
    table = found.table
    lines = [*table.comment, *table.method, *table.silent]
    lines += [rf"Preamble: \usepackage{{{','.join(_packages(found))}}}", *found.remarks]
    if table.typesetting.long is True and not long:
        lines.append(
            f"Between two columns ({found.style.name}) no table runs over pages: floats follow"
        )
    if long and found.style.name == "plain":
        lines.append("longtable needs one column of text; for two, say report: {long: false}")
    if found.style.name == "plain" and _is_across(found) and not long:
        lines.append("Where there is no float with a star, as in beamer, leave out its star")
    lines += [f"{MARK} data {table.name} {table.data}"] if table.data else []
    lines += [
        f"Row {row.key}: arms {', '.join(arm[:KEY] for arm in row.arms)}"
        for row in table.rows
        if row.arms
    ]
    lacked = unsettable(_words(table))
    lines += [f"pdfLaTeX cannot set {what}: it prints its number" for what in lacked[:_MOST_LACKED]]
    more = len(lacked) - _MOST_LACKED
    return [*lines, *[f"pdfLaTeX cannot set {more} more: it prints their numbers"] * (more > 0)]


def _is_across(found: Fit) -> bool:
    """Whether it stands over both columns, where there are two: in a float with a star."""
    return found.style.column < found.style.text and found.place != "column"


def _words(table: Table) -> str:
    """All words of the table, to look for what cannot be set."""
    cells = (cell for row in table.rows for cell in row.cells)
    labels = (f"{column.label} {column.unit}" for column in table.columns)
    said = [*_sentences(table), *labels, *table.shown]
    return " ".join([*said, *(cell.text for cell in cells if isinstance(cell, Text))])


def _sentences(table: Table) -> list[str]:
    """The caption's: the author's own or the question first."""
    first = " ".join((table.typesetting.caption or table.caption).split())
    ended = first if not table.statement or first.endswith((".", "?", "!")) else f"{first}."
    return [ended, *table.captioned]


def _floats(parts: Sequence[_Part]) -> list[str]:
    """The parts as floats, one a page if their rows do not fit on one; or as panels of one."""
    part = parts[-1]
    shared = pieces(part.found, part.caption, part.notes)
    if len(parts) > 1:
        shared = Pieces((part.table.rows,), True)
    pages = len(shared.rows)
    floats = []
    for page, rows in enumerate(shared.rows, 1):
        going_on = f" ({page} of {pages})" if pages > 1 else ""
        label = part.label + (f"-{page}" if page > 1 else "")
        noted = page == pages and shared.noted
        floats.append(_float(parts, rows, going_on, label=label, noted=noted))
    if part.notes and not shared.noted:
        floats[-1] += "\n" + "\n".join(
            [r"{" + rf"{_size(part.found)}{_STRETCH}\noindent", *_notes(part), r"\par}"]
        )
    return floats


def _float(
    parts: Sequence[_Part], rows: Sequence[Row], going_on: str, *, label: str, noted: bool
) -> str:
    part, found = parts[-1], parts[-1].found
    kind = "sidewaystable" if found.place == "turned" else "table"
    wide = "*" if _is_across(found) else ""
    caption = [f"  {_caption(part.caption + going_on)}", rf"  \label{{{label}}}"]
    below = found.style.below
    lines = [
        rf"\begin{{{kind}{wide}}}" + ("[t]" if kind == "table" else ""),
        rf"  \centering{_STRETCH}",
        *([] if below else [r"  \setlength{\belowcaptionskip}{4pt}", *caption]),
        f"  {_size(found)}",
    ]
    widest = max(panel.width for panel in parts)
    for number, panel in enumerate(parts):
        begin, end = _tabular(panel, widest if len(parts) > 1 else None)
        lines += [r"  \par\medskip"] * (number > 0)
        lines += [
            *(f"  {_separation(panel)}", f"  {begin}"),
            *(f"    {line}" for line in _head(panel)),
            *(f"    {line}" for line in _body(panel, rows)),
            *(r"    \bottomrule", f"  {end}"),
        ]
    if noted and part.notes:
        lines += [r"  \par\medskip", r"  \begin{minipage}{\linewidth}"]
        lines += [*(f"    {note}" for note in _notes(part)), r"  \end{minipage}"]
    lines += caption if below else []
    return "\n".join([*lines, rf"\end{{{kind}{wide}}}"])


def _tabular(part: _Part, wide: float | None) -> tuple[str, str]:
    """How the columns begin and end. Panels are exactly so `wide`, in points, whatever the font, as
    their rules stand below each other; one of few columns has the rest of it at its right.
    """
    spelled = _specification(part)
    if wide is None:
        return rf"\begin{{tabular}}{{{spelled}}}", r"\end{tabular}"
    stretched = spelled.replace("@{}", r"@{\extracolsep{\fill}}", 1)
    rest = rf"@{{\hspace{{{wide - part.width:.2f}pt}}}}" if wide - part.width >= 1 else ""
    return rf"\begin{{tabular*}}{{{wide:.2f}pt}}{{{stretched}{rest}}}", r"\end{tabular*}"


def _over_pages(part: _Part) -> str:
    """The part as a longtable, its heads repeated on every page."""
    across = len(part.layouts)
    turned = part.found.place == "turned"
    lines = [
        *[r"\begin{landscape}"] * turned,
        rf"\begingroup{_STRETCH}",
        _size(part.found),
        _separation(part),
        r"\setlength{\LTcapwidth}{\linewidth}",
        rf"\begin{{longtable}}{{{_specification(part)}}}",
        rf"  {_caption(part.caption)}\label{{{part.label}}} \\",
        *(f"  {line}" for line in _head(part)),
        r"  \endfirsthead",
        rf"  \multicolumn{{{across}}}{{@{{}}l}}{{\tablename~\thetable{{}} (continued)}} \\",
        *(f"  {line}" for line in _head(part)),
        r"  \endhead",
        *(
            r"  \midrule",
            rf"  \multicolumn{{{across}}}{{r@{{}}}}{{(continued on the next page)}} \\",
        ),
        *(r"  \endfoot", r"  \bottomrule", r"  \endlastfoot"),
        *(f"  {line}" for line in _body(part, part.table.rows)),
        r"\end{longtable}",
        *([r"\noindent", *_notes(part), r"\par"] if part.notes else []),
        r"\endgroup",
        *[r"\end{landscape}"] * turned,
    ]
    return "\n".join(lines)


def _size(found: Fit) -> str:
    """The size in numbers: what `\\footnotesize` is differs from class to class."""
    return rf"\fontsize{{{found.size}}}{{{LEADING[found.size]:g}}}\selectfont"


def _separation(part: _Part) -> str:
    return rf"\setlength{{\tabcolsep}}{{{part.gap / 2:.2f}pt}}"


def _specification(part: _Part) -> str:
    """The columns, and what is between those behind which marks stand."""
    columns = []
    for number, one in enumerate(part.layouts, 1):
        last = number == len(part.layouts)
        room = one.marked * MARK_WIDTH + (0 if last else part.gap)
        behind = rf"@{{\hspace{{{room:.2f}pt}}}}" if one.marked else "@{}" * last
        columns.append(one.specification + behind)
    return f"@{{}}{' '.join(columns)}"


def _head(part: _Part) -> list[str]:
    return [r"\toprule", *heads(part.columns, part.layouts, part.found.size), r"\midrule"]


def _body(part: _Part, rows: Sequence[Row]) -> Iterator[str]:
    nested = any(row.level for row in rows)
    for index, row in enumerate(rows):
        if row.opens and index:
            yield _parting(part, row.level) if nested else r"\addlinespace"
        spelled = (
            spelled_cell(row.cells[place], layout)
            for place, layout in zip(part.indices, part.layouts, strict=True)
        )
        key = f" % {MARK} row {part.table.name} {row.key}" if row.key else ""
        yield f"{' & '.join(spelled)} \\\\{key}"


def _parting(part: _Part, level: int) -> str:
    """The line between two groups, below the names that go on."""
    if not level:
        return r"\midrule"
    return rf"\cmidrule{{{level + 1}-{len(part.layouts)}}}"


def _notes(part: _Part) -> list[str]:
    ragged = any(is_endless(note) for note in part.notes)
    return [*[r"\raggedright"] * ragged, *(prose(note) for note in part.notes)]


def _caption(text: str) -> str:
    ragged = r"\raggedright " if is_endless(text) else ""
    return rf"\caption{{{ragged}{prose(text)}}}"
