"""Characters: nothing unseen reaches a sink."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.character import visible, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\nlines\tand  more ", "two lines and more"),
        ("\x1b[31mred\x07", "<U+001B>[31mred<U+0007>"),
        ("a\u202eb", "a<U+202E>b"),
        ("zero\u200bwidth", "zero<U+200B>width"),
        ("\ud800", "<U+D800>"),
        ("e\u0301", "é"),
        ("line\u2028separator", "line separator"),
    ],
)
def test_what_cannot_be_seen_is_spelled(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_visible_text_is_one_line_that_can_be_written_anywhere(text: str) -> None:
    shown = visible(text)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in shown)
    assert visible(shown) == shown


def test_width_is_that_of_a_terminal() -> None:
    assert width("abc") == 3
    assert width("中文") == 4
    assert width("x\u0302") == 1
