"""`reworded`: sentences of a caption or of notes whose numbers or claims were changed in a paper.

A sentence may be left out, put elsewhere, or said in other words; one that is still like ours must
have our numbers, our words of claims and, as far as they are not renamed, our arms, in our order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from cbablate.character import visible
from cbablate.reporting.forms.terse_table import without_spans
from cbablate.reporting.forms.tex_text import prose
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.printed import BREAK, Printed, printed_tex
from cbablate.reporting.pages.printed_cell import NUMBER, numeral

__all__ = ["Rewording", "reworded"]

_SENTENCE = re.compile(rf"{BREAK}|(?<=[.?!])\s+")
_WORD = re.compile(rf"{NUMBER.pattern}|(?P<word>[^\W\d_]+)|(?P<mark>[†‡*])")
_QUOTES = "“”`'\""
_NAME = "\0"
"""What the name of an arm begins with among the words of a claim."""
_ALIKE = 0.5
"""A sentence less like any of ours is its author's own."""
_MOST = 2_000
"""So many sentences of a paper are compared."""
_CLAIMS = """
helps hurts differs differ equivalent unconfirmed undecided few none no not nothing
never neither without larger smaller less more better worse higher lower best within
beyond below above agree agrees sure adjusted unadjusted simultaneous single paired
welch šidák holm dunnett sequential spent exact sign flip bca bootstrap t mean means median
half width pairs seeds replicates test validation train comparison comparisons tuned
fixed complete failed pruned diverged lost significant significantly insignificant
conditional survives
"""
"""Words that say what was found or how; no sentence of ours may lose or change one."""


@dataclass(frozen=True)
class Rewording:
    """A sentence as a paper has it, and as the table says it now."""

    printed: str
    now: str


@dataclass(frozen=True)
class _Sentence:
    text: str
    words: tuple[str, ...]
    claims: tuple[str, ...]
    name: str


def reworded(
    tables: Sequence[Table], lines: Sequence[str], read: Callable[[str], Printed]
) -> list[Rewording]:
    """What the lines of a paper around our tables say otherwise than captions and notes do."""
    names = sorted(_names(tables, read), key=len, reverse=True)
    ours = list(dict.fromkeys(_ours(tables, names, read)))
    same = {one.words for one in ours}
    found = []
    text = "\n".join(lines) if read is printed_tex else BREAK.join(map(_unbulleted, lines))
    for one in list(_sentences(read(text).text, names))[:_MOST]:
        if one.words in same or not one.words:
            continue
        like = _likest(one, ours)
        if like is not None and not _agree(one, like):
            found.append(Rewording(one.text, like.text))
    return found


def _unbulleted(line: str) -> str:
    return line.lstrip().removeprefix("- ")


def _told(table: Table) -> Iterator[str]:
    """The sentences of a table's caption and notes, as long or as short as they may be."""
    terse, _ = without_spans(table)
    yield from dict.fromkeys((*table.statement, *table.notes, *table.warnings, *terse.warnings))


def _shown(words: str, read: Callable[[str], Printed]) -> str:
    """Our words as they come out of a file of ours."""
    if read is printed_tex:
        return read(prose(words)).text
    return Printed.of([(visible(words), False)]).settled.text


def _names(tables: Sequence[Table], read: Callable[[str], Printed]) -> set[str]:
    """What arms and levels are called, where that is no number."""
    return {
        _shown(cell.plain, read).strip()
        for table in tables
        for row in table.rows
        for cell, column in zip(row.cells, table.columns, strict=True)
        if column.kind == "text" and re.search(r"[^\W\d_]", cell.plain)
    }


def _ours(
    tables: Sequence[Table], names: Sequence[str], read: Callable[[str], Printed]
) -> Iterator[_Sentence]:
    for table in tables:
        for said in _told(table):
            yield from _sentences(_shown(said, read), names)


def _sentences(text: str, names: Sequence[str]) -> Iterator[_Sentence]:
    known = frozenset(_CLAIMS.split())
    named = _named(names, known)
    for piece in _SENTENCE.split(text):
        claims: list[str] = []
        place = 0
        for match in named.finditer(piece):
            claims += _claiming(piece[place : match.start()], known)
            claims.append(f"{_NAME}{match[0].strip(_QUOTES)}")
            place = match.end()
        claims += _claiming(piece[place:], known)
        head = piece.partition(":")[0].strip(" \n\u2009-*")
        yield _Sentence(
            " ".join(piece.split()),
            tuple(_words(piece)),
            tuple(claims),
            head if head in names else "",
        )


def _named(names: Sequence[str], known: frozenset[str]) -> re.Pattern[str]:
    """Where an arm is named; one that is called as a claim is worded, in quotation marks only."""
    each = (
        rf"[{_QUOTES}]+{re.escape(name)}[{_QUOTES}]+"
        if name.lower() in known
        else rf"(?<!\w){re.escape(name)}(?!\w)"
        for name in names
    )
    return re.compile("|".join(each) or r"\Z(?!)")


def _claiming(text: str, known: frozenset[str]) -> list[str]:
    """Its numbers, its marks, and its words that claim anything."""
    return [one for one in _words(text) if one in known or one[-1:].isdigit() or one in "†‡*"]


def _agree(printed: _Sentence, ours: _Sentence) -> bool:
    """Whether both claim the same of the same arms; an arm that is not there was renamed."""
    there = {one for one in printed.claims if one.startswith(_NAME)}
    return list(printed.claims) == [
        one for one in ours.claims if not one.startswith(_NAME) or one in there
    ]


def _words(text: str) -> Iterator[str]:
    """Words in small letters, numbers as they are compared, marks."""
    for match in _WORD.finditer(text):
        if match["digits"]:
            yield numeral(match)
        else:
            yield (match["word"] or match["mark"]).lower()


def _likest(one: _Sentence, ours: Sequence[_Sentence]) -> _Sentence | None:
    """That sentence of ours which this one is made from; None if it is its author's own."""
    named = [other for other in ours if one.name and other.name == one.name]
    if named:
        return next((other for other in named if _agree(one, other)), named[0])
    match = SequenceMatcher(autojunk=False)
    match.set_seq2(one.words)
    best, most = None, _ALIKE
    for other in ours:
        match.set_seq1(other.words)
        if match.real_quick_ratio() > most and match.quick_ratio() > most:
            ratio = match.ratio()
            if ratio > most:
                best, most = other, ratio
    return best
