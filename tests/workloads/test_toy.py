from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.spec.budget import Budget
from cbablate.workloads import toy


@pytest.mark.parametrize(
    ("function", "point", "value"),
    [
        ("branin", (3.14159265, 2.275), 0.397887),
        ("branin", (9.42477796, 2.475), 0.397887),
        (
            "hartmann6",
            (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573),
            -3.32237,
        ),
        ("rosenbrock", (1.0, 1.0, 1.0, 1.0), 0.0),
        ("rosenbrock", (0.0, 0.0, 0.0, 0.0), 3.0),
    ],
)
def test_a_functions_minimum_is_where_and_what_it_is_known_to_be(
    function: str, point: tuple[float, ...], value: float
) -> None:
    at = {f"x{i}": x for i, x in enumerate(point)}
    config = toy.resolve({"function": function, "noise": 0.0, "rate": 50.0, **at})
    (told,) = toy.run(config, seed=1, budget=Budget(epochs=1), workdir=Path())
    assert told.metrics["val/score"] == pytest.approx(-value, abs=1e-5)


def test_without_a_function_the_config_is_what_it_was_before_there_were_any() -> None:
    assert toy.resolve({}) == {
        "ceiling": 1.0,
        "start": 0.0,
        "rate": 0.5,
        "noise": 0.01,
        "seconds": 0.0,
        "fault": "none",
    }
    assert "x5" in toy.resolve({"function": "branin"})
