"""Mutations: hostile variants of real files, drawn by Hypothesis, so that failures are shrunk."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

__all__ = ["facts", "files", "texts"]

_FAR = 2**20
# fmt: off
_YAML = [
    "&a ", "*a", "- ", ": ", "{", "}", "[", "]", "#", "'", "\"", "|\n", ">-\n", "<<: ",
    "!!python/x "
]
_VALUES = [
    "null", "true", "~", "1e999", "-1", "0x1F", "010", ".nan", "{}", "[]", "''", "9" * 400,
    "1_0"
]
_CHARACTERS = [
    "\0", "\x1b[31m", "\ufeff", "\uffff", "\u202e", "\U0010ffff", "\t", "\r", "\x85", "\u2028"
]
_TEX = [
    "\\input{x}", "\\input{", "\\\\", "&", "%", "{", "}", "\\multicolumn{2}{c}{", "$", "\\pm",
    "--"
]
_MARKS = [
    "% cbablate row placement 3c720bd466", "% cbablate data x 00", "\u2212", "1,234", "{,}",
    "+-"
]
_KEYS = [
    "seed: ", "name: x\n", "tune: s.yaml\n", "baseline: ", "factors:\n", "when: ", "choice: ",
    "step: "
]
# fmt: on
TOKENS = [*_YAML, *_VALUES, *_CHARACTERS, *_TEX, *_MARKS, *_KEYS]
_ODD: list[Any] = [
    *(None, True, "", "x", "\x1b[31m\u202e", "x" * 5_000, -1, 0, 10**30, 1e308, 5e-324, -0.0),
    *([], {}, [[]], {"": None}, [None] * 50, {"a": {"b": {"c": 1}}}, "complete", "2026-11-30"),
]

_ops = st.tuples(
    st.integers(0, 6), st.integers(0, _FAR), st.integers(0, 60), st.integers(0, len(TOKENS) - 1)
)


def texts(seeds: Sequence[str]) -> st.SearchStrategy[str]:
    """One of the texts after a few changes: spans lost, moved, doubled; tokens put in."""
    return st.builds(
        lambda one, ops, other: _changed(seeds[one], ops, seeds[other]),
        st.integers(0, len(seeds) - 1),
        st.lists(_ops, min_size=1, max_size=6),
        st.integers(0, len(seeds) - 1),
    )


def _changed(text: str, ops: Sequence[tuple[int, int, int, int]], other: str) -> str:
    for kind, far, length, token in ops:
        at = far % (len(text) + 1)
        end = min(at + length, len(text))
        lines = text.splitlines(keepends=True) or [""]
        line = far % len(lines)
        if kind == 0:
            text = text[:at] + text[end:]
        elif kind == 1:
            text = text[:at] + TOKENS[token] + text[at:]
        elif kind == 2:
            text = text[:end] + text[at:end] * 2 + text[end:]
        elif kind == 3:
            text = text[:at] + TOKENS[token] + text[end:]
        elif kind == 4:
            lines.insert(length % (len(lines) + 1), lines.pop(line))
            text = "".join(lines)
        elif kind == 5:
            lines[line] = " " * (length % 9) + lines[line].lstrip(" ")
            text = "".join(lines)
        else:
            start = far % (len(other) + 1)
            text = text[:at] + other[start : start + length] + text[at:]
    return text


def files(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """One of the binary files with bytes changed, cut off, zeroed or doubled."""
    ops = st.tuples(st.integers(0, 4), st.integers(0, _FAR), st.integers(1, 5_000))

    def changed(one: int, changes: Sequence[tuple[int, int, int]]) -> bytes:
        content = bytearray(seeds[one])
        for kind, far, length in changes:
            at = far % (len(content) + 1)
            if kind == 0:
                content[at : at + 1] = bytes([length % 256])
            elif kind == 1:
                del content[at:]
            elif kind == 2:
                content[at : at + length] = bytes(min(length, len(content) - at))
            elif kind == 3:
                content[at:at] = content[at : at + length]
            else:
                del content[at : at + length]
        return bytes(content)

    return st.builds(changed, st.integers(0, len(seeds) - 1), st.lists(ops, min_size=1, max_size=4))


def facts(seeds: Sequence[str]) -> st.SearchStrategy[str]:
    """One of the lists of facts, as JSON, with values replaced, keys lost, facts moved."""
    ops = st.tuples(
        st.integers(0, 5), st.integers(0, _FAR), st.integers(0, _FAR), st.integers(0, len(_ODD) - 1)
    )
    return st.builds(
        lambda one, changes: _altered(seeds[one], changes),
        st.integers(0, len(seeds) - 1),
        st.lists(ops, min_size=1, max_size=5),
    )


def _altered(text: str, changes: Sequence[tuple[int, int, int, int]]) -> str:
    told: list[Any] = json.loads(text)
    for kind, far, deep, odd in changes:
        if not told:
            break
        at = far % len(told)
        if kind == 0:
            told.pop(at)
        elif kind == 1:
            told.insert(deep % (len(told) + 1), json.loads(json.dumps(told[at])))
        elif kind == 2:
            told.insert(deep % len(told), told.pop(at))
        else:
            _replaced(told[at]["body"], deep, copy.deepcopy(_ODD[odd]), lose=kind == 3)
    return json.dumps(told)


def _replaced(body: Any, deep: int, odd: Any, *, lose: bool) -> None:
    """Put something odd into one place of a body, or take away what stands there."""
    while isinstance(body, dict | list) and body:
        keys = sorted(body) if isinstance(body, dict) else range(len(body))
        deep, place = divmod(deep, len(keys))
        key: Any = keys[place]
        if isinstance(body[key], dict | list) and body[key] and deep % 3:
            body = body[key]
            continue
        if lose:
            del body[key]
        else:
            body[key] = odd
        return
