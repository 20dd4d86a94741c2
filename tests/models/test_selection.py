from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cbablate.models.selection import checked, chosen

depths = st.integers(1, 40)


@given(depths)
def test_all_is_every_block(depth: int) -> None:
    assert chosen("all", depth) == tuple(range(depth))


@given(depths, depths)
def test_first_and_the_rest_of_last_are_all(depth: int, count: int) -> None:
    assume(count < depth)
    assert chosen(f"first {count}", depth) + chosen(f"last {depth - count}", depth) == chosen(
        "all", depth
    )


@pytest.mark.slow
@given(depths, depths)
def test_every_k_is_the_last_of_each_k_blocks(depth: int, count: int) -> None:
    assume(count <= depth)
    indices = chosen(f"every {count}", depth)
    assert indices == tuple(i for i in range(depth) if (i + 1) % count == 0)


@given(depths, st.sampled_from(["first", "last", "every"]))
def test_more_blocks_than_there_are_is_refused(depth: int, word: str) -> None:
    with pytest.raises(ValueError, match=f"the model has {depth}"):
        chosen(f"{word} {depth + 1}", depth)


@given(depths, st.integers(1, 100), st.sampled_from(["first", "last"]))
def test_a_percentage_is_the_nearest_number_of_blocks(depth: int, part: int, word: str) -> None:
    exact = depth * part / 100
    if exact < 0.5:
        with pytest.raises(ValueError, match="less than half a block"):
            chosen(f"{word} {part}%", depth)
        return
    indices = chosen(f"{word} {part}%", depth)
    assert abs(len(indices) - exact) <= 0.5
    assert indices == chosen(f"{word} {len(indices)}", depth)


def test_half_a_block_is_rounded_up() -> None:
    assert chosen("first 50%", 5) == (0, 1, 2)
    assert chosen("last 50%", 12) == chosen("last 6", 12)


def test_a_list_is_sorted_and_held_against_the_depth() -> None:
    assert chosen((3, 0), 4) == (0, 3)
    with pytest.raises(ValueError, match="block 4 is asked for, but the model has 4 blocks"):
        chosen((0, 4), 4)


WORDS = ["", "All", "first", "first -1", "first 01", "first 2.0", "every 0", " all", "last K"]
PARTS = ["first 0%", "last 101%", "every 50%", "first 5 %", "first 2.5%", "50%"]


@pytest.mark.parametrize("blocks", [*WORDS, *PARTS])
def test_words_outside_the_grammar_are_refused(blocks: str) -> None:
    with pytest.raises(ValueError, match="first K"):
        checked(blocks)
