"""Characters that a sink may be trusted with: what cannot be seen is spelled out.

Names come from study files, and through them from anybody. A terminal would obey an escape
sequence, a reversed line would read as another, and a newline would break a table's row.
"""

from __future__ import annotations

import unicodedata

__all__ = ["brief", "code_point", "spaced", "visible", "visible_lines", "width"]

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories: control, format (direction, joiners), surrogate, private, unassigned."""


def visible(text: str) -> str:
    """The text in one line and in NFC, its unseen characters spelled as `<U+0007>`.

    White space of any kind, line breaks among it, becomes a single space.
    """
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    if composed.isprintable():  # none of _UNSEEN, then: most words, and many thousands of them
        return composed
    return "".join(
        code_point(character) if unicodedata.category(character) in _UNSEEN else character
        for character in composed
    )


def spaced(text: str) -> str:
    """A line as `visible` spells it, but with all its spaces, by which columns are aligned."""
    return " ".join(visible(word) if word else "" for word in text.split(" "))


def visible_lines(text: str) -> str:
    """Lines of text for a terminal, each with its spaces; only newlines stay as they are."""
    return "\n".join(line if line.isprintable() else spaced(line) for line in text.split("\n"))


def brief(text: str, most: int) -> str:
    """The beginning of a text that a stranger may have made very long, and how much is left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}... ({len(text) - most:,} more characters)"


def code_point(character: str) -> str:
    """A character by its number, `<U+4E2D>`."""
    return f"<U+{ord(character):04X}>"


def width(text: str) -> int:
    """How many columns of a terminal the text takes: none for a combining mark, two if wide."""
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
