"""Syntax errors: what PyYAML's parser says, told as what a person did."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from cbablate.spec.yaml import scalar

__all__ = ["explained", "odd_character"]

_BREAK = re.compile(r"\r\n|\r|\n")
Told = tuple[str, Any, str]
"""A sentence, the mark it belongs to (or None), a hint."""


def explained(error: Any, text: str) -> Told:
    """What a `yaml.MarkedYAMLError` about `text` means: the sentence, its mark and a hint."""
    problem, context = error.problem or "", error.context or ""
    told = next((tell(error) for words, tell in _TOLD.items() if words in problem), None)
    if told is None:
        told = next(
            (tell(error) for words, tell in _TOLD_BY_CONTEXT.items() if words in context), None
        )
    if told is None:
        around = f" {context}" if context else ""
        told = (f"this cannot be read as YAML: {problem}{around}", error.problem_mark, "")
    sentence, mark, hint = told
    lines = [mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None]
    hint = next(filter(None, (odd_character(text, line) for line in lines)), hint)
    return sentence, mark or error.problem_mark or error.context_mark, hint


def odd_character(text: str, line: int) -> str:
    """A hint at the first space, dash or quote on a line (from 0) that is not ASCII's, if any."""
    written = _BREAK.split(text)
    for column, character in enumerate(written[line] if line < len(written) else "", 1):
        category = unicodedata.category(character)
        if not character.isascii() and category in ("Zs", "Cf", "Pd", "Pi", "Pf"):
            return f"line {line + 1}, column {column} holds {scalar.named(character)}: is it meant?"
    return ""


def _tab(error: Any) -> Told:
    return "a tab; YAML wants spaces here", error.problem_mark, "replace it with spaces"


def _no_start(error: Any) -> Told:
    character = error.problem.split("'")[1] if "'" in error.problem else "it"
    if character == "\\t":
        return _tab(error)
    return f"no value begins with '{character}'", error.problem_mark, "quote the whole value"


def _second_colon(error: Any) -> Told:
    return (
        "a second ': ' in one value, or a key that is indented too far",
        error.problem_mark,
        "quote a text that holds ': '; begin keys of one mapping in one column",
    )


def _open_quote(error: Any) -> Told:
    return "the quote that opens here is never closed", error.context_mark, ""


def _open_bracket(error: Any) -> Told:
    bracket = "'['" if "sequence" in error.context else "'{'"
    where = f"line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
    return (
        f"the {bracket} that opens here is not closed, or lacks a comma, before {where}",
        error.context_mark,
        "",
    )


def _no_colon(error: Any) -> Told:
    return "this line is no `key: value`", error.context_mark, "is a ': ' missing?"


def _indentation(error: Any) -> Told:
    what = "list" if "sequence" in error.context else "mapping"
    began = error.context_mark.line + 1
    return (
        f"this does not belong to the {what} that began on line {began}",
        error.problem_mark,
        "is it indented by too much or too little, or is a quote, ':' or '-' missing?",
    )


def _list_entry(error: Any) -> Told:
    return (
        "a '- ' entry cannot begin here",
        error.problem_mark,
        "begin the list on a line of its own",
    )


def _escape(error: Any) -> Told:
    return (
        "a backslash in double quotes that is not an escape",
        error.problem_mark,
        "use single quotes, in which a backslash is a backslash",
    )


def _after_the_end(error: Any) -> Told:
    return "something stands after the end of the mapping", error.problem_mark, ""


def _anchor_name(error: Any) -> Told:
    sign = "*" if "alias" in (error.context or "") else "&"
    return f"no value begins with '{sign}'", error.context_mark, "quote the whole value"


def _nothing_there(error: Any) -> Told:
    return "a value is missing here", error.problem_mark, ""


_TOLD: Mapping[str, Callable[[Any], Told]] = {
    "cannot start any token": _no_start,
    "mapping values are not allowed": _second_colon,
    "unexpected end of stream": _open_quote,
    "unexpected document separator": _open_quote,
    "could not find expected ':'": _no_colon,
    "sequence entries are not allowed": _list_entry,
    "unknown escape character": _escape,
    "expected '<document start>'": _after_the_end,
    "expected alphabetic or numeric character": _anchor_name,
    "expected the node content": _nothing_there,
}
_TOLD_BY_CONTEXT: Mapping[str, Callable[[Any], Told]] = {
    "while parsing a flow": _open_bracket,
    "while parsing a block": _indentation,
}
