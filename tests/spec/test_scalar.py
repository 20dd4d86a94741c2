from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.spec.yaml.scalar import guess, misread, named, shown


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1e-3", 0.001),
        (".5e-3", 0.0005),
        ("1.", 1.0),
        ("+5", 5),
        ("-0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e-320", 1e-320),
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
    ],
)
def test_the_core_schema_is_followed(text: str, meaning: object) -> None:
    assert guess(text) == meaning
    assert type(guess(text)) is type(meaning)


@pytest.mark.parametrize(
    "text",
    [
        *("no", "on", "yes", "off", "y", "1:30", "2026-01-02", "010", ".inf", "-.inf", ".nan"),
        *("1e400", "1_000", "1,000", "0b1", "e5", ".", "-", "1.2.3", "tRUE", "nUll", "0x", "٣"),
        "7" * 5000,
    ],
)
def test_whatever_else_is_a_word(text: str) -> None:
    assert guess(text) == text


@pytest.mark.parametrize("text", ["seven", "", "1e-3", "10", "-", "1:30", "naïve", "a \u2212 b"])
def test_what_is_a_number_or_no_number_at_all_is_not_misread(text: str) -> None:
    assert misread(text) is None


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_float_is_read_as_itself(value: float) -> None:
    assert guess(repr(value)) == value


@settings(deadline=None)
@given(st.integers(-(10**30), 10**30))
def test_every_integer_is_read_as_itself(value: int) -> None:
    read = guess(str(value))
    assert read == value
    assert isinstance(read, int)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_a_guess_is_never_infinite_and_a_message_is_one_printable_line(text: str) -> None:
    read = guess(text)
    assert not isinstance(read, float) or math.isfinite(read)
    assert shown(text).isprintable()
    assert len(shown(text)) <= 2 + 60 * len("\\U0010ffff")
    told = misread(text)
    assert told is None or told[0].isprintable()


def test_characters_are_named_by_code_point() -> None:
    assert named("\u2212") == "U+2212 MINUS SIGN"
    assert named("\x00") == "U+0000"
    assert named("\ud800") == "U+D800 half of a surrogate pair"
