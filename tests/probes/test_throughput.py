from __future__ import annotations

from collections import Counter

import pytest

from cbablate.probes.expense.throughput import rates


class Shop:
    """Steps that take as long as they say, by a clock of their own."""

    def __init__(self, **seconds: float) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.called: list[str] = []

    def steps(self) -> dict[str, object]:
        return {name: lambda name=name: self.work(name) for name in self.seconds}

    def work(self, name: str) -> None:
        self.called.append(name)
        self.now += self.seconds[name]


def measured(shop: Shop, rounds: int) -> dict[str, list[float]]:
    return rates(shop.steps(), rounds=rounds, seconds=1.0, clock=lambda: shop.now)  # type: ignore[arg-type]  # lambdas of no argument


def test_a_rate_is_calls_by_second_one_a_round() -> None:
    found = measured(Shop(fast=0.01, slow=0.5), rounds=3)
    assert found["fast"] == pytest.approx([100.0] * 3)
    assert found["slow"] == pytest.approx([2.0] * 3)


def test_every_step_is_given_about_the_same_time() -> None:
    shop = Shop(fast=0.001, slow=0.05)
    measured(shop, rounds=20)
    counts = Counter(shop.called)
    assert counts["fast"] * 0.001 == pytest.approx(counts["slow"] * 0.05, rel=0.2)


def test_steps_take_turns_and_none_is_always_first() -> None:
    shop = Shop(a=0.6, b=0.6, c=0.6)
    measured(shop, rounds=3)
    runs = [name for i, name in enumerate(shop.called) if i == 0 or shop.called[i - 1] != name]
    # learning how long each takes, then three rounds that begin with a, b and c
    assert "".join(runs) == "abc" + "abc" + "bca" + "cab"


def test_no_steps_have_no_rates() -> None:
    assert rates({}, rounds=3) == {}
