"""The paragraph for a method section: what a statistician would sign, each thing once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cbablate.analysis.outcome import Outcome, outcome
from cbablate.errors import CbablateError
from cbablate.planning.plan import Plan, plan
from cbablate.reporting.pages.methods import FORMS, methods
from cbablate.spec.analysis import Analysis
from cbablate.spec.code import Code
from cbablate.spec.sequential import Sequential
from tests.analysis.fabrication import FROZEN, patchy, placement, sizes, told
from tests.analysis.tuned import places_told, tuned_places
from tests.reporting import golden
from tests.reporting.tables import on_the_way


def changed(base: Plan, **changes: object) -> Plan:
    return plan(base.study.model_copy(update=changes), base.description)


def fixed() -> Outcome:
    base = placement(description=FROZEN, margin=0.5)
    return outcome(base, told(base, skip=patchy))


def tuned() -> Outcome:
    base = tuned_places()
    base = replace(base, description=replace(base.description, version="1"))
    return outcome(base, places_told(base))


def sequential() -> Outcome:
    grows = Sequential(min=6, max=12, until="decided")
    base = changed(placement(description=FROZEN), replicates=grows)
    return outcome(base, told(base))


def factorial() -> Outcome:
    base = sizes(description=FROZEN)
    return outcome(base, told(base))


def analysed(**how: str) -> Outcome:
    analysis = Analysis.model_validate(how)
    base = changed(placement(description=FROZEN, replicates=10), analysis=analysis)
    return outcome(base, told(base))


STUDIES = {
    "fixed": fixed,
    "tuned": tuned,
    "sequential": sequential,
    "factorial": factorial,
    "sign-flip": lambda: analysed(test="sign_flip"),
    "dunnett": lambda: analysed(correction="dunnett"),
    "bca": lambda: analysed(interval="bca"),
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_paragraph_is_as_a_person_approved_of_it(name: str) -> None:
    golden.check(f"methods-{name}.txt", methods([STUDIES[name]()]))


def test_what_studies_share_is_said_once_and_what_they_do_not_with_their_names() -> None:
    said = methods([fixed(), factorial()])
    golden.check("methods-two.txt", said)
    assert said.count("Software:") == said.count("the same seeds; differences") == 1
    assert said.startswith("In both studies: All arms have the same seeds")
    _, _, size = said.partition("Study size: ")
    assert "Each arm was trained from 4 seeds (drawn from seed 0)" in size


def test_it_has_the_form_of_the_paper() -> None:
    found = [fixed()]
    assert r"95~\% $t$-intervals" in methods(found, "latex")
    assert "adjusted *p* < 0.05" in methods(found, "markdown")
    assert set(FORMS) == {"text", "markdown", "latex"}


def test_a_study_of_which_nothing_is_complete_is_refused() -> None:
    base = placement(description=FROZEN)
    with pytest.raises(CbablateError, match="study 'placement' has no complete trial"):
        methods([outcome(base, [])])


def test_what_is_still_to_be_trained_is_not_said_to_be_done() -> None:
    base = placement(description=FROZEN)
    said = methods([outcome(base, told(base, skip=on_the_way))])
    assert "Each arm is to be trained from 6 seeds (drawn from seed 0)" in said
    assert "Trials completed: 10 of 30" in said


def test_of_a_workload_of_one_s_own_no_choice_of_checkpoints_is_denied() -> None:
    code = Code("mine", "", ())
    base = placement(description=replace(FROZEN, code=code))
    said = methods([outcome(base, told(base))])
    assert "The value of a trial is the last that its workload reported." in said
    assert "checkpoint" not in said


def test_the_luck_of_stopping_early_is_said_in_the_paragraph_too() -> None:
    said = methods([sequential()])
    assert "the intervals of differences allow for that, means alone do not." in said
    assert "stops early" not in methods([fixed()])


def test_of_studies_of_many_kinds_no_sentence_is_said_twice_and_each_has_its_studies() -> None:
    said = methods([fixed(), factorial(), sequential(), analysed(test="sign_flip")])
    for words in (
        "A difference is claimed where adjusted p < 0.05, and the exact",
        "All arms have",
    ):
        assert said.count(words) == 1
    assert said.startswith("In all 4 studies: ")


def test_of_one_comparison_no_interval_is_said_to_be_corrected() -> None:
    base = placement(names=["only"], description=FROZEN)
    said = methods([outcome(base, told(base))])
    assert "p values: two-sided paired t test, one comparison. A difference" in said


def test_sign_flips_are_said_to_need_the_t_interval() -> None:
    said = methods([analysed(test="sign_flip")])
    assert "claimed where adjusted p < 0.05, and the t-interval leaves out 0; below" in said
