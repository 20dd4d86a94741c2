"""Scalars: what unquoted text means in YAML 1.2, and what is wrong with text that is not a number.

The core schema of YAML 1.2.2 (section 10.3.2): `1e-3` is a number; `no`, `1:30` and `2026-01-02`
are words. What that schema calls a number but a person may not have meant as one (`010`), or what
is not finite (`.inf`, `1e400`), stays text, and `misread` says why.
"""

from __future__ import annotations

import math
import re
import unicodedata

__all__ = ["Plain", "ambiguous", "cut", "guess", "misread", "named", "printable", "shown"]

Plain = str | int | float | bool | None

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"([-+]?)0+([0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?)")
_NOT_FINITE = re.compile(r"[-+]?\.?(inf|infinity|nan)", re.IGNORECASE)
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}([ ,_'][0-9]{3})+(\.[0-9]*)?|[-+]?[0-9]+(_[0-9]+)+")
_FORMER_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "y"), "true"),
    **dict.fromkeys(("false", "no", "off", "n"), "false"),
}
_SIXTIES = re.compile(r"([-+]?)([0-9]+(?::[0-5]?[0-9])+)(\.[0-9]*)?")
_DIGITS = 100
_SHOWN = 60
_QUOTES = " \"'\u2018\u2019\u201c\u201d\u200b\ufeff"
_SIGNS = str.maketrans("\u2212\u2010\u2011\u2012\u2013\u2014", "------")


def guess(text: str) -> Plain:
    """What unquoted text means by the core schema, where that is exact; else the text itself."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if len(text) > _DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


def misread(text: str) -> tuple[str, str] | None:
    """Why text that looks like a number is not read as one, and what to write; None if it is not.

    Text that is not a number by its looks either, `seven`, gives None too.
    """
    leading = _LEADING_ZERO.fullmatch(text)
    if leading:
        sign, digits = leading[1], leading[2]
        return f"{shown(text)} begins with a zero", f"write {sign}{digits}"
    if _NOT_FINITE.fullmatch(text):
        return f"{shown(text)} is not finite", ""
    if _FLOAT.fullmatch(text):
        if len(text) > _DIGITS:
            return f"{shown(text)} has {len(text):,} characters; at most {_DIGITS} are read", ""
        if not math.isfinite(float(text)):
            return f"{shown(text)} is too large to be finite", ""
        return None
    if _GROUPED.fullmatch(text):
        digits = re.sub(r"[ ,_']", "", text)
        return f"{shown(text)} separates digits", f"write {digits}"
    return _odd_characters(text)


def ambiguous(text: str) -> tuple[str, str] | None:
    """Why a word may not be meant as one, and what to write; None if it is plainly a word.

    These are what YAML 1.1 calls truth values and numbers to the base 60, and what Python calls
    nothing. As words they are true in Python, `no` as well.
    """
    if guess(text) != text:
        return None
    meant = _FORMER_BOOLEANS.get(text.casefold())
    if meant is not None:
        return f"{shown(text)} is a word here, which Python takes for true", f"write {meant}"
    if text == "None":
        return f"{shown(text)} is a word here, which Python takes for true", "write null"
    sixties = _SIXTIES.fullmatch(text)
    if sixties and len(text) <= _DIGITS:
        number = 0
        for digits in sixties[2].split(":"):
            number = 60 * number + int(digits)
        written = f"{sixties[1].strip('+')}{number}{(sixties[3] or '').rstrip('.')}"
        return f"{shown(text)} is a word here, and no number", f"write {written}"
    return None


def _odd_characters(text: str) -> tuple[str, str] | None:
    """Text that is a number but for the characters it is written in."""
    odd = next((character for character in text if not character.isascii()), None)
    if odd is None:
        return None
    meant = unicodedata.normalize("NFKC", text.translate(_SIGNS)).strip(_QUOTES)
    if not _FLOAT.fullmatch(meant) or len(meant) > _DIGITS:
        return None
    return f"{shown(text)} holds {named(odd)}", f"write {meant}"


def named(character: str) -> str:
    """A character by its code point and its name, if it has one: `U+2212 MINUS SIGN`."""
    half = unicodedata.category(character) == "Cs"
    name = unicodedata.name(character, "half of a surrogate pair" if half else "")
    return f"U+{ord(character):04X} {name}".rstrip()


def shown(text: str) -> str:
    """Text in quotes as a message shows it: on one line, cut where it is long."""
    return f"'{printable(cut(text))}'"


def cut(text: str, most: int = _SHOWN) -> str:
    """The text, or the beginning of one that has more characters than that."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def printable(text: str) -> str:
    """Text on one line, with what cannot be shown, or would steer a terminal, as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
