r"""`PaperRow`: a row of our tables in somebody's LaTeX, Markdown or HTML, wherever it was moved.

A row is found by the comment at its end, `% cbablate row STUDY KEY`. A row that is not there is no
fault, and one that is commented out is not printed. Captions and notes stand between the comments
`% cbablate data STUDY VERSION` and `% cbablate end STUDY`.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from cbablate.errors import CbablateError
from cbablate.reporting.model.table import MARK
from cbablate.reporting.pages.printed import Printed, printed_html, printed_markdown, printed_tex
from cbablate.reporting.pages.printed_cell import Token, tokens
from cbablate.spec.yaml import scalar

__all__ = ["PaperRow", "paper_rows", "prose_in", "versions_in"]

_ROW = re.compile(
    rf"(?:%|<!--)\s*{MARK} row (?P<study>[\w.-]+) (?P<key>[0-9a-f]+)\s*(?:-->.{{0,99}})?$"
)
_DATA = re.compile(
    rf"^\s*(?:%|<!--)\s*{MARK} data (?P<study>[\w.-]+) (?P<data>[0-9a-f]+)\s*(?:-->\s*)?$"
)
_LAST = re.compile(rf"^\s*(?:%|<!--)\s*{MARK} end (?P<study>[\w.-]+)\s*(?:-->\s*)?$")
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*%.*")
_INPUT = re.compile(r"\\(?:input|include)\s*\{([^{}]+)\}")
_END = re.compile(r"\\\\(?:\[[^\]]{0,99}\])?|\\(?:top|mid|bottom)rule\b|\\addlinespace\b")
_CLOSED = re.compile(r"\\end\s*\{[a-z]*(?:table|tabular|tblr)[a-z]*\*?\}|</table>")
_AND = re.compile(r"(?<!\\)&")
_DEEPEST = 8
"""So deep may files include each other."""
_MOST_FILES = 1_000
_MOST_BYTES = 2**23
_LONGEST_ROW = 20_000


@dataclass(frozen=True)
class PaperRow:
    """A row of a paper: whose it is, where its comment stands, and its cells as written.

    There are no cells where the row is commented out, or deleted before its comment. Rows of one
    `block` are printed together.
    """

    study: str
    key: str
    file: Path
    line: int
    cells: tuple[str, ...]
    block: int = 0

    @property
    def is_printed(self) -> bool:
        """Whether a reader of the paper sees it."""
        return bool(self.cells)

    @property
    def shows_bold(self) -> bool:
        """Whether the form that it is written in sets the best in bold."""
        return self.file.suffix.lower() not in _FACELESS

    def tokens(self, names: int) -> list[Token]:
        """What is printed in its cells, of which the first `names` are names."""
        read = reader(self.file)
        return tokens([read(cell) for cell in self.cells], names)

    @property
    def numbers(self) -> list[tuple[str, int]]:
        """The numbers as printed, each with the index of its cell."""
        return [(one.text, one.place) for one in self.tokens(1) if one.number]


def reader(file: Path) -> Callable[[str], Printed]:
    """What reads this kind of file; LaTeX, unless its suffix says otherwise."""
    return _READERS.get(file.suffix.lower(), printed_tex)


_READERS: Mapping[str, Callable[[str], Printed]] = MappingProxyType(
    {".md": printed_markdown, ".html": printed_html}
)
_FACELESS = frozenset({".md"})


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


def prose_in(path: Path) -> dict[str, tuple[str, ...]]:
    """By table, what stands around its rows, in lines: captions, notes, and what an author added.

    A table whose last comment is gone is not among them: where it ends is not known.
    """
    known: dict[str, tuple[str, ...]] = {}
    study, lines = "", list[str]()
    for (file, _), line in _Paper(path).lines():
        begins, ends = _DATA.match(line), _LAST.match(line)
        if begins:
            study, lines = begins["study"], []
        elif ends and ends["study"] == study:
            known[study] = (*known.get(study, ()), *lines)
            study = ""
        elif study and not _is_row(file, line):
            lines.append(_live(file, line))
    return known


def _is_row(file: Path, line: str) -> bool:
    if reader(file) is printed_tex:
        return _AND.search(_COMMENT.sub("", line)) is not None
    return line.lstrip().startswith("|") or "<td" in line


def _live(file: Path, line: str) -> str:
    """The line without what is commented out."""
    return _COMMENT.sub("", line) if reader(file) is printed_tex else line


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
    block, closed, before = 0, False, list[PaperRow]()  # the table that is being read
    for (file, number), line in _Paper(path).lines():
        mark = _ROW.search(line)
        live, concealed, is_tex = line, False, reader(file) is printed_tex
        if is_tex:
            live = _COMMENT.sub("", line)
            concealed = not live.strip() and "&" in line and bool(mark or _END.search(line))
        else:
            live, pending, row = line[: mark.start()] if mark else "", [], ""
        if concealed:
            row = ""
        if not line.strip():
            pending = []
        for index, piece in enumerate(_END.split(live) if is_tex else [live]):
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
            one = PaperRow(mark["study"], mark["key"], file, number, _cells(file, text), block)
            if not _continues(before, one, closed=closed):
                block, before = block + 1, []
            before.append(replace(one, block=block))
            yield before[-1]
            row, pending, closed = "", [], False
        closed = closed or _CLOSED.search(line) is not None


def _continues(before: Sequence[PaperRow], row: PaperRow, *, closed: bool) -> bool:
    """Whether a row belongs to the table of those before it; `closed`, if that has ended since.

    A table that is set in pieces has its rows in several, all with as many cells.
    """
    if any(one.key == row.key or one.study != row.study for one in before):
        return False
    return not closed or not before or len(before[-1].cells) == len(row.cells)


def _joined(pieces: Sequence[str]) -> str:
    """The lines of a row as one; empty where they are blank."""
    text = " ".join(pieces)
    return text if text.strip() else ""


def _cells(file: Path, row: str) -> tuple[str, ...]:
    if not row:
        return ()
    if reader(file) is printed_tex:
        return tuple(_AND.split(row))
    if reader(file) is printed_html:
        return tuple(re.split(r"<t[dh]\b[^<>]*>", row)[1:])
    return tuple(re.split(r"(?<!\\)\|", row.strip().removeprefix("|").removesuffix("|")))
