from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.fingerprint import canonical, derive_seed, fingerprint

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def reordered(value: Any) -> Any:
    """The same value, the keys of its mappings in the opposite order."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def as_floats(value: Any) -> Any:
    """The same value, each whole number that a float can hold written as one."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return float(value)
    if isinstance(value, dict):
        return {key: as_floats(item) for key, item in value.items()}
    return [as_floats(item) for item in value] if isinstance(value, list) else value


def leaf_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = [*value.items()]
    elif isinstance(value, list):
        inner = [*enumerate(value)]
    return [p for key, item in inner for p in leaf_paths(item, (*path, key))] or [path]


@settings(deadline=None)
@given(values)
def test_key_order_and_the_spelling_of_whole_numbers_do_not_matter(value: Any) -> None:
    assert fingerprint(reordered(value)) == fingerprint(value)
    assert fingerprint(as_floats(value)) == fingerprint(value)


@settings(deadline=None)
@given(values, st.data())
def test_every_leaf_matters(value: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(leaf_paths(value)))
    other = {"root": copy.deepcopy(value)}
    place: Any = other
    for key in ("root", *path)[:-1]:
        place = place[key]
    place[("root", *path)[-1]] = "something that was not there"
    assert fingerprint(other["root"]) != fingerprint(value)


@settings(deadline=None)
@given(values)
def test_canonical_text_is_json_that_means_the_value(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@pytest.mark.slow
@settings(deadline=None)
@given(values, values)
def test_unequal_texts_have_unequal_fingerprints(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == (fingerprint(one) == fingerprint(other))


def test_truth_is_no_number_and_a_number_no_text() -> None:
    assert len({fingerprint(value) for value in (1, True, "1", [1], {"1": 1}, None)}) == 6


@pytest.mark.parametrize("whole", [2.0**53, 1e22, -1e300])
def test_large_whole_numbers_are_one_with_their_integers(whole: float) -> None:
    assert fingerprint(whole) == fingerprint(int(whole))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, b"x", object(), {1, 2}])
def test_what_has_no_exact_text_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        fingerprint({"a": [value]} if not isinstance(value, dict) else value)


def test_fingerprints_do_not_change_between_versions() -> None:
    assert fingerprint({"lr": 1e-3, "depth": 4, "name": "é"}) == "1cf3f31891c9076212c5"
    assert derive_seed(0, "replicate", 0) == 2244087219


@settings(deadline=None)
@given(st.integers(0, 2**32), st.lists(st.text(max_size=5), min_size=1, max_size=3))
def test_a_seed_is_32_bits_and_depends_on_every_name(seed: int, names: list[str]) -> None:
    drawn = derive_seed(seed, *names)
    assert 0 <= drawn < 2**32
    assert drawn == derive_seed(seed, *names)
    assert drawn != derive_seed(seed, *names, "further")
    assert drawn != derive_seed(seed + 1, *names)
