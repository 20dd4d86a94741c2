from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbablate.spec.command_words import (
    expanded,
    is_switch,
    keys_in,
    leaves,
    options,
    spelled,
    takes_all,
    unowned,
)

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


@pytest.mark.parametrize(
    ("word", "value", "words"),
    [
        ("{--no-norm}", True, ["--no-norm"]),
        ("{--no-norm}", False, []),
        ("{--no-norm}", None, []),
        ("{--no-norm}", "batch", ["--no-norm=batch"]),
        ("{--no-norm}", 0, ["--no-norm=0"]),
        ("{--no-norm}", "", ["--no-norm="]),
        ("{--no-norm}", "true", ["--no-norm=true"]),
        ("{--no-norm|--norm}", True, ["--no-norm"]),
        ("{--no-norm|--norm}", False, ["--norm"]),
        ("{--no-norm|-n}", False, ["-n"]),
        ("{--no-norm|--norm}", None, []),
        ("{--no-norm|--norm}", [1], ["--no-norm=[1]"]),
    ],
)
def test_a_switch_is_there_for_true_and_not_for_false(
    word: str, value: object, words: list[str]
) -> None:
    assert expanded(["a", word, "b"], {"no-norm": value}, {}) == ["a", *words, "b"]
    assert is_switch(word)
    assert keys_in(word) == ("no-norm",)


def test_a_switch_may_be_of_a_dotted_key_or_of_the_trial() -> None:
    assert expanded(["{--sgd.nesterov}"], {"sgd": {"nesterov": True}}, {}) == ["--sgd.nesterov"]
    assert expanded(["{--seed}"], {}, {"seed": 3}) == ["--seed=3"]
    with pytest.raises(ValueError, match=r"\{fast\} is neither a key"):
        expanded(["{--fast}"], {}, {})


@pytest.mark.parametrize("word", ["x{--a}", "{--a}{--b}", "{--a|b}", "{--a|}", "{--}", "{--|--b}"])
def test_a_switch_within_a_word_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="a word or for none: write a word of its own"):
        keys_in(word)


@pytest.mark.parametrize("word", ["{--b}", "{--b|--c}", "{b}", "--b={b}", "--other={b}", "b={b}"])
def test_all_keys_are_those_without_a_word_of_their_own(word: str) -> None:
    config = {"a": 1, "b": False, "c": {"b": 2}}
    assert expanded([word, "{--*}"], config, {})[-2:] == ["--a=1", "--c.b=2"]
    assert expanded(["{*}", word], config, {})[:2] == ["a=1", "c.b=2"]


def test_a_key_in_a_longer_text_has_no_word_of_its_own() -> None:
    words = ["--name=run-{norm}", "conf/{norm}.yaml", "{norm}{lr}"]
    assert list(unowned(words, [("norm", 1)])) == [("norm", 1)]


def test_a_mapping_as_a_word_owns_what_is_in_it() -> None:
    assert expanded(["{--*}", "--o={opt}"], {"opt": {"lr": 1}, "a": 2}, {}) == [
        "--a=2",
        '--o={"lr": 1}',
    ]


def test_the_option_of_a_key_is_in_its_word_or_before_it() -> None:
    words = ["--lr", "{a}", "--x={b}", "{--c}", "train.py", "{d}", "--y=1", "{e}", "{--*}"]
    assert dict(options(words)) == {"a": "--lr", "b": "--x", "c": "--c", "d": "", "e": ""}


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


@given(configs)
def test_each_key_of_a_config_can_have_a_switch_and_is_then_in_no_other_word(
    config: dict[str, Any],
) -> None:
    for key, value in leaves(config):
        if not key or "|" in key or not key.replace("*", ""):
            continue
        rest = [
            word for word in expanded(["{--*}"], config, {}) if word != f"--{key}={spelled(value)}"
        ]
        word = f"{{--{key}}}"
        mine = expanded([word], config, {})
        assert expanded([word, "{--*}"], config, {}) == [*mine, *rest]
        if isinstance(value, bool) or value is None:
            assert mine == [f"--{key}"] * bool(value)
        else:
            assert mine == [f"--{key}={spelled(value)}"]


@given(st.text("{}a.*-|", max_size=8))
def test_a_word_is_refused_before_it_is_filled_in(word: str) -> None:
    try:
        keys = keys_in(word)
    except ValueError:
        with pytest.raises(ValueError, match=r"brace|word of its own"):
            expanded([word], {}, {})
    else:
        expanded([word], {}, dict.fromkeys(keys, 1))
