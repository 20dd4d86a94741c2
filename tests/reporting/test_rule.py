"""Who decides: caption, brief, notes, methods and views name the tests that were made."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cbablate.analysis.outcome import Outcome, outcome
from cbablate.analysis.standing import Standing
from cbablate.planning.plan import Plan
from cbablate.planning.plan import plan as planned_of
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.methods import methods
from cbablate.reporting.tables.arms import outcome_table
from cbablate.reporting.tables.view import view
from cbablate.spec.analysis import Analysis
from cbablate.spec.factor import Factor, Level
from cbablate.spec.sweep import Parameter
from tests.analysis.fabrication import Telling
from tests.analysis.tuned import searched, sweep, tuned, tuned_toys
from tests.toys import toy_plan

METRIC = "test/score"
FLIPS = ("sign flips", "sign-flip test agrees")


def measured(plan: Plan, step: float = 3.0, skip: Any = lambda _arm, _r: False) -> Outcome:
    """The outcome where each arm is better than the one before by a step."""
    telling, draw = Telling(), random.Random(1)
    index = {arm.id: place for place, arm in enumerate(plan.arms)}
    for trial in plan.trials:
        if not skip(index[trial.arm], trial.replicate):
            value = 50 + step * index[trial.arm] + draw.gauss(0, 1)
            telling.complete(trial, {METRIC: value, "val/score": value})
    return outcome(plan, telling.facts)


def confirmed(plan: Plan, ending: Any = lambda _search, _number: "complete") -> Outcome:
    """The outcome of a tuned study whose factors that are on add to each other."""
    telling, done = Telling(), set[str]()
    searched(telling, plan, lambda _s, n, _p: {"val/score": float(n)}, ending=ending)
    draw = random.Random(4)
    rows = Standing(plan, telling.facts).rows
    for trial in rows.trials:
        if trial.id not in done:
            done.add(trial.id)
            place = [arm.id for arm in rows.arms].index(trial.arm)
            on = [level != "off" for level in rows.arm_of[trial.arm].levels.values()]
            value = 50 + draw.gauss(0, 0.2) + (4 * all(on) + 2 * sum(on) if on else 2 * place)
            telling.complete(trial, {METRIC: value, "val/score": value})
    return outcome(plan, telling.facts)


def crossed(searches: int, replicates: int, design: str = "factorial", factors: int = 2) -> Plan:
    """Components that are off or on, tuned."""
    on = {"ceiling": 2.0, "rate": 0.7, "noise": 0.2, "start": 0.3}
    parts = tuple(
        Factor(name=name, levels=(Level(name="off"), Level(name="on", changes={name: value})))
        for name, value in list(on.items())[:factors]
    )
    study = toy_plan({"ceiling": 2.0}, replicates=replicates).study
    study = study.model_copy(update={"factors": parts, "design": design})
    plan = planned_of(study, toy_plan().description)
    space = {"seconds": Parameter(kind="float", low=0.0, high=0.1)}
    return tuned(plan, sweep(space=space), searches=searches)


def every_word(found: Outcome) -> dict[str, str]:
    table = outcome_table(found)
    texts = {"notes": table.notes, "brief": table.brief, "caption": table.statement}
    return {name: " ".join(said) for name, said in texts.items()} | {"methods": methods([found])}


def seen(found: Outcome, name: str) -> Table:
    return view(name, found.plan, found.summary)


@pytest.mark.parametrize(("replicates", "flipped"), [(20, True), (25, False)])
def test_sign_flips_are_named_where_they_were_counted(replicates: int, flipped: bool) -> None:
    levels = [{"ceiling": 2.0}, {"ceiling": 3.0}]
    said = every_word(measured(toy_plan(*levels, replicates=replicates)))
    assert "†" in said["caption"]
    for place, words in said.items():
        assert any(one in words for one in FLIPS) == flipped, place


def test_where_only_some_arms_have_so_few_pairs_the_rule_says_which() -> None:
    plan = toy_plan({"ceiling": 2.0}, {"ceiling": 3.0}, replicates=25)
    said = every_word(measured(plan, skip=lambda arm, r: arm == 2 and r > 11))
    assert "by sign flips of 6 to 20 pairs" in said["caption"]
    assert "of 6 to 20 pairs, the exact sign-flip test agrees" in said["methods"]


@pytest.mark.parametrize(("searches", "flipped"), [(3, False), (6, True)])
def test_methods_of_several_searches_name_their_unit_their_rule_and_their_fewest(
    searches: int, flipped: bool
) -> None:
    plan = tuned_toys({"ceiling": 2.0}, searches=searches, replicates=3 * searches)
    said = methods([confirmed(plan)])
    assert "Means have 95 % t-intervals over searches." in said
    assert ("sign-flip test agrees" in said) == flipped
    assert "below 3 searches of each arm, or 6 pairs of replicates, nothing is claimed" in said


@pytest.mark.parametrize(("searches", "replicates"), [(1, 8), (2, 8), (3, 9), (6, 6)])
def test_methods_tell_of_a_tuned_study_of_one_arm(searches: int, replicates: int) -> None:
    said = methods([confirmed(tuned_toys(searches=searches, replicates=replicates))])
    assert said.startswith("The study compares 2 arms: the configuration as written, and as tuned")


def test_methods_count_what_no_search_has_chosen_for() -> None:
    plan = tuned_toys({"ceiling": 2.0}, searches=3, replicates=9)
    said = methods([confirmed(plan, lambda s, _n: "error" if s == 4 else "complete")])
    assert "Trials completed: 15 of 18" in said
    assert "3 not trained, as no search chose for them" in said
    assert "Tuning found nothing usable, so these have no tuned values: level 1, search #1" in said


def test_views_of_three_searches_claim_by_the_rule_of_the_table_and_count_searches() -> None:
    found = confirmed(crossed(3, 9))
    said = " ".join(seen(found, "pairs").notes)
    assert "†: adjusted p < 0.05. " in said
    assert "for want of" not in said
    assert "3 searches have all four arms" in said
    said = " ".join(seen(found, "effects").notes)
    assert "with searches as blocks, 3 searches in each of 4 arms" in said
    assert "seeds" not in said
    assert "for want of searches; below 6 searches" in said


def test_a_screening_view_of_three_searches_has_the_replicates_of_the_table() -> None:
    table = seen(confirmed(crossed(3, 9, "plackett_burman", 4)), "effects")
    assert [row.cells[-1].plain for row in table.rows] == ["9"] * 4
    said = " ".join(table.notes)
    assert "for want of" not in said and "sign-flip" not in said
    assert any("†" in cell.plain for row in table.rows for cell in row.cells)


def test_of_too_few_replicates_the_test_behind_p_has_its_name() -> None:
    for correction, name in (("dunnett", "Dunnett"), ("sidak", "t")):
        how = Analysis.model_validate({"correction": correction})
        plan = toy_plan({"ceiling": 2.0}, {"ceiling": 3.0}, replicates=4)
        plan = planned_of(plan.study.model_copy(update={"analysis": how}), plan.description)
        assert f"p is the {name} test's alone" in every_word(measured(plan))["notes"]


def test_where_no_arm_is_paired_the_test_is_welchs_and_nothing_is_found() -> None:
    plan = toy_plan({"ceiling": 2.0}, {"ceiling": 3.0}, replicates=12)
    said = every_word(measured(plan, skip=lambda arm, r: (arm == 0) == (r % 2 == 0)))
    assert "Findings: none, as no arm is paired, and p is Welch's t test's alone." in said["notes"]
    assert "Findings: none" in said["brief"]
    for words in said.values():
        assert not any(w in words for w in ("two-sided paired", "means over pairs", "paired by"))
    assert "p values: two-sided Welch's t test" in said["methods"]
    assert "‡" not in said["methods"]


def test_methods_of_a_contrast_count_its_references() -> None:
    levels = (Level(name="off"), Level(name="on", changes={"rate": 0.7}))
    plan = toy_plan({"ceiling": 2.0}, replicates=6)
    factors = (*plan.study.factors, Factor(name="rate", levels=levels))
    update = {"factors": factors, "design": "factorial", "contrast": "rate"}
    plan = planned_of(plan.study.model_copy(update=update), plan.description)
    assert "2 of them are references; each of the others" in methods([measured(plan)])


def test_the_sheet_has_the_number_that_its_spread_is_of() -> None:
    sheet = outcome_table(confirmed(tuned_toys({"ceiling": 2.0}, searches=3, replicates=9))).sheet
    at = {name: place for place, name in enumerate(sheet.header)}
    row = next(one for one in sheet.rows if one[at["difference_sd"]] is not None)
    assert (row[at["pairs"]], row[at["units"]]) == (9, 3)


def test_an_effect_that_the_sign_flips_doubt_is_named_under_the_effects() -> None:
    plan = crossed(1, 6)
    plan = planned_of(plan.study.model_copy(update={"tune": None}), plan.description)
    for seed in range(400):
        telling, draw = Telling(), random.Random(seed)
        for trial in plan.trials:
            levels = plan.arm_of[trial.arm].levels
            value = 50 + 0.9 * (levels["ceiling"] == "on") + 0.6 * (levels["rate"] == "on")
            value += draw.gauss(0, 0.8)
            telling.complete(trial, {METRIC: value, "val/score": value})
        table = seen(outcome(plan, telling.facts), "effects")
        at = {name: place for place, name in enumerate(table.sheet.header)}
        doubted = [
            str(row[at["effect"]])
            for row in table.sheet.rows
            if (row[at["p_holm"]] or 1) < 0.05 <= (row[at["p_sign_flip"]] or 0)
        ]
        if doubted:
            break
    said = next(one for one in table.notes if one.startswith("Not among the findings"))
    assert all(f"{name} (p = 0.0" in said for name in doubted)
