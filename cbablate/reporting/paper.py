r"""`PaperRow`: a row of our tables in somebody's LaTeX, and whether its numbers still hold.

A row is found by the comment at its end, `% cbablate row STUDY KEY`, wherever it was moved. Its
numbers are compared as printed, in their order: columns may have been left out, names changed,
cells set in bold. A row that is not there is no fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from cbablate.errors import CbablateError
from cbablate.reporting.latex import MARK
from cbablate.reporting.table import Table

__all__ = ["Disagreement", "PaperRow", "disagreements", "paper_rows", "versions_in"]

_ROW = re.compile(rf"%\s*{MARK} row (?P<study>[\w.-]+) (?P<key>[0-9a-f]+)\s*$")
_DATA = re.compile(rf"^\s*%\s*{MARK} data (?P<study>[\w.-]+) (?P<data>[0-9a-f]+)\s*$")
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*%.*")
_INPUT = re.compile(r"\\(?:input|include)\s*\{([^{}]+)\}")
_END = re.compile(r"\\\\(?:\[[^\]]*\])?|\\(?:top|mid|bottom)rule\b|\\addlinespace\b")
_SIGN = re.compile(r"([-+])\s+(?=\d)")
_ARGUMENTS = re.compile(
    r"\\multicolumn\s*\{[^{}]*\}\s*\{[^{}]*\}|\\multirow\s*(?:\[[^]]*\])?\{[^{}]*\}\s*\{[^{}]*\}"
    r"|\\(?:cell|row|text)?color\s*(?:\[[^]]*\])?\s*\{[^{}]*\}"
    r"|\\(?:hspace|vspace|rule|addlinespace|cmidrule|label|ref|cite[a-z]*)\*?"
    r"\s*(?:\[[^]]*\])?(?:\s*\{[^{}]*\})?"
)
_NUMBER = re.compile(r"(?:(?<![\w.)\]}])[-+])?(?<![\d.])\d+(?:\.\d+)?")
_LETTER = re.compile(r"(?<![\\A-Za-z])[A-Za-z]")
_DEEPEST = 8
"""So deep may files include each other."""


@dataclass(frozen=True)
class PaperRow:
    """A row of a paper: whose it is, where its comment stands, and its cells as LaTeX."""

    study: str
    key: str
    file: Path
    line: int
    cells: tuple[str, ...]

    @property
    def numbers(self) -> list[tuple[str, int]]:
        """The numbers as printed, each with the index of its cell."""
        return [(one, index) for index, cell in enumerate(self.cells) for one in _numbers(cell)]


@dataclass(frozen=True)
class Disagreement:
    """A number that a paper prints, and what the ledger says now; "" for nothing in its place."""

    row: PaperRow
    printed: str
    now: str
    column: str


def paper_rows(path: Path) -> list[PaperRow]:
    """All rows of ours in a paper and in the files that it includes.

    Raises:
        CbablateError: a file cannot be read, or files include each other without end.
    """
    return list(_rows(path, path.parent))


def versions_in(path: Path) -> dict[str, str]:
    """By study, the version of the data that the paper's tables were made from."""
    found: dict[str, str] = {}
    for _, line in _lines(path, path.parent, depth=0):
        told = _DATA.match(line)
        if told:
            found[told["study"]] = told["data"]
    return found


def disagreements(table: Table, row: PaperRow) -> Iterator[Disagreement]:
    """The numbers of a paper's row that its table does not print (any more), in order."""
    ours = next((one for one in table.rows if one.key == row.key), None)
    if ours is None:
        yield from (Disagreement(row, printed, "", "") for printed, index in row.numbers if index)
        return
    names = sum(column.kind == "text" for column in table.columns)
    said = row.numbers
    known = [(n, i) for i, cell in enumerate(ours.cells) for n in _numbers(cell.plain)]
    match = SequenceMatcher(None, [n for n, _ in said], [n for n, _ in known], autojunk=False)
    for change, low, high, first, last in match.get_opcodes():
        if change not in ("replace", "delete"):
            continue
        aligned = high - low == last - first
        for offset, (printed, index) in enumerate(said[low:high]):
            if index == 0 or (index < names and _LETTER.search(row.cells[index])):
                continue  # a name may be changed as its author likes
            there = known[first + offset] if aligned else None
            column = table.columns[there[1]].label if there else ""
            now = there[0] if there else " ".join(number for number, _ in known[first:last])
            yield Disagreement(row, printed, now, column)


def _lines(path: Path, root: Path, *, depth: int) -> Iterator[tuple[tuple[Path, int], str]]:
    """Each line with its place; an included file's lines follow the line that includes it."""
    if depth > _DEEPEST:
        raise CbablateError(f"{path}: files include each other more than {_DEEPEST} deep")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CbablateError(f"{path} cannot be read: {error.strerror}") from error
    for number, line in enumerate(text.splitlines(), 1):
        yield (path, number), line
        for name in _INPUT.findall(_COMMENT.sub("", line)):
            inner = next((one for one in _candidates(root, name) if one.is_file()), None)
            if inner is None:
                raise CbablateError(
                    f"{path}:{number} includes {name}, which does not lie in {root}: whether its "
                    "numbers match cannot be said"
                )
            yield from _lines(inner, root, depth=depth + 1)


def _candidates(root: Path, name: str) -> tuple[Path, Path]:
    path = root / name.strip()
    return path.with_name(f"{path.name}.tex"), path


def _rows(path: Path, root: Path) -> Iterator[PaperRow]:
    """A row is what stands before its comment, on as many lines as it was broken into."""
    pending, row = "", ""
    for (file, number), line in _lines(path, root, depth=0):
        code = _COMMENT.sub("", line)
        if not line.strip():
            pending = ""
        *whole, pending = _END.split(f"{pending} {code}")
        row = next((one for one in reversed(whole) if one.strip()), row)
        told = _ROW.search(line)
        if told is not None:
            cells = tuple(re.split(r"(?<!\\)&", pending if pending.strip() else row))
            yield PaperRow(told["study"], told["key"], file, number, cells)
            pending = ""


def _numbers(cell: str) -> list[str]:
    """The numbers of a cell as printed, without thousands' separators and without a plus."""
    text = _ARGUMENTS.sub(" ", cell)
    text = text.replace("\u2212", "-").replace("--", " ").replace("\u2013", " ")
    text = re.sub(r"(?<=\d)(?:,|\{,\}|\\,)(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"\\[A-Za-z]+\*?|\\[,;!: ]|[~$±]", " ", text)
    return [one.lstrip("+") for one in _NUMBER.findall(_SIGN.sub(r"\1", text))]
