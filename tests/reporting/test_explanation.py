"""Explanations: from a cell to the trials behind it, and to those that are not."""

from __future__ import annotations

import re

import pytest

from cbablate.analysis.summary import summarize
from cbablate.errors import CbablateError
from cbablate.planning.plan import plan as replanned
from cbablate.reporting.pages.cell_place import CellPlace, place_of
from cbablate.reporting.pages.explanation import explanation
from cbablate.reporting.tables.arms import ablation_table
from cbablate.spec.analysis import Analysis
from tests.analysis.fabrication import patchy, placement, sizes, told

PLAN = placement()
FACTS = told(PLAN, skip=patchy)
TABLE = ablation_table(PLAN, summarize(PLAN, FACTS))


def test_a_mean_leads_to_each_trial_that_entered_and_to_each_that_did_not() -> None:
    said = explanation(PLAN, FACTS, "MLP middle", "Top-1")
    assert said.startswith("MLP middle, Top-1 (test/top1): 95.99 ± 1.05\nCell 3:2 of study")
    entered, _, absent = said.partition("Not entered: 2 trials")
    assert "Entered: 4 trials" in entered
    ours = [trial for trial in PLAN.trials if trial.arm == PLAN.arms[2].id]
    for trial in ours:
        where = absent if trial.replicate in (1, 4) else entered
        assert trial.id in where
        assert (str(trial.seed) in entered) == (trial.replicate not in (1, 4))
    assert "failed: diverged after 20 of 20 epochs" in absent
    assert "session 1  0123456789ab" in entered
    assert (
        'context: [{"operator": "cb", "place": "mlp.mid", "blocks": "all"}] (instead of none)'
        in said
    )


def test_the_values_that_are_listed_make_the_value_that_is_printed() -> None:
    said = explanation(PLAN, FACTS, "MLP middle", "Top-1")
    values = [float(v) for v in re.findall(r"#\d  \w{20}  \d+\s+([\d.]+) +session", said)]
    (mean,) = re.findall(r"Unrounded: ([\d.]+) %", said)
    assert sum(values) / len(values) == pytest.approx(float(mean), abs=1e-12)


def test_a_difference_lists_its_pairs_and_a_p_value_its_test() -> None:
    said = explanation(PLAN, FACTS, "MLP front", "delta")
    assert "Compared with: none" in said
    pairs = re.findall(r"#\d  ([\d.]+)\s+([\d.]+)\s+(-?[\d.e-]+)\s+\w{20}  \w{20}", said)
    assert len(pairs) == 6
    assert all(float(a) - float(b) == float(d) for a, b, d in pairs)
    (unrounded,) = re.findall(r"Unrounded: (-?[\d.]+) pp", said)
    assert sum(float(d) for _, _, d in pairs) / 6 == pytest.approx(float(unrounded), abs=1e-12)
    test = explanation(PLAN, FACTS, "MLP front", "p")
    assert "Two-sided paired t test: t = " in test
    assert "Šidák-adjusted over 4 comparisons" in test
    assert "Exact sign-flip test" in test


def test_a_timing_lists_its_rounds_and_a_count_its_trials() -> None:
    said = explanation(PLAN, FACTS, "MLP front", "Training")
    (rounds,) = re.findall(r"Rounds \(fact \d+ of the ledger\): (.*)", said)
    assert len(rounds.split(", ")) == 7
    assert "4 of 6 planned trials are complete." in explanation(PLAN, FACTS, "MLP middle", "n")


def test_a_reference_a_constant_and_an_empty_cell_are_explained_too() -> None:
    assert "This is a reference" in explanation(PLAN, FACTS, "none", "Δ")
    assert "All 6 values are equal" in explanation(PLAN, FACTS, "none", "Parameters")
    assert "No value" in explanation(PLAN, [], "none", "Top-1")


@pytest.mark.parametrize(
    "words",
    [
        ("MLP end", "Top-1"),
        ("mlp END", "top-1"),
        ("4", "2"),
        ("4:2",),
        ("MLP end:test/top1",),
        (f"{PLAN.arms[3].id[:10]}:Top-1",),
        (PLAN.arms[3].id, "2"),
    ],
)
def test_a_cell_has_many_names(words: tuple[str, ...]) -> None:
    assert place_of(TABLE, PLAN, *words) == CellPlace(3, 1)


