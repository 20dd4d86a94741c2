r"""`PaperRow`: a row of our tables in somebody's LaTeX, and whether its numbers still hold.

A row is found by the comment at its end, `% cbablate row STUDY KEY`, wherever it was moved. Its
numbers are compared as printed, in their order: columns may have been left out, names changed,
cells set in bold. A row that is not there is no fault. One that is commented out is not printed.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from cbablate.errors import CbablateError
from cbablate.reporting.forms.latex import MARK
from cbablate.reporting.model.table import Table
from cbablate.spec.yaml import scalar

__all__ = ["Disagreement", "PaperRow", "disagreements", "paper_rows", "versions_in"]

_ROW = re.compile(rf"%\s*{MARK} row (?P<study>[\w.-]+) (?P<key>[0-9a-f]+)\s*$")
_DATA = re.compile(rf"^\s*%\s*{MARK} data (?P<study>[\w.-]+) (?P<data>[0-9a-f]+)\s*$")
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*%.*")
_INPUT = re.compile(r"\\(?:input|include)\s*\{([^{}]+)\}")
_END = re.compile(r"\\\\(?:\[[^\]]{0,99}\])?|\\(?:top|mid|bottom)rule\b|\\addlinespace\b")
_SIGN = re.compile(r"([-+])\s+(?=\d)")
_ARGUMENTS = re.compile(
    r"\\phantom\s*\{[^{}]*\}"
    r"|\\multicolumn\s*\{[^{}]*\}\s*\{[^{}]*\}|\\multirow\s*(?:\[[^]]{0,99}\])?\{[^{}]*\}\s*\{[^{}]*\}"
    r"|\\(?:cell|row|text)?color\s*(?:\[[^]]{0,99}\])?\s*\{[^{}]*\}"
    r"|\\(?:hspace|vspace|rule|addlinespace|cmidrule|label|ref|cite[a-z]*)\*?"
    r"\s*(?:\[[^]]{0,99}\])?(?:\s*\{[^{}]*\})?"
)
_NUMBER = re.compile(r"(?:(?<![\w.)\]}])[-+])?(?<![\d.])\d+(?:\.\d+)?")
_RAISED = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_LETTER = re.compile(r"(?<![\\A-Za-z])[A-Za-z]")
_DEEPEST = 8
"""So deep may files include each other."""
_MOST_FILES = 1_000
_MOST_BYTES = 2**23
_LONGEST_ROW = 20_000


@dataclass(frozen=True)
class PaperRow:
    """A row of a paper: whose it is, where its comment stands, and its cells as LaTeX.

    There are no cells where the row is commented out, or deleted before its comment.
    """

    study: str
    key: str
    file: Path
    line: int
    cells: tuple[str, ...]

    @property
    def is_printed(self) -> bool:
        """Whether a reader of the paper sees it."""
        return bool(self.cells)

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
    return list(_rows(path))


def versions_in(path: Path) -> dict[str, str]:
    """By study, the version of the data that the paper's tables were made from."""
    found: dict[str, str] = {}
    for _, line in _Paper(path).lines():
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


@dataclass
class _Paper:
    """A paper with all files that it includes; these lie beside it, as LaTeX looks for them."""

    path: Path
    files: int = 0
    size: int = 0

    def lines(self) -> Iterator[tuple[tuple[Path, int], str]]:
        """Each line with its place; an included file's lines follow the line that includes it."""
        yield from self._lines(self.path, ())

    def _lines(
        self, path: Path, around: tuple[Path, ...]
    ) -> Iterator[tuple[tuple[Path, int], str]]:
        self.files += 1
        if self.files > _MOST_FILES:
            raise CbablateError(f"{self.path}: more than {_MOST_FILES:,} files are included")
        if path in around:
            raise CbablateError(f"{path}: the file includes itself, so the paper has no end")
        if len(around) > _DEEPEST:
            raise CbablateError(f"{path}: files include each other more than {_DEEPEST} deep")
        text = _text(path)
        self.size += len(text)
        if self.size > _MOST_BYTES:
            raise CbablateError(
                f"{self.path}: more than {_MOST_BYTES:,} characters with all that is included"
            )
        for number, line in enumerate(text.splitlines(), 1):
            yield (path, number), line
            for name in _INPUT.findall(_COMMENT.sub("", line)):
                inner = _included(self.path.parent, name)
                if inner is None:
                    raise CbablateError(
                        f"{path}:{number} includes {scalar.shown(name)}, which does not lie in "
                        f"{self.path.parent}: whether its numbers match cannot be said"
                    )
                yield from self._lines(inner, (*around, path))


def _text(path: Path) -> str:
    """The text of a LaTeX file. Letters that are not UTF-8 are in no number, so they may be odd."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise CbablateError(f"{path} is {what}; a LaTeX file is wanted")
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CbablateError(f"{path} cannot be read: {reason}") from error
    if len(content) > _MOST_BYTES:
        raise CbablateError(f"{path} has more than {_MOST_BYTES:,} bytes, the most that is read")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise CbablateError(f"{path} is not a text file in UTF-8: save it as UTF-8")
    return content.decode("utf-8-sig", errors="replace")


def _included(root: Path, name: str) -> Path | None:
    """The file that is included by a name, with or without `.tex`; None if there is none."""
    path = root / name.strip()
    for one in (Path(f"{path}.tex"), path):
        try:
            if not stat.S_ISDIR(one.stat().st_mode):
                return one
        except (OSError, ValueError):
            continue  # no such file, or no name of a file at all
    return None


def _rows(path: Path) -> Iterator[PaperRow]:
    """A row is what stands before its comment, on as many lines as it was broken into."""
    pending: list[str] = []
    row = ""  # that has ended, and whose comment may follow on a line of its own
    for (file, number), line in _Paper(path).lines():
        mark = _ROW.search(line)
        live = _COMMENT.sub("", line)
        concealed = not live.strip() and "&" in line and bool(mark or _END.search(line))
        if concealed:
            row = ""
        if not line.strip():
            pending = []
        for index, piece in enumerate(_END.split(live)):
            if index:  # an end of a row stands before it
                row, pending = _joined(pending) or row, []
            pending.append(piece)
        if mark is not None:
            text = "" if concealed else _joined(pending) or row
            if len(text) > _LONGEST_ROW:
                raise CbablateError(
                    f"{file}:{number}: the row before this comment has {len(text):,} characters; "
                    f"at most {_LONGEST_ROW:,} are read"
                )
            yield PaperRow(mark["study"], mark["key"], file, number, _cells(text))
            row, pending = "", []


def _joined(pieces: Sequence[str]) -> str:
    """The lines of a row as one; empty where they are blank."""
    text = " ".join(pieces)
    return text if text.strip() else ""


def _cells(row: str) -> tuple[str, ...]:
    return tuple(re.split(r"(?<!\\)&", row)) if row else ()


def _numbers(cell: str) -> list[str]:
    """The numbers of a cell as printed, without thousands' separators and without a plus."""
    text = _ARGUMENTS.sub(" ", cell)
    text = _RAISED.sub(lambda power: f" {power[0].translate(_LOWERED)}", text)
    text = text.replace("\u2212", "-").replace("--", " ").replace("\u2013", " ")
    text = re.sub(r"(?<=\d)(?:,|\{,\}|\\,)(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"\\[A-Za-z]+\*?|\\[,;!: ]|[~$±]", " ", text)
    return [one.lstrip("+") for one in _NUMBER.findall(_SIGN.sub(r"\1", text))]
