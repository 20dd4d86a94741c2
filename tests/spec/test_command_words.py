from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.spec.command_words import expanded, keys_in, leaves, spelled, takes_all

names = st.text(st.characters(codec="utf-8", exclude_characters="{}.\0"), min_size=1, max_size=6)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
configs = st.recursive(
    st.dictionaries(names, values, max_size=3),
    lambda inner: st.dictionaries(names, values | inner, max_size=3),
    max_leaves=6,
)


def test_keys_stand_for_values_of_the_config_and_of_the_trial() -> None:
    config = {"optimizer": {"lr": 1e-3, "betas": [0.9, 0.999]}, "norm": None, "amp": True}
    words = ["train", "--lr={optimizer.lr}", "{norm}", "{amp}", "{optimizer}", "s{seed}-{lr}"]
    assert expanded(words[:5], config, {"seed": 3}) == [
        "train",
        "--lr=0.001",
        "null",
        "true",
        '{"lr": 0.001, "betas": [0.9, 0.999]}',
    ]
    with pytest.raises(ValueError, match=r"\{lr\} is neither a key of the config nor"):
        expanded(words, config, {"seed": 3})


def test_one_word_stands_for_all_keys() -> None:
    config = {"a": {"b": 1, "c": "x y"}, "d": {}}
    assert expanded(["{--*}"], config, {}) == ["--a.b=1", "--a.c=x y", "--d={}"]
    assert expanded(["{*}"], config, {}) == ["a.b=1", "a.c=x y", "d={}"]
    assert takes_all("{*}")
    assert not takes_all("{a}")


@given(st.text(max_size=30))
def test_a_value_stays_one_word_and_is_never_read_again(text: str) -> None:
    assert expanded(["{a}", "x{a}y"], {"a": text}, {"seed": 1}) == [text, f"x{text}y"]


@given(st.text(max_size=30))
def test_doubled_braces_are_braces(text: str) -> None:
    assert expanded([f"-{text.replace('{', '{{').replace('}', '}}')}"], {}, {}) == [f"-{text}"]


@given(st.floats())
def test_a_number_reads_back_as_it_was(number: float) -> None:
    again = float(spelled(number))
    assert again == number or (math.isnan(again) and math.isnan(number))


@given(configs)
def test_all_keys_of_a_config_are_told_once(config: dict[str, Any]) -> None:
    words = expanded(["{*}"], config, {})
    assert len(words) == len(list(leaves(config)))
    for word, (key, value) in zip(words, leaves(config), strict=True):
        assert word == f"{key}={spelled(value)}"
        if not isinstance(value, str):
            assert json.loads(spelled(value)) == value


@given(st.text("{}a.*-", max_size=8))
def test_a_word_is_refused_before_it_is_filled_in(word: str) -> None:
    try:
        keys = keys_in(word)
    except ValueError:
        with pytest.raises(ValueError, match=r"brace|word of its own"):
            expanded([word], {}, {})
    else:
        expanded([word], {}, dict.fromkeys(keys, 1))
