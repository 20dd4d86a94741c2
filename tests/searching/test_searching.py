"""Searching: what is proposed, in which order, and that nothing which happens alters it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.searches.tuning import tunings
from cbablate.analysis.standing import Standing
from cbablate.planning.plan import Plan
from cbablate.planning.search import searches
from cbablate.planning.trial import replicate_seed, tuning_seed
from cbablate.records.book import Book
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from cbablate.searching.searches import Searching
from cbablate.spec.sweep import Parameter, Pruner
from cbablate.workloads import toy
from tests.running.bench import conducted
from tests.toys import tuned_plan

HALVING = Pruner(name="successive_halving", options={"first_rung": 1, "reduction": 3})
BOXES: dict[str, list[tuple[float, float]]] = {
    "branin": [(-5.0, 10.0), (0.0, 15.0)],
    "hartmann6": [(0.0, 1.0)] * 6,
    "rosenbrock": [(-2.0, 2.0)] * 4,
}


def on_function(function: str, sampler: str, trials: int, pruner: Pruner | None) -> Plan:
    space = {
        f"x{i}": Parameter(kind="float", low=low, high=high)
        for i, (low, high) in enumerate(BOXES[function])
    }
    return tuned_plan(
        space=space,
        trials=trials,
        sampler=sampler,
        pruner=pruner,
        epochs=9,
        replicates=1,
        function=function,
        start=-500.0,
        noise=0.1,
    )


def proposals(facts: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for fact in facts:
        if fact.kind == "proposed":
            assert fact.body["number"] == len(found.setdefault(fact.body["search"], []))
            found[fact.body["search"]].append(dict(fact.body["proposal"]))
    return found


def outcomes(facts: Sequence[Record]) -> dict[str, tuple[str, list[dict[str, float]]]]:
    return {
        trial: (h.state.value, [dict(m.metrics) for m in h.measurements])
        for trial, h in Book.of(facts).histories.items()
    }


def bare(plan: Plan, sampler: optuna.samplers.BaseSampler, *, pruned: bool) -> list[dict[str, Any]]:
    """What anybody would write with Optuna alone."""
    (search,) = searches(plan)
    study = optuna.create_study(
        sampler=sampler,
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
        if pruned
        else optuna.pruners.NopPruner(),
        direction="maximize",
    )
    drawn: list[dict[str, Any]] = []
    for number in range(search.sweep.trials):
        trial = study.ask()
        point = {
            name: trial.suggest_float(name, parameter.low or 0.0, parameter.high or 0.0)
            for name, parameter in search.sweep.space.items()
        }
        drawn.append(point)
        config = {**search.arm.config, **point}
        value, stop = math.nan, False
        for told in toy.run(
            config,
            seed=tuning_seed(plan.study.seed, number),
            budget=plan.study.budget,
            workdir=Path(),
        ):
            value = told.metrics["val/score"]
            trial.report(value, told.spent)
            stop = told.spent < 9 and trial.should_prune()
            if stop:
                break
        if stop:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, value)
    return drawn


@pytest.mark.parametrize("function", BOXES)
@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "random"])
def test_a_search_proposes_exactly_what_a_bare_optuna_loop_does(
    function: str, sampler: str
) -> None:
    pruned = sampler == "tpe"
    plan = on_function(function, sampler, 20, HALVING if pruned else None)
    (search,) = searches(plan)
    kind = {
        "tpe": optuna.samplers.TPESampler,
        "cmaes": optuna.samplers.CmaEsSampler,
        "random": optuna.samplers.RandomSampler,
    }[sampler]
    expected = bare(plan, kind(seed=search.seed), pruned=pruned)
    facts = conducted(plan)
    assert proposals(facts) == {search.id: expected}
    states = Counter(attempt.state for attempt in tunings(plan, facts)[0].attempts)
    assert (states[TrialState.PRUNED] > 0) == pruned, "the pruner had something to say"


TWO_ARMS = tuned_plan({"ceiling": 2.0}, trials=7, epochs=3, replicates=1, pruner=HALVING)
UNDISTURBED = conducted(TWO_ARMS)


@pytest.mark.slow
@given(st.lists(st.integers(1, len(UNDISTURBED)), max_size=4))
@settings(max_examples=12, deadline=None)
def test_a_search_killed_anywhere_proposes_and_finds_what_an_undisturbed_one_does(
    kills: list[int],
) -> None:
    facts: list[Record] = []
    for kill in kills:
        facts = conducted(TWO_ARMS, facts, most=len(facts) + kill)
    facts = conducted(TWO_ARMS, facts)
    assert proposals(facts) == proposals(UNDISTURBED)
    assert outcomes(facts) == outcomes(UNDISTURBED)
    assert set(Counter(f.subject for f in facts if f.kind == "ended").values()) == {1}
    assert Standing(TWO_ARMS, facts).proposals == Standing(TWO_ARMS, UNDISTURBED).proposals


@pytest.mark.slow
@given(st.integers(1, 90), st.integers(2, 4))
@settings(max_examples=8, deadline=None)
def test_with_several_slots_what_was_recorded_is_replayed_and_nothing_is_proposed_twice(
    kill: int, slots: int
) -> None:
    facts = conducted(TWO_ARMS, most=kill, slots=slots)
    again = Searching(TWO_ARMS, facts)
    assert not again.remarks, "the replayed sampler proposed something else than was recorded"
    facts = conducted(TWO_ARMS, facts, slots=slots)
    longer = tuned_plan({"ceiling": 2.0}, trials=8, epochs=3, replicates=1, pruner=HALVING)
    assert not Searching(longer, facts).remarks
    for found in proposals(facts).values():
        assert len(found) == 7
        assert len({repr(sorted(one.items())) for one in found}) == 7
    assert set(Counter(f.subject for f in facts if f.kind == "ended").values()) == {1}


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes", "nsgaii", "qmc", "random"])
def test_every_sampler_goes_on_where_it_was(sampler: str) -> None:
    trials = 11 if sampler == "gp" else 14  # one is enough of what takes so long
    plan = tuned_plan(trials=trials, sampler=sampler, epochs=1, replicates=1)
    undisturbed = conducted(plan)
    facts: list[Record] = []
    for _ in range(3):
        facts = conducted(plan, facts, most=len(facts) + 25)
    assert proposals(conducted(plan, facts)) == proposals(undisturbed)


def test_a_grid_is_walked_once_through_and_goes_on_where_it_was() -> None:
    space = {
        "rate": Parameter(kind="float", low=0.5, high=1.5, step=0.5),
        "seconds": Parameter(kind="choice", choices=(0.0, 1e-6)),
    }
    plan = tuned_plan(space=space, trials=6, sampler="grid", epochs=1, replicates=1)
    undisturbed = conducted(plan)
    (cells,) = proposals(undisturbed).values()
    assert len({repr(cell) for cell in cells}) == 6
    facts = conducted(plan, conducted(plan, most=20))
    assert proposals(facts) == proposals(undisturbed)


@pytest.mark.parametrize(
    "pruner",
    [
        Pruner(name="hyperband", options={"first_rung": 1, "reduction": 3}),
        Pruner(name="median", options={"n_startup_trials": 2}),
        Pruner(name="percentile", options={"percentile": 40.0, "n_startup_trials": 2}),
        Pruner(name="patient", options={"patience": 1}),
        Pruner(name="wilcoxon", options={"p_threshold": 0.3}),
        Pruner(name="threshold", options={"lower": 0.3}),
    ],
    ids=lambda pruner: pruner.name,
)
def test_every_pruner_judges_again_as_it_judged(pruner: Pruner) -> None:
    plan = tuned_plan(trials=12, epochs=9, replicates=1, pruner=pruner, noise=0.2)
    undisturbed = conducted(plan)
    facts: list[Record] = []
    for most in (17, 40, 80):
        facts = conducted(plan, facts, most=most)
    facts = conducted(plan, facts)
    assert outcomes(facts) == outcomes(undisturbed)
    reasons = [h.reason for h in Book.of(facts).histories.values() if h.state is TrialState.PRUNED]
    assert reasons
    assert all(reason.startswith(pruner.name.replace("_", " ")) for reason in reasons)


def test_arms_are_given_the_same_trials_and_seeds_and_take_turns() -> None:
    arms = [search.arm.id for search in searches(TWO_ARMS)]
    given_to: Counter[str] = Counter()
    by_search = {search.id: search.arm.id for search in searches(TWO_ARMS)}
    for fact in UNDISTURBED:
        if fact.kind == "proposed":
            given_to[by_search[fact.body["search"]]] += 1
            assert abs(given_to[arms[0]] - given_to[arms[1]]) <= 1
    assert given_to == dict.fromkeys(arms, 7)
    seeds: dict[str, list[int]] = {}
    for fact in UNDISTURBED:
        if fact.kind == "trial" and "search" in fact.body:
            seeds.setdefault(fact.body["search"], []).append(fact.body["seed"])
    assert len({tuple(drawn) for drawn in seeds.values()}) == 1
    assert len({search.seed for search in searches(TWO_ARMS)}) == 1


SEARCHED_TWICE = tuned_plan({"ceiling": 2.0}, trials=4, epochs=3, replicates=4, searches=2)


@pytest.mark.parametrize("cut", [6, 41, 78, 120])
def test_each_of_several_searches_goes_on_alone_where_the_driver_died(cut: int) -> None:
    undisturbed = conducted(SEARCHED_TWICE)
    facts = conducted(SEARCHED_TWICE, conducted(SEARCHED_TWICE, most=cut))
    assert proposals(facts) == proposals(undisturbed)
    assert len(proposals(facts)) == 4
    now, then = (Standing(SEARCHED_TWICE, each) for each in (facts, undisturbed))
    assert now.proposals == then.proposals
    assert [t.id for t in now.confirmations.trials] == [t.id for t in then.confirmations.trials]
    assert all(now.histories[t.id].state is TrialState.COMPLETE for t in now.confirmations.trials)


def test_searches_of_an_arm_propose_apart_and_a_further_one_leaves_the_first_as_it_was() -> None:
    once = tuned_plan({"ceiling": 2.0}, trials=4, epochs=3, replicates=4)
    alone, both = (proposals(conducted(plan)) for plan in (once, SEARCHED_TWICE))
    assert {search: both[search] for search in alone} == alone
    of_arm = [both[search.id] for search in searches(SEARCHED_TWICE)[:2]]
    assert not {str(one) for one in of_arm[0]} & {str(one) for one in of_arm[1]}
    grown = conducted(SEARCHED_TWICE, conducted(once))
    assert proposals(grown) == both


@given(st.integers(0, 2**32 - 1))
def test_no_replicate_is_trained_from_a_seed_that_tuned(seed: int) -> None:
    replicates = {replicate_seed(seed, number) for number in range(50)}
    assert not replicates & {tuning_seed(seed, number) for number in range(50)}


def test_a_longer_search_goes_on_and_confirms_what_is_best_then() -> None:
    plan = tuned_plan(trials=4, epochs=3, replicates=1)
    longer = tuned_plan(trials=9, epochs=3, replicates=1)
    facts = conducted(longer, conducted(plan))
    assert proposals(facts) == proposals(conducted(longer))
    assert Standing(longer, facts).proposals == Standing(longer, conducted(longer)).proposals


def test_what_optuna_would_propose_otherwise_today_stands_as_recorded_and_is_told() -> None:
    plan = tuned_plan(trials=8, epochs=2, replicates=1)
    facts = conducted(plan, most=40)
    edited = [
        Record(f.kind, f.subject, {**f.body, "proposal": {"rate": 1.0, "start": 0.25}}, f.at)
        if f.kind == "proposed" and f.body["number"] == 2
        else f
        for f in facts
    ]
    searching = Searching(plan, edited)
    (remark,) = searching.remarks
    assert "would propose otherwise today than was recorded, from trial 2 on" in remark
    final = conducted(plan, edited)
    (found,) = proposals(final).values()
    assert found[2] == {"rate": 1.0, "start": 0.25}
    assert len(found) == 8


def test_a_failed_tuning_trial_is_told_and_left_alone() -> None:
    space = {
        "fault": Parameter(kind="choice", choices=("none", "raise", "nan", "silent")),
        "rate": Parameter(kind="float", low=0.1, high=1.0),
    }
    plan = tuned_plan(space=space, trials=12, epochs=2, replicates=1, sampler="random")
    facts = conducted(plan)
    (tuning,) = tunings(plan, facts)
    classes = {attempt.proposal["fault"]: attempt.failure for attempt in tuning.attempts}
    expected = {"none": "", "raise": "error", "nan": "diverged", "silent": "no measurement"}
    assert classes == expected
    assert tuning.best is not None
    assert tuning.best.proposal["fault"] == "none"
    assert conducted(plan, facts) == facts, "running it again has nothing to do"


def test_where_no_trial_was_ever_complete_all_but_diverged_ones_are_run_again() -> None:
    plan = tuned_plan(trials=3, epochs=2, replicates=1, fault="raise")
    facts = conducted(plan)
    assert Standing(plan, facts).proposals == {}
    again = conducted(plan, facts)
    starts = Counter(f.subject for f in again[len(facts) :] if f.kind == "started")
    assert len(starts) == 4, "three of the search and the replicate"
    assert len(next(iter(proposals(again).values()))) == 3
    nan = tuned_plan(trials=3, epochs=2, replicates=1, fault="nan")
    facts = conducted(nan)
    assert conducted(nan, facts) == facts


def failed(facts: Sequence[Record]) -> list[Record]:
    """The facts as they would be had every trial that ended failed."""
    return [
        Record(f.kind, f.subject, {**f.body, "state": "failed", "failure": "error"}, f.at)
        if f.kind == "ended"
        else f
        for f in facts
    ]


def test_a_search_that_is_run_again_is_confirmed_in_the_same_run() -> None:
    plan = tuned_plan({"ceiling": 2.0}, trials=3, epochs=2, replicates=2)
    whole = conducted(plan)
    tuning = {f.subject for f in whole if f.kind == "proposed"}
    ends = [i for i, f in enumerate(whole) if f.kind == "ended" and f.subject in tuning]
    again = conducted(plan, failed(whole[: ends[-1] + 1]))
    past = Book.of(again).histories
    confirmed = Standing(plan, again).confirmations.trials
    assert len(confirmed) == 4
    assert {past[trial.id].state for trial in confirmed} == {TrialState.COMPLETE}


def test_of_a_search_that_was_shortened_nothing_beyond_its_end_is_run_on() -> None:
    long = tuned_plan({"ceiling": 2.0}, trials=6, epochs=3, replicates=1)
    facts = conducted(long, most=75, slots=4)
    short = tuned_plan({"ceiling": 2.0}, trials=2, epochs=3, replicates=1)
    started = {f.subject for f in facts if f.kind == "started"}
    assert len(started) > len({f.subject for f in facts if f.kind == "ended"}) > 4
    searching = Searching(short, facts)
    assert searching.left() == []
    assert all(searching.over(one.id) for one in searching.searches)


def test_a_trial_that_is_run_again_and_now_completes_is_told_to_the_sampler() -> None:
    plan = tuned_plan(trials=12, epochs=1, replicates=1)
    (search,) = searches(plan)
    facts = conducted(plan)
    cut = failed(facts[: next(i for i, f in enumerate(facts) if f.kind == "ended") + 1])
    again = conducted(plan, cut)
    assert Book.of(again).histories[cut[-1].subject].state is TrialState.COMPLETE
    assert len(tunings(plan, again)[0].attempts) == 12
    assert not Searching(tuned_plan(trials=13, epochs=1, replicates=1), again).remarks
    assert search.id in proposals(again)


def test_a_proposal_that_the_workload_refuses_is_recorded_and_never_trained() -> None:
    space = {"rate": Parameter(kind="float", low=-1.0, high=1.0)}
    plan = tuned_plan(space=space, trials=10, epochs=1, replicates=1, sampler="random")
    facts = conducted(plan)
    (tuning,) = tunings(plan, facts)
    refused = [a for a in tuning.attempts if a.proposal["rate"] <= 0]
    assert refused
    assert all(a.state is TrialState.FAILED and not a.spent for a in refused)
    reasons = {h.reason for h in Book.of(facts).histories.values() if h.state is TrialState.FAILED}
    assert reasons == {"the workload refuses rate: Input should be greater than 0"}
    assert conducted(plan, facts) == facts
    assert proposals(conducted(plan, facts[: len(facts) // 2])) == proposals(facts)


def test_proposals_that_break_a_constraint_are_drawn_again_and_counted() -> None:
    plan = tuned_plan(
        trials=8,
        epochs=1,
        replicates=1,
        sampler="random",
        sweep={"constraints": ("rate + start <= 0.2",)},
    )
    facts = conducted(plan)
    (found,) = proposals(facts).values()
    assert len(found) == 8
    assert all(point["rate"] + point["start"] <= 0.2 for point in found)
    assert sum(f.body.get("rejected", 0) for f in facts if f.kind == "proposed") > 0
    assert proposals(conducted(plan, conducted(plan, most=30))) == proposals(facts)


def test_a_sampler_that_insists_on_what_a_constraint_forbids_is_overruled_by_chance() -> None:
    plan = tuned_plan(trials=13, epochs=1, replicates=1, sweep={"constraints": ("rate <= 0.06",)})
    (found,) = proposals(conducted(plan)).values()
    assert len(found) == 13
    assert all(point["rate"] <= 0.06 for point in found)


@pytest.mark.slow
def test_a_constraint_that_nothing_keeps_fails_its_trials_in_a_sentence() -> None:
    plan = tuned_plan(
        trials=1, epochs=1, replicates=1, sampler="random", sweep={"constraints": ("rate <= -1",)}
    )
    facts = conducted(plan)
    failed = [h for h in Book.of(facts).histories.values() if h.state is TrialState.FAILED]
    assert {h.reason for h in failed} == {"1,020 draws in a row do not keep 'rate <= -1'"}
    assert len(failed) == 1


def test_a_conditional_parameter_is_drawn_only_where_it_exists() -> None:
    space = {
        "rate": Parameter(kind="float", low=0.1, high=1.0, when={"fault": ("none",)}),
        "fault": Parameter(kind="choice", choices=("none", "nan")),
    }
    plan = tuned_plan(space=space, trials=8, epochs=1, replicates=1)
    facts = conducted(plan)
    (found,) = proposals(facts).values()
    assert {frozenset(point) for point in found} == {
        frozenset({"fault"}),
        frozenset({"rate", "fault"}),
    }
    assert all(("rate" in point) == (point["fault"] == "none") for point in found)
    assert proposals(conducted(plan, conducted(plan, most=30))) == proposals(facts)


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii", "random"])
def test_several_objectives_are_searched_and_go_on_too(sampler: str) -> None:
    both = (
        {"metric": "val/score", "direction": "maximize"},
        {"metric": "test/score", "direction": "minimize"},
    )
    plan = tuned_plan(
        trials=14,
        epochs=1,
        replicates=1,
        sampler=sampler,
        sweep={"objectives": both, "constraints": ("val/score <= 0.9",)},
    )
    facts = conducted(plan)
    assert proposals(conducted(plan, conducted(plan, most=60))) == proposals(facts)
    (tuning,) = tunings(plan, facts)
    assert tuning.front


def test_the_whole_goes_in_order_confirmations_first_and_no_slot_idles() -> None:
    def kinds(facts: Sequence[Record]) -> list[str]:
        plan, found = TWO_ARMS, []
        tuning = {f.subject for f in facts if f.kind == "proposed"}
        for fact in facts:
            if fact.kind == "started":
                kind = "written" if fact.subject in plan.trial_of else "confirmation"
                found.append("search" if fact.subject in tuning else kind)
        return found

    assert kinds(UNDISTURBED) == (
        ["search"] * 13 + ["confirmation", "search", "confirmation"] + ["written"] * 2
    )
    side_by_side = kinds(conducted(TWO_ARMS, slots=3))
    assert Counter(side_by_side) == {"search": 14, "confirmation": 2, "written": 2}
    assert side_by_side.index("written") < side_by_side.index("confirmation"), "a slot waited"
