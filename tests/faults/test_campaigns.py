"""A minute of the campaigns, and proofs that each sees what it looks for.

More of them: `make faults`, or `python -m tests.faults --help`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import pytest

from tests.faults import damage, disk, driver, drivers, interleaved, power, under_ray
from tests.faults.__main__ import table
from tests.faults.judge import Round
from tests.faults.warm import Warm, shim, warm

SEED = 20260101

pytestmark = [pytest.mark.kill, pytest.mark.xdist_group("faults")]
compiled = pytest.mark.skipif(shim() is None, reason="there is no C compiler")


@pytest.fixture(scope="module")
def forks() -> Iterator[Warm]:
    with warm() as one:
        yield one


def judged(rounds: Iterable[Round], count: int) -> None:
    done = list(itertools.islice(rounds, count))
    print(table(done))
    assert sum(one.blows for one in done) >= count // 2
    assert [(one.campaign, one.seed, one.faults) for one in done if one.faults] == []


def seen(rounds: Iterable[Round], most: int) -> set[str]:
    """The kinds of fault of the first round that has any."""
    for one in itertools.islice(rounds, most):
        if one.faults:
            return {kind for kind, _ in one.faults}
    return set()


def test_kills_of_the_driver_cost_no_finished_trial() -> None:
    judged([driver.killed("local", "plain", SEED, kills=3)], 1)


def test_a_driver_killed_at_a_named_point_goes_on_as_if_nothing_had_been() -> None:
    judged([driver.at_point("small", "ledger.append.before_commit", 7, SEED)], 1)


@pytest.mark.ray
def test_kills_of_the_driver_under_ray_cost_no_finished_trial() -> None:
    judged([driver.killed("ray", "plain", SEED, kills=1)], 1)


@pytest.mark.ray
def test_a_killed_worker_of_ray_costs_its_own_trial_one_attempt() -> None:
    judged([under_ray.struck("worker", SEED, kills=2)], 1)


@pytest.mark.parametrize("ended", [False, True], ids=["half-way", "complete"])
def test_a_damaged_file_of_results_is_mended_or_refused(forks: Warm, ended: bool) -> None:
    with damage.specimen(forks, ended=ended) as one:
        judged(damage.rounds(forks, [one], SEED), 18)


def test_the_damage_campaign_sees_a_missing_seal(forks: Warm) -> None:
    with damage.specimen(forks, ended=False) as one:
        cut = damage.damaged(forks, one, "ledger.sqlite-wal", SEED, kind="empty", blind="seal")
    assert ("lost", "empty of ledger.sqlite-wal: facts are gone, and the code is 0") in cut.faults


@compiled
def test_a_power_cut_takes_nothing_that_was_acknowledged(forks: Warm) -> None:
    with power.recording(forks) as recorded:
        judged(power.rounds(forks, recorded, SEED), 60)


@compiled
def test_the_power_campaign_sees_a_missing_fsync(forks: Warm) -> None:
    with power.recording(forks, deaf=True) as recorded:
        assert "lost" in seen(power.rounds(forks, recorded, SEED), 10)


def test_a_full_disk_is_a_sentence_and_then_goes_on(forks: Warm) -> None:
    judged(disk.rounds(forks, SEED), len(disk.WAYS))


@compiled
@pytest.mark.parametrize(
    ("way", "seed"),
    [("full from the n-th change", 20260110), ("full temporary folder", 20260111)],
    ids=["a journal was left beside a new ledger", "a folder was left without its owner"],
)
def test_a_full_disk_that_was_met_is_met_no_more(forks: Warm, way: str, seed: int) -> None:
    judged([disk.filled(forks, way, seed)], 1)


def test_of_two_drivers_at_once_one_works_though_the_lock_is_gone() -> None:
    judged([drivers.together("lock removed", SEED)], 1)


def test_the_campaign_of_two_drivers_sees_a_missing_lock_and_lease() -> None:
    one = drivers.together("same folder", SEED, blind="lock,lease,counting")
    assert "repeated" in {kind for kind, _ in one.faults}


def test_facts_of_two_drivers_in_one_ledger_are_kept_apart(forks: Warm) -> None:
    with interleaved.pair(forks) as two:
        judged(interleaved.rounds(forks, two, SEED), 4)


def test_the_campaign_of_two_drivers_sees_a_missing_attempt_check(forks: Warm) -> None:
    with interleaved.pair(forks) as two:
        shuffles = interleaved.rounds(forks, two, SEED + 8, blind="attempts")  # the ninth shows it
        assert seen(shuffles, 20) == {"bytes"}
