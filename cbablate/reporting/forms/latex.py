r"""`latex`: a table as a LaTeX float, or one that runs over pages, fit for the pages of its style.

It needs `booktabs` and `siunitx`, and where the page is turned or the table long, a package each
that every TeX has; a comment says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cbablate.reporting.forms.fit import LONG, Fit, fit, pieces
from cbablate.reporting.forms.latex_column import ColumnLayout, column_layout, heads, spelled_cell
from cbablate.reporting.forms.tex_text import is_endless, prose, unsettable
from cbablate.reporting.model.aligned_text import in_ascii
from cbablate.reporting.model.cell import Text
from cbablate.reporting.model.column import KEY, Column, Row
from cbablate.reporting.model.style import STYLES
from cbablate.reporting.model.table import MARK, Table

__all__ = ["document", "latex"]

_OPTIONS = (
    "detect-weight=true, retain-explicit-plus=true, "
    "group-digits=integer, group-minimum-digits=5, group-separator={,}"
)


@dataclass(frozen=True)
class _Part:
    """Some columns of a table, and how they are set. `number` of `of` is what its caption says."""

    table: Table
    found: Fit
    indices: tuple[int, ...]
    layouts: tuple[ColumnLayout, ...]
    number: int
    of: int

    @property
    def columns(self) -> list[Column]:
        return [self.table.columns[index] for index in self.indices]

    @property
    def label(self) -> str:
        named = self.table.typesetting.label or f"tab:{self.table.name}"
        return named + (f"-{self.number}" if self.number > 1 else "")

    @property
    def caption(self) -> str:
        going_on = f" ({self.number} of {self.of})" if self.of > 1 else ""
        return " ".join([*_sentences(self.table), going_on.strip()]).strip()

    @property
    def notes(self) -> list[str]:
        """What is not said by the caption; below the last part alone."""
        last = self.number == self.of
        stated = self.table.stated
        return [note for note in self.table.shown if note not in stated] if last else []


def latex(table: Table) -> str:
    """The table as one float, or as several that follow each other, or as one over pages."""
    found = fit(table)
    long = _is_long(table, found)
    floats: list[str] = []
    for part in _parts(table, found):
        floats += [_over_pages(part)] if long else _floats(part)
    last = f"% {MARK} end {table.name}\n" if table.data else ""
    return _comment(table, found, long=long) + "\n\\clearpage\n".join(floats) + "\n" + last


def document(table: Table) -> str:
    """A whole document that shows the table on a page as wide as its style's."""
    style = STYLES[table.typesetting.style]
    two = "[twocolumn]" if style.columns == 2 else ""
    return "\n".join(
        [
            rf"\documentclass{two}{{article}}",
            *(rf"\usepackage{{{name}}}" for name in _packages(table, fit(table))),
            rf"\setlength{{\textwidth}}{{{style.text}in}}",
            rf"\setlength{{\textheight}}{{{style.height}in}}\setlength{{\topmargin}}{{-0.5in}}",
            rf"\setlength{{\columnsep}}{{{max(style.text - 2 * style.column, 0.25):g}in}}",
            rf"\setlength{{\oddsidemargin}}{{{(8.5 - style.text) / 2 - 1:g}in}}",
            r"\pagestyle{empty}",
            r"\makeatletter\setlength{\@fptop}{0pt}\makeatother",
            r"\begin{document}",
            latex(table) + r"\end{document}",
            "",
        ]
    )


def _is_long(table: Table, found: Fit) -> bool:
    """Whether it runs over pages; in two columns no table can, and floats follow each other."""
    wish = table.typesetting.long
    wanted = len(table.rows) > LONG if wish == "auto" else wish
    return wanted and found.style.columns == 1


def _parts(table: Table, found: Fit) -> Iterator[_Part]:
    for number, indices in enumerate(found.parts, 1):
        layouts = tuple(
            column_layout(
                table.columns[index],
                [row.cells[index] for row in table.rows],
                size=found.size,
                share=found.share,
            )
            for index in indices
        )
        yield _Part(table, found, indices, layouts, number, len(found.parts))


def _packages(table: Table, found: Fit) -> list[str]:
    """What a document must load."""
    turned, long = found.place == "turned", _is_long(table, found)
    return [
        *("booktabs", "siunitx"),
        *["longtable"] * long,
        *["pdflscape" if long else "rotating"] * turned,
    ]


