from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.spec.loading.changes import apply, flatten, nested

keys = st.text("abc", min_size=1, max_size=2)
leaves = st.integers() | st.text(max_size=3) | st.none() | st.lists(st.integers(), max_size=2)
configs = st.dictionaries(
    keys, st.recursive(leaves, lambda inner: st.dictionaries(keys, inner, max_size=3)), max_size=4
)


def dot(config: dict[str, Any]) -> dict[str, Any]:
    """The same delta with every key dotted."""
    return dict(flatten(config))


@settings(deadline=None)
@given(configs)
def test_dotted_and_nested_changes_say_the_same(config: dict[str, Any]) -> None:
    assert nested(dot(config)) == config


@settings(deadline=None)
@given(configs, configs)
def test_all_that_is_changed_holds_and_neither_argument_is_altered(
    config: dict[str, Any], changes: dict[str, Any]
) -> None:
    before = copy.deepcopy((config, changes))
    changed = apply(config, changes)
    assert (config, changes) == before
    said = dict(flatten(changed))
    for key, value in flatten(changes):
        if value != {}:
            assert said[key] == value


@settings(deadline=None)
@given(configs, configs)
def test_applying_changes_twice_is_applying_them_once(
    config: dict[str, Any], changes: dict[str, Any]
) -> None:
    once = apply(config, changes)
    assert apply(once, changes) == once


@settings(deadline=None)
@given(configs)
def test_no_changes_change_nothing(config: dict[str, Any]) -> None:
    assert apply(config, {}) == config
    assert apply({}, config) == config


def test_a_list_is_replaced_as_a_whole() -> None:
    assert apply({"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b.d": 2}) == {
        "a": [3],
        "b": {"c": 1, "d": 2},
    }


def test_the_later_of_two_ways_to_say_it_wins() -> None:
    assert nested({"a": {"b": 1, "c": 1}, "a.b": 2}) == {"a": {"b": 2, "c": 1}}
    assert nested({"a.b": 2, "a": None}) == {"a": None}
