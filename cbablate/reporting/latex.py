r"""`latex`: a table as a LaTeX float that needs `booktabs` and `siunitx`, and nothing else.

Numbers stand in siunitx's `S` columns, aligned at the point. Half-widths, spans and marks have
columns of their own behind them, a thin space away: siunitx sets an uncertainty in an `S` column
with uneven gaps, and its options for text there differ between versions 2 and 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cbablate.reporting.cell import Blank, Cell, Number, Range, Spread, Text
from cbablate.reporting.character import visible
from cbablate.reporting.table import Column, Row, Table
from cbablate.reporting.tex_text import breakable, escape, prose, unsettable

__all__ = ["MARK", "document", "latex"]

MARK = "cbablate"
"""Comments that begin with it say where numbers come from; `cbablate verify` reads them."""
_LINE = 102
"""So many characters, the gaps between columns counted, fit across 5.5 inches; names that do not
are wrapped."""
_EM = 0.46
"""A character's average width, in em."""
_ROWS = 45
"""So many rows fit on a page; longer tables go on in another float."""
_OPTIONS = (
    "retain-explicit-plus=true, group-digits=integer, group-minimum-digits=5, group-separator={,}"
)


@dataclass(frozen=True)
class _Layout:
    """How a column is set: its specification, and which columns follow it as parts of it."""

    specification: str
    spread: bool = False
    mark: bool = False
    wrapped: bool = False

    @property
    def span(self) -> int:
        """How many columns of LaTeX it takes: for a centre, its spread, its mark."""
        return 1 + self.spread + self.mark


def latex(table: Table) -> str:
    """The table as one float, or as several that follow each other if it is long."""
    share = _share(table)
    layouts = [
        _layout(column, [row.cells[index] for row in table.rows], share)
        for index, column in enumerate(table.columns)
    ]
    pieces = [table.rows[at : at + _ROWS] for at in range(0, len(table.rows), _ROWS)] or [()]
    floats = [
        _float(table, layouts, piece, number=index + 1, of=len(pieces))
        for index, piece in enumerate(pieces)
    ]
    return _comment(table) + "\n\\clearpage\n".join(floats) + "\n"


def document(table: Table) -> str:
    """A whole document that shows the table on a page as wide as a conference paper's."""
    return "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage{booktabs}",
            r"\usepackage{siunitx}",
            r"\setlength{\textwidth}{5.5in}",
            r"\setlength{\oddsidemargin}{0.5in}",
            r"\pagestyle{empty}",
            r"\makeatletter\setlength{\@fptop}{0pt}\makeatother",
            r"\begin{document}",
            latex(table) + r"\end{document}",
            "",
        ]
    )


def _comment(table: Table) -> str:
    """What the table is, and what was replaced, in lines that TeX passes by."""
    lines = [*table.comment, *table.method, r"Preamble: \usepackage{booktabs,siunitx}"]
    lines += [f"{MARK} data {table.name} {table.data}"] if table.data else []
    lines += [
        f"pdfLaTeX cannot set {what}: spelled by its number" for what in unsettable(_words(table))
    ]
    safe = (visible(line).encode("ascii", "backslashreplace").decode("ascii") for line in lines)
    return "".join(f"% {line}\n" for line in safe)


def _words(table: Table) -> str:
    """All words of the table, to look for what cannot be set."""
    cells = (cell for row in table.rows for cell in row.cells)
    heads = (f"{column.label} {column.unit}" for column in table.columns)
    said = [table.caption, *heads, *table.notes]
    return " ".join([*said, *(cell.text for cell in cells if isinstance(cell, Text))])


def _float(
    table: Table, layouts: Sequence[_Layout], rows: Sequence[Row], *, number: int, of: int
) -> str:
    going_on = f" ({number} of {of})" if of > 1 else ""
    label = f"tab:{table.name}" + (f"-{number}" if number > 1 else "")
    lines = [
        r"\begin{table}[t]",
        r"  \centering",
        r"  \footnotesize",
        r"  \setlength{\belowcaptionskip}{4pt}",
        rf"  \caption{{{prose(table.caption + going_on)}}}",
        rf"  \label{{{label}}}",
        r"  \setlength{\tabcolsep}{2.5pt}",
        rf"  \sisetup{{{_OPTIONS}}}",
        rf"  \begin{{tabular}}{{@{{}}{' '.join(one.specification for one in layouts)}@{{}}}}",
        r"    \toprule",
        *(f"    {line}" for line in _heads(table.columns, layouts)),
        r"    \midrule",
    ]
    for index, row in enumerate(rows):
        if row.opens and index:
            lines.append(r"    \addlinespace")
        spelled = (_cell(cell, layout) for cell, layout in zip(row.cells, layouts, strict=True))
        key = f" % {MARK} row {table.name} {row.key}" if row.arm else ""
        lines.append(f"    {' & '.join(spelled)} \\\\{key}")
    lines += [r"    \bottomrule", r"  \end{tabular}"]
    if table.notes:
        lines += [
            r"  \par\medskip",
            r"  \begin{minipage}{\linewidth}",
            "    " + "\n    ".join(prose(note) for note in table.notes),
            r"  \end{minipage}",
        ]
    return "\n".join([*lines, r"\end{table}"])


