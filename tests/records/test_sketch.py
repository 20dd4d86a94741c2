from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.records.facts import Measured
from cbablate.records.measurement import Measurement
from cbablate.records.sketch import STEPS, Sketch

numbers = st.floats(-1e300, 1e300, allow_nan=False)
rows = st.lists(st.lists(numbers, max_size=9).map(tuple), max_size=4).map(tuple)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=9), rows)
def test_a_number_is_kept_to_half_a_step_of_its_rows_largest(
    about: str, kept: tuple[tuple[float, ...], ...]
) -> None:
    found = Sketch.unpacked(Sketch(about, kept).packed)
    assert found.about == about
    assert [len(row) for row in found.rows] == [len(row) for row in kept]
    for row, again in zip(kept, found.rows, strict=True):
        scale = max(map(abs, row), default=0.0)
        for value, close in zip(row, again, strict=True):
            assert abs(value - close) <= scale * (0.5 / STEPS + 1e-12)
            assert abs(close) == scale or abs(value) < scale


def test_the_same_sketch_is_the_same_text_and_a_number_takes_under_three_letters() -> None:
    sketch = Sketch("x", (tuple(i / 7 for i in range(2080)),))
    assert sketch.packed == Sketch("x", (tuple(i / 7 for i in range(2080)),)).packed
    assert len(sketch.packed) < 3 * 2080


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_no_sketch(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        _ = Sketch("x", ((1.0, bad),)).packed


def test_what_is_no_sketch_is_refused_and_never_read_as_another() -> None:
    told = json.loads(Sketch("x", ((1.0, 2.0),)).packed)
    cut = base64.b64encode(base64.b64decode(told["steps"])[:2]).decode()
    less = [json.dumps({**told, **changes}) for changes in ({"steps": cut}, {"scales": []})]
    for text in ("", "3", "{}", *less):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Sketch.unpacked(text)


def test_sketches_are_in_the_ledger_and_a_measurement_without_any_is_as_it_was() -> None:
    packed = Sketch("x", ((1.0, 2.0),)).packed
    measurement = Measurement(1, {"loss": 1.0}, sketches={"a/b": packed})
    record = Measured(measurement).record("t")
    read = replace(record, body=json.loads(json.dumps(record.body)))
    assert Measured.of(read).measurement == measurement
    assert "sketches" not in Measured(Measurement(1, {"loss": 1.0})).body()