def test_a_cell_is_found_by_words_as_a_page_prints_them() -> None:
    said = explanation(PLAN, FACTS, "MLP\N{NO-BREAK SPACE}end", "Top\N{NON-BREAKING HYPHEN}1")
    assert said == explanation(PLAN, FACTS, "MLP end", "Top-1")


def test_a_row_whose_name_is_a_number_is_found_by_its_name_and_by_its_number() -> None:
    plan = placement(names=("3", "2", "c", "d"))
    table = ablation_table(plan, summarize(plan, []))
    assert place_of(table, plan, "3", "Top-1").row == 1
    assert place_of(table, plan, "3:Top-1").row == 2
    assert place_of(table, plan, "4", "Top-1").row == 3


def test_rows_of_a_factorial_are_found_in_the_order_of_the_table() -> None:
    plan = sizes(contrast_first=True)
    facts = told(plan)
    table = ablation_table(plan, summarize(plan, facts))
    assert [row.arm for row in table.rows] != [arm.id for arm in plan.arms]
    for number, row in enumerate(table.rows, 1):
        said = explanation(plan, facts, f"{number}:Top-1")
        assert said.startswith(f"{plan.arm_of[row.arm].name}, Top-1")
        assert row.cells[3].plain in said.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "told_"),
    [
        (("MLP ent", "Top-1"), "did you mean 'MLP end'"),
        (("MLP end", "Tap"), "there are 1 'Placement', 2 'Top-1'"),
        (("9:2",), "no row of table placement is called '9'"),
        (("none", "1"), "holds names, not numbers"),
        (("a", "b", "c"), "not by 3 words"),
        ((), "not by 0 words"),
    ],
)
def test_a_cell_that_is_not_there_is_a_sentence(words: tuple[str, ...], told_: str) -> None:
    with pytest.raises(CbablateError, match=re.escape(told_)):
        explanation(PLAN, FACTS, *words)


def test_a_hostile_name_reaches_the_terminal_spelled_out() -> None:
    plan = placement(names=("\x1b[2Jred\u202egone", "b", "c", "d"))
    said = explanation(plan, told(plan), "2:2")
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "<U+001B>[2Jred<U+202E>gone" in said


@pytest.mark.parametrize(
    ("how", "column", "words"),
    [
        (Analysis(correction="dunnett"), "p", "one error for all arms, p = "),
        (Analysis(correction="dunnett"), "p", "Dunnett-adjusted over 4 comparisons"),
        (Analysis(correction="dunnett"), "delta", "with Dunnett's joint 95 % interval over 4"),
        (Analysis(test="sign_flip"), "p", "Exact two-sided sign-flip test of 12 paired"),
        (Analysis(interval="bca"), "delta", "with a 95 % BCa interval of"),
    ],
)
def test_a_test_and_an_interval_are_called_what_they_are(
    how: Analysis, column: str, words: str
) -> None:
    usual = placement(replicates=12)
    plan = replanned(usual.study.model_copy(update={"analysis": how}), usual.description)
    said = explanation(plan, told(plan), "MLP front", column)
    assert words in said
    if how.interval == "bca" or how.correction == "dunnett":
        assert "+- t x sd" not in said.partition("Entered")[0]
    if how.test == "sign_flip":
        assert "t test" not in said


def test_only_the_seeds_that_all_arms_have_are_listed_where_only_they_entered() -> None:
    usual = placement(replicates=12)
    how = {"analysis": Analysis(correction="dunnett")}
    plan = replanned(usual.study.model_copy(update=how), usual.description)
    facts = told(plan, skip=lambda t, arm: "lost" * (arm == 2 and t.replicate in (1, 4)))
    said = explanation(plan, facts, "MLP front", "delta")
    assert "Mean of n = 10 paired differences of the seeds that all arms have" in said
    assert "Entered: 10 pairs" in said


def test_arms_that_share_no_seed_are_explained_by_welchs_test() -> None:
    plan = placement(replicates=8, names=("MLP front",))
    facts = told(plan, skip=lambda t, arm: "waiting" if (t.replicate < 4) == (arm == 1) else "")
    said = explanation(plan, facts, "MLP front", "p")
    assert said.count("Welch's") == 2
    assert "No p value" not in said