def _heads(columns: Sequence[Column], layouts: Sequence[_Layout]) -> list[str]:
    """The heading's lines: labels, and below them units and directions where there are any."""
    lines = [
        " & ".join(
            _head(_label(column), column, layout)
            for column, layout in zip(columns, layouts, strict=True)
        )
    ]
    if any(column.below for column in columns):
        lines.append(
            " & ".join(
                _head(escape(column.below), column, layout) if column.below else _gap(layout)
                for column, layout in zip(columns, layouts, strict=True)
            )
        )
    return [rf"{line} \\" for line in lines]


def _label(column: Column) -> str:
    return f"${escape(column.label)}$" if column.symbol else escape(column.label)


def _gap(layout: _Layout) -> str:
    """Nothing, in all columns of a layout."""
    return " &" * (layout.span - 1)


def _head(text: str, column: Column, layout: _Layout) -> str:
    if column.kind == "text":
        return text
    side = "r" if column.kind in ("count", "probability") else "c"
    return rf"\multicolumn{{{layout.span}}}{{{side}}}{{{text}}}"


def _share(table: Table) -> int:
    """How many characters each column of words may have, so that the table fits across."""
    longest = [
        max(map(len, [column.label, column.below, *(row.cells[i].plain for row in table.rows)]))
        for i, column in enumerate(table.columns)
    ]
    words = [size for size, c in zip(longest, table.columns, strict=True) if c.kind == "text"]
    room = _LINE - (sum(longest) - sum(words)) - (5 * len(longest)) // 4
    return max(10, room // max(1, len(words))) if sum(words) > room else max(words, default=0)


def _layout(column: Column, cells: Sequence[Cell], share: int) -> _Layout:
    if column.kind == "text":
        if max((len(cell.plain) for cell in cells), default=0) > share:
            wide = f"{_EM * share:.1f}em"
            ragged = r">{\raggedright\hangindent=1em\arraybackslash}"
            return _Layout(f"{ragged}p{{{wide}}}", wrapped=True)
        return _Layout("l")
    if column.kind == "range":
        centres = [cell.centre for cell in cells if isinstance(cell, Range | Spread)]
        return _Layout(rf"S[table-format={_format(centres)}]@{{\,}}r", spread=True)
    if column.kind == "spread":
        spreads = [cell for cell in cells if isinstance(cell, Spread)]
        spread = any(one.half for one in spreads)
        mark = any(one.mark for one in spreads)
        behind = (r"@{\,}r" if spread else "") + ("@{}l" if mark else "")
        form = _format([one.centre for one in spreads])
        return _Layout(f"S[table-format={form}]{behind}", spread, mark)
    return _Layout("r")


def _format(centres: Sequence[Number]) -> str:
    """The room that siunitx keeps: `+2.2` for up to -12.34."""
    digits = [number.digits for number in centres if number.digits[-1].isdigit()]
    sign = "+" if any(text[0] in "+-" for text in digits) else ""
    whole = max((len(text.lstrip("+-").partition(".")[0]) for text in digits), default=1)
    decimals = max((len(text.partition(".")[2]) for text in digits), default=0)
    return f"{sign}{whole}.{decimals}"


def _cell(cell: Cell, layout: _Layout) -> str:
    if isinstance(cell, Text):
        return breakable(cell.text) if layout.wrapped else escape(cell.text)
    if isinstance(cell, Spread):
        parts = [_number(cell.centre)]
        if layout.spread:
            parts.append(rf"$\pm\,${cell.half.plain}" if cell.half else "")
        if layout.mark:
            parts.append(f"$^{{{escape(cell.mark).strip('$')}}}$" if cell.mark else "")
        return " & ".join(parts).rstrip()
    if isinstance(cell, Range):
        return f"{_number(cell.centre)} & {escape(cell.span)}"
    if isinstance(cell, Number):
        return _number(cell)
    if isinstance(cell, Blank) and layout.specification.startswith("S"):
        return rf"\multicolumn{{{layout.span}}}{{c}}{{{escape(cell.plain)}}}"
    return escape(cell.plain).replace(r"\textless{}", "$<$")


def _number(number: Number) -> str:
    digits = number.digits
    return digits if digits[-1].isdigit() else f"{{{escape(digits)}}}"
