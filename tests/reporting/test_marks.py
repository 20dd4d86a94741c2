"""Marks, words and p values of one difference never contradict each other."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbablate.analysis.designs.factorial import effects
from cbablate.analysis.summary import Summary, summarize
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.record import Record
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.explanation import explanation
from cbablate.reporting.pages.report import report
from cbablate.reporting.sentences.rule import DAGGER
from cbablate.reporting.tables.arms import ablation_table
from cbablate.reporting.tables.view import view
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS
from tests.analysis.fabrication import Telling, placement, told
from tests.analysis.grid import facts_of, grid, laid

MARKS = ("†", r"\dagger")


def table_of(plan: Plan, facts: list[Record]) -> tuple[Table, Summary]:
    summary = summarize(plan, facts)
    return ablation_table(plan, summary), summary


def marks_of(table: Table) -> list[str]:
    return [mark for form in FORMS for mark in MARKS if mark in render(table, form)]


@pytest.mark.parametrize("replicates", range(1, FEWEST_PAIRS))
def test_below_six_pairs_there_is_no_mark_in_any_form_however_small_p_is(replicates: int) -> None:
    plan = placement(replicates=replicates)
    facts = Telling()
    facts.session()
    for trial in plan.trials:
        place = [arm.id for arm in plan.arms].index(trial.arm)
        noise = 0.01 * ((7 * trial.replicate + 3 * place) % 5)
        facts.complete(trial, {"val/top1": 1.0, "test/top1": 50.0 + 10 * place + noise})
    table, summary = table_of(plan, facts.facts)
    found = [one.contrasts["test/top1"] for one in summary.arms[1:]]
    if replicates > 2:
        assert any((one.p_adjusted or 1) < 0.01 for one in found), "else this tests nothing"
    assert {one.findings["test/top1"].claim for one in summary.arms[1:]} == {"too few"}
    assert marks_of(table) == []
    text = render(table, "text")
    assert "none, for want of replicates" in text
    assert "correlation of paired seeds" not in text
    assert "Pairing by seed" not in text
    told = explanation(plan, facts.facts, "1:2")
    assert "Correlation" not in told
    if replicates > 1:
        assert "and p is the t test's alone" in " ".join(text.split())


def test_from_six_pairs_on_marks_and_the_gain_of_pairing_are_as_before() -> None:
    table, _ = table_of(placement(), told(placement()))
    assert len(marks_of(table)) >= 2
    assert "correlation of paired seeds" in " ".join(table.notes)


def test_the_gain_of_pairing_is_that_of_comparisons_with_pairs_enough() -> None:
    def few(trial: Trial, arm: int) -> str:
        return "error" if arm > 1 and trial.replicate > 1 else ""

    plan = placement()
    table, summary = table_of(plan, told(plan, skip=few))
    (said,) = [note for note in table.notes if note.startswith("Pairing")]
    one = summary.arms[1].contrasts["test/top1"]
    assert f"correlation of paired seeds {one.correlation:.2f}" in said
    assert said.endswith("one comparison of 6 or more pairs.")


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 8),
    st.integers(0, 10_000),
    st.sets(st.tuples(st.integers(0, 4), st.integers(0, 7))),
)
def test_a_mark_stands_only_where_the_verdict_can_claim_something(
    replicates: int, seed: int, lost: set[tuple[int, int]]
) -> None:
    plan = placement(replicates=replicates)

    def skip(trial: Trial, arm: int) -> str:
        return "error" if (arm, trial.replicate) in lost else ""

    table, summary = table_of(plan, told(plan, seed=seed, skip=skip))
    (delta,) = [i for i, column in enumerate(table.columns) if column.label == "Δ"]
    for row in table.rows:
        one = summary.of[row.arm]
        if "test/top1" not in one.contrasts:
            continue
        marked = DAGGER in row.cells[delta].plain
        contrast, finding = one.contrasts["test/top1"], one.findings["test/top1"]
        low = contrast.p_adjusted is not None and contrast.p_adjusted < ALPHA
        assert marked == finding.sure
        assert low or not marked


def interacting(at: Sequence[int], replicate: int) -> float:
    noise = random.Random(f"{at} {replicate}").gauss(0, 0.1)
    return 10.0 * at[0] * at[1] + 5.0 * at[0] + noise


@pytest.mark.parametrize("kind", ["pairs", "effects"])
def test_deviations_and_screened_factors_of_few_seeds_have_no_mark_either(kind: str) -> None:
    sizes, design = ((2, 2), "factorial") if kind == "pairs" else ((2, 2, 2), "plackett_burman")
    for replicates in (4, 6):
        plan = grid(*sizes, replicates=replicates, design=design)
        summary = summarize(plan, facts_of(plan, laid(plan, interacting)))
        table = view(kind, plan, summary)
        assert "<0.001" in render(table, "text")
        assert bool(marks_of(table)) == (replicates == 6)


@pytest.mark.parametrize(
    ("kind", "sizes", "design", "test"),
    [
        ("pairs", (2, 2), "factorial", "t"),
        ("effects", (2, 2), "factorial", "F"),
        ("effects", (2, 2, 2), "plackett_burman", "t"),
    ],
)
def test_what_few_seeds_can_show_is_said_below_the_other_tables_as_below_the_first(
    kind: str, sizes: tuple[int, ...], design: str, test: str
) -> None:
    for replicates in (2, 5, 6):
        plan = grid(*sizes, replicates=replicates, design=design)
        summary = summarize(plan, facts_of(plan, laid(plan, interacting)))
        said = [
            [note for note in table.notes if "for want of replicates" in note]
            for table in (ablation_table(plan, summary), view(kind, plan, summary))
        ]
        assert said[1] == [note.replace("t test", f"{test} test") for note in said[0]]
        assert len(said[1]) == (replicates < FEWEST_PAIRS)


def test_pairs_of_which_some_lack_seeds_say_that_of_these_nothing_is_claimed() -> None:
    plan = grid(2, 2, 2, replicates=6)
    values = laid(plan, interacting)
    both = next(arm for arm in plan.arms if [*arm.levels.values()].count("0") == 1)
    del values[both.id][3]
    notes = " ".join(view("pairs", plan, summarize(plan, facts_of(plan, values))).notes)
    assert "Nothing is claimed where replicates are too few: below 6 pairs" in notes
    assert "5 to 6 seeds have all four arms" in notes


def test_an_effect_that_all_arms_show_is_in_the_findings_of_table_and_report() -> None:
    """Also where no arm alone differs, as here: the main effect is p = 0.030 or so in --effects."""
    plan = grid(2, 2, replicates=6)
    seen: set[tuple[bool, bool]] = set()
    for seed in range(300):
        draw = random.Random(seed)
        values = laid(plan, lambda at, _r, draw=draw: 0.8 * at[0] + draw.gauss(0, 1))
        facts = facts_of(plan, values)
        summary = summarize(plan, facts)
        split = effects(plan, values, "test/score")
        sure = [one.name for one in split.effects if one.sure]
        notes = ablation_table(plan, summary).notes
        told = [note for note in notes if note.startswith("All arms together")]
        assert len(told) == bool(sure)
        brief = [note for note in ablation_table(plan, summary).brief if "All arms" in note]
        assert len(brief) == bool(sure)
        assert all(f"show an effect of {sure[0]}" in note for note in brief)
        if sure == ["ceiling"]:
            means = [
                statistics.fmean(
                    value
                    for arm in plan.arms
                    if arm.levels["ceiling"] == level
                    for value in values[arm.id].values()
                )
                for level in ("0", "ceiling 1")
            ]
            assert "ceiling makes a difference on average, " in told[0]
            low, high = (f"{mean:.3f}".replace("-", "\N{MINUS SIGN}") for mean in means)
            assert f"{low} with “0” and {high} with “ceiling 1” (p " in told[0]
            assert "`cbablate table --effects`" in told[0]
        alone = any(
            one.findings["test/score"].claim in ("helps", "hurts") for one in summary.arms[1:]
        )
        if sure and (alone, True) not in seen:
            page = report(plan, facts)
            found = page[page.index('id="findings"') :]
            assert "All arms together" in found[: found.index("</section>")]
        seen.add((alone, bool(sure)))
    assert seen == {(a, b) for a in (False, True) for b in (False, True)}


def test_below_six_seeds_no_effect_of_all_arms_is_told() -> None:
    plan = grid(2, 2, replicates=5)
    values = laid(plan, lambda at, r: 5.0 * at[0] + 0.01 * ((3 * r + at[1]) % 4))
    notes = " ".join(ablation_table(plan, summarize(plan, facts_of(plan, values))).notes)
    assert "All arms together" not in notes
