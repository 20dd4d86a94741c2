from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.planning.arm import Arm
from cbablate.planning.trial import replicate_seed, trial_of
from cbablate.spec.budget import Budget

seeds = st.integers(0, 2**32 - 1)
ONE, OTHER = (Arm(id=name, name=name, levels={}, config={"is": name}) for name in "ab")


@settings(deadline=None)
@given(seeds, st.integers(0, 999))
def test_arms_are_paired_a_replicate_has_one_seed_in_all_of_them(seed: int, index: int) -> None:
    one, other = (trial_of(arm, index, seed=seed, budget=Budget(epochs=1)) for arm in (ONE, OTHER))
    assert one.seed == other.seed == replicate_seed(seed, index)
    assert one.id != other.id
    assert (one.config, other.config) == ({"is": "a"}, {"is": "b"})


@settings(deadline=None)
@given(seeds)
def test_replicates_have_seeds_of_their_own(seed: int) -> None:
    drawn = {replicate_seed(seed, index) for index in range(50)}
    assert len(drawn) == 50


@settings(deadline=None)
@given(seeds, st.integers(1, 1000))
def test_epochs_are_not_steps(seed: int, amount: int) -> None:
    ids = {
        trial_of(ONE, 0, seed=seed, budget=budget).id
        for budget in (Budget(epochs=amount), Budget(steps=amount), Budget(steps=amount + 1))
    }
    assert len(ids) == 3


def test_a_budget_knows_its_unit_and_amount() -> None:
    assert (Budget(epochs=3).unit, Budget(epochs=3).amount) == ("epochs", 3)
    assert (Budget(steps=7).unit, Budget(steps=7).amount) == ("steps", 7)