def _comment(table: Table, found: Fit, *, long: bool) -> str:
    """What the table is, and what was replaced, in lines that TeX passes by."""
    silent = () if table.shown else table.warnings
    lines = [*table.comment, *table.method, *silent]
    lines += [rf"Preamble: \usepackage{{{','.join(_packages(table, found))}}}", *found.said]
    if table.typesetting.long is True and not long:
        lines.append(
            f"Between two columns ({found.style.name}) no table runs over pages: floats follow"
        )
    lines += [f"{MARK} data {table.name} {table.data}"] if table.data else []
    lines += [
        f"Row {row.key}: arms {', '.join(arm[:KEY] for arm in row.arms)}"
        for row in table.rows
        if row.arms
    ]
    lines += [
        f"pdfLaTeX cannot set {what}: spelled by its number" for what in unsettable(_words(table))
    ]
    safe = (in_ascii(line) for line in lines)
    return "".join(f"% {line}\n" for line in safe)


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
    return [ended, *table.statement]


def _floats(part: _Part) -> list[str]:
    """The part as floats, one a page if its rows do not fit on one."""
    shared = pieces(part.table, part.found, part.caption, part.notes)
    pages = len(shared.rows)
    floats = []
    for page, rows in enumerate(shared.rows, 1):
        going_on = f" ({page} of {pages})" if pages > 1 else ""
        label = part.label + (f"-{page}" if page > 1 else "")
        noted = page == pages and shared.noted
        floats.append(_float(part, rows, going_on, label=label, noted=noted))
    if part.notes and not shared.noted:
        floats[-1] += "\n" + "\n".join(
            [r"{" + rf"\{part.found.size}\noindent", *_notes(part), r"\par}"]
        )
    return floats


def _float(part: _Part, rows: Sequence[Row], going_on: str, *, label: str, noted: bool) -> str:
    found = part.found
    kind = "sidewaystable" if found.place == "turned" else "table"
    wide = "*" if found.style.columns == 2 and found.place != "column" else ""
    caption = [f"  {_caption(part.caption + going_on)}", rf"  \label{{{label}}}"]
    below = found.style.below
    lines = [
        rf"\begin{{{kind}{wide}}}" + ("[t]" if kind == "table" else ""),
        r"  \centering",
        rf"  \{found.size}",
        *([] if below else [r"  \setlength{\belowcaptionskip}{4pt}", *caption]),
        *(f"  {line}" for line in _settings()),
        rf"  \begin{{tabular}}{{{_specification(part)}}}",
        *(f"    {line}" for line in _head(part)),
        *(f"    {line}" for line in _body(part, rows)),
        *(r"    \bottomrule", r"  \end{tabular}"),
    ]
    if noted and part.notes:
        lines += [r"  \par\medskip", r"  \begin{minipage}{\linewidth}"]
        lines += [*(f"    {note}" for note in _notes(part)), r"  \end{minipage}"]
    lines += caption if below else []
    return "\n".join([*lines, rf"\end{{{kind}{wide}}}"])


def _over_pages(part: _Part) -> str:
    """The part as a longtable, its heads repeated on every page."""
    across = sum(layout.span for layout in part.layouts)
    turned = part.found.place == "turned"
    lines = [
        *[r"\begin{landscape}"] * turned,
        r"\begingroup",
        rf"\{part.found.size}",
        *_settings(),
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


def _settings() -> list[str]:
    return [r"\setlength{\tabcolsep}{2.5pt}", rf"\sisetup{{{_OPTIONS}}}"]


def _specification(part: _Part) -> str:
    return f"@{{}}{' '.join(one.specification for one in part.layouts)}@{{}}"


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
    return rf"\cmidrule{{{level + 1}-{sum(layout.span for layout in part.layouts)}}}"


def _notes(part: _Part) -> list[str]:
    ragged = any(is_endless(note) for note in part.notes)
    return [*[r"\raggedright"] * ragged, *(prose(note) for note in part.notes)]


def _caption(text: str) -> str:
    ragged = r"\raggedright " if is_endless(text) else ""
    return rf"\caption{{{ragged}{prose(text)}}}"
