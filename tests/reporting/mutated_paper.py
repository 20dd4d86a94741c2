r"""`mutations`: a table's file with one edit that changes what it claims, of every kind."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cbablate.character import visible
from cbablate.reporting.forms.symbol import SYMBOL
from cbablate.reporting.forms.tex_text import prose
from cbablate.reporting.model.table import Table

_ROW = re.compile(r"(?m)^(?P<row>.*?)(?:\\\\ %| \| <!--) cbablate row \S+ \S+")
_NUMBER = re.compile(r"(?<![\w.])(?:\$[-+]\$|[-+\u2212])?\d[\d,]*(?:\.\d+)?")
_HIDDEN = re.compile(
    r"\\phantom\{(?:[^{}]|\{[^{}]*\})*\}|\\multicolumn\{\d+\}\{c\}|\\hspace\{0pt\}|\\rule\{[^{}]*\}\{[^{}]*\}"
)
_MARK = re.compile(r"\\rlap\{\$\^\{\\dagger\}\$\}|\$\^\{\\dagger\}\$|†")
_LESS = re.compile(r"\$<\$|&lt;|<(?=\d)")
_WORDS = {
    "helps": "hurts",
    "hurts": "helps",
    "undecided": "helps",
    "differs": "helps",
    "unconfirmed": "helps",
    "none differs": "all differ",
    "not adjusted": "adjusted",
    "no difference": "a difference",
    "too few": "enough",
    "simultaneous": "single",
}
_IN_BOLD = re.compile(r"(?:\\bfseries |\*\*|\\textbf\{)[^&|]*$")
_BOLD = re.compile(r"\\bfseries |\*\*|\\textbf(?=\{[\d.]+\})")


@dataclass(frozen=True)
class Mutation:
    """A file's text after one edit: which kind it was, and what is different."""

    kind: str
    text: str
    before: str
    after: str


def mutations(table: Table, text: str, chance: random.Random, each: int) -> Iterator[Mutation]:
    """As many edits of each kind as asked for, where the file has anything to edit."""
    values = list(_values(table, text))
    said = list(_said(table, text))
    found: dict[str, list[tuple[int, int, str]]] = {}

    def add(kind: str, start: int, end: int, new: str) -> None:
        found.setdefault(kind, []).append((start, end, new))

    for start, end in values:
        number = text[start:end]
        for place in range(start, end):
            if text[place].isdigit():
                add("digit", place, place + 1, _other(text[place], chance))
        if text[start - 1] != "-":  # of a range's end no sign can be made otherwise
            add("sign", start, end, _flipped(number))
        add("deleted", start, end, "")
        add("dagger added", end, end, "†" if _is_markdown(text) else r"$^{\dagger}$")
        add("relation added", start, end, f"<{number}")
        bold = f"**{number}**" if _is_markdown(text) else rf"\textbf{{{number}}}"
        if not _IN_BOLD.search(text[max(0, start - 99) : start]):
            add("bold added", start, end, bold)
    for row in _ROW.finditer(text):
        for kind, what in (("dagger", _MARK), ("relation", _LESS), ("bold", _BOLD)):
            for one in what.finditer(text, _first(table, text, row), row.end("row")):
                add(f"{kind} removed", *one.span(), "")
    hiding = list(_HIDDEN.finditer(text))
    for start, end in said:
        for one in _NUMBER.finditer(text, start, end):
            if any(hidden.start() < one.start() < hidden.end() for hidden in hiding):
                continue
            digits = [at for at in range(one.start(), one.end()) if text[at].isdigit()]
            at = chance.choice(digits)
            add("digit of a sentence", at, at + 1, _other(text[at], chance))
            if one[0][0] in "-+\u2212$":
                add("sign of a sentence", *one.span(), _flipped(one[0]))
        for word, new in _WORDS.items():
            for one in re.finditer(rf"\b{word}\b", text[start:end]):
                add("word of a claim", start + one.start(), start + one.end(), new)
    for kind, edits in found.items():
        for start, end, new in chance.sample(edits, min(each, len(edits))):
            mutated = text[:start] + new + text[end:]
            low = max(0, start - 30)
            yield Mutation(kind, mutated, text[low : end + 20], mutated[low : end + 20])


def _is_markdown(text: str) -> bool:
    return text.startswith("<!--")


def _values(table: Table, text: str) -> Iterator[tuple[int, int]]:
    """Where the numbers of rows stand that are in no name."""
    shown = _HIDDEN.sub(lambda found: "x" * len(found[0]), text)
    for row in _ROW.finditer(shown):
        for one in _NUMBER.finditer(shown, _first(table, text, row), row.end("row")):
            yield one.span()


def _first(table: Table, text: str, row: re.Match[str]) -> int:
    """Where the first cell of a row begins that is no name."""
    names = sum(column.kind == "text" for column in table.columns)
    bar = r"(?<!\\)\|" if _is_markdown(text) else r"(?<!\\)&"
    bars = [one.end() for one in re.finditer(bar, row["row"])]
    return row.start() + bars[names if _is_markdown(text) else names - 1]


def _said(table: Table, text: str) -> Iterator[tuple[int, int]]:
    """Where sentences of ours stand, the names of arms left out."""
    markdown_ = _is_markdown(text)
    names = {
        cell.plain
        for row in table.rows
        for cell, column in zip(row.cells, table.columns, strict=True)
        if column.kind == "text" and cell.plain.strip()
    }
    for sentence in dict.fromkeys((*table.statement, *table.warnings)):
        spelled = _markdown(sentence) if markdown_ else prose(sentence)
        for found in re.finditer(re.escape(spelled), text):
            place = found.start()
            spelled_names = {_markdown(one) if markdown_ else prose(one) for one in names}
            longest = sorted(map(re.escape, spelled_names), key=len, reverse=True)
            for gap in re.finditer("|".join(longest) or r"\Z", spelled):
                yield place, found.start() + gap.start()
                place = found.start() + gap.end()
            yield place, found.end()


def _markdown(sentence: str) -> str:
    shown = re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", visible(sentence))
    shown = re.sub(r"&(?=[#A-Za-z])", "&amp;", shown)
    shown = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", shown).replace(">", "&gt;")
    return SYMBOL.sub(r"*\g<0>*", shown)


def _other(digit: str, chance: random.Random) -> str:
    return chance.choice([one for one in "0123456789" if one != digit])


def _flipped(number: str) -> str:
    bare = number.lstrip("$+-\u2212")
    return bare if set(number[:3]) & set("-\u2212") else f"-{bare}"


__all__ = ["Mutation", "mutations"]
