from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.spec.yaml.suggestion import did_you_mean, nearest

KEYS = ["name", "embed_dim", "depth", "num_heads", "drop_rate", "drop_path_rate", "qkv_bias"]
words = st.text("abcdefgh_", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Depth", "depth"),
        ("num-heads", "num_heads"),
        ("names", "name"),
        ("dpeth", "depth"),
        ("embeddim", "embed_dim"),
        ("drop_path", "drop_path_rate"),
        ("bias", "qkv_bias"),
        ("embed_width_dim", "embed_dim"),
    ],
)
def test_the_word_that_was_meant_is_found(word: str, meant: str) -> None:
    assert nearest(word, KEYS) == (meant,)
    assert did_you_mean(word, KEYS) == f"did you mean '{meant}'?"


def test_nothing_is_suggested_where_nothing_comes_near() -> None:
    assert did_you_mean("xylophone", KEYS) == ""
    assert did_you_mean("x", []) == ""
    assert did_you_mean("n" * 10_000, KEYS) == ""


def test_equal_candidates_are_all_named() -> None:
    assert did_you_mean("val/loss4", ["val/loss1", "val/loss2"]) == (
        "did you mean 'val/loss1' or 'val/loss2'?"
    )


def test_a_sure_guess_is_one_slip_away_at_most() -> None:
    assert nearest("drop_path", KEYS, surely=True) == ()
    assert nearest("dept", KEYS, surely=True) == ("depth",)


@settings(deadline=None)
@given(words, st.lists(words, max_size=8, unique=True))
def test_suggestions_are_choices_and_a_known_word_suggests_itself(
    word: str, choices: list[str]
) -> None:
    found = nearest(word, choices)
    assert set(found) <= set(choices)
    assert word not in choices or word in nearest(word, [word])
    assert word not in choices or word in found or len(found) == 3
