"""Captions: what a reader must know who sees the table alone, and nothing that is not so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cbablate.analysis.outcome import outcome
from cbablate.analysis.summary import summarize
from cbablate.planning.plan import Plan
from cbablate.records.facts import WorkerFact
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.forms.markdown import markdown
from cbablate.reporting.forms.web_page import html
from cbablate.reporting.sentences.caption import stated, statement
from cbablate.reporting.tables.arms import outcome_table
from cbablate.spec.analysis import Analysis
from cbablate.spec.code import Code
from cbablate.spec.metric import Metric
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import FROZEN, Telling, patchy, placement, told
from tests.analysis.tuned import places_told, tuned_places
from tests.reporting.tables import mixed


def in_full(plan: Plan) -> Plan:
    """The study, whose caption is to say all."""
    look = Typesetting(caption_detail="full")
    return replace(plan, study=plan.study.model_copy(update={"typesetting": look}))


def test_a_caption_is_short_and_names_neither_a_key_nor_a_commit_nor_a_processor() -> None:
    plan = placement(description=FROZEN, margin=0.5)
    (said,) = statement(plan, summarize(plan, told(plan)))
    assert said == (
        "Means of n = 6 seeds ± 95 % intervals; Δ, p: from “none”, paired by seed, Šidák-adjusted."
    )
    tuned = tuned_places()
    every = outcome_table(outcome(tuned, places_told(tuned))).statement
    assert "Each arm tuned by" in every[-1]
    assert not any(word in " ".join(every) for word in ("val/", "commit", "Processor"))


def test_caption_and_notes_of_the_usual_table_are_four_lines() -> None:
    plan = placement(description=FROZEN)
    table = outcome_table(outcome(plan, told(plan)))
    below = [note for note in table.shown if note not in table.stated]
    assert any("†" in note and "sign-flip" in note for note in below)
    assert len(" ".join(["Table 1:", table.caption, *table.statement])) <= 2 * 79
    assert len(" ".join(below)) <= 2 * 88


def test_the_caption_says_what_intervals_and_p_are_corrected_by() -> None:
    for how, words in (
        ({}, "Δ, p: from “none”, paired by seed, Šidák-adjusted."),
        ({"correction": "dunnett"}, "Δ, p: from “none”, paired by seed, Dunnett-adjusted."),
        ({"correction": "holm"}, "seed, each interval by itself; p: Holm-adjusted."),
        ({"intervals": "single"}, "seed, each interval by itself; p: Šidák-adjusted."),
        (
            {"test": "sign_flip"},
            "seed, t-intervals Šidák-adjusted; p: exact sign flips, Šidák-adjusted.",
        ),
    ):
        plan = placement(description=FROZEN)
        analysis = Analysis.model_validate(how)
        plan = replace(plan, study=plan.study.model_copy(update={"analysis": analysis}))
        assert statement(plan, summarize(plan, told(plan)))[0].endswith(words)
    two = placement(names=["only"], description=FROZEN)
    assert statement(two, summarize(two, told(two)))[0].endswith(
        "Δ, p: from “none”, paired by seed."
    )


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ({"test": "sign_flip"}, ", and the t-interval leaves out 0."),
        ({"interval": "bca"}, ", the interval leaves out 0, and the {}sign-flip test agrees."),
        ({}, ", and the {}sign-flip test agrees."),
    ],
)
def test_the_dagger_names_all_that_it_needs(how: dict[str, str], rule: str) -> None:
    plan = placement(description=FROZEN, replicates=10)
    analysis = Analysis.model_validate(how)
    plan = replace(plan, study=plan.study.model_copy(update={"analysis": analysis}))
    table = outcome_table(outcome(plan, told(plan)))
    assert f"†: p < 0.05{rule.format('')}" in table.shown
    assert any(f"†: adjusted p < 0.05{rule.format('exact ')}" in note for note in table.notes)


def test_without_notes_what_signs_mean_stays() -> None:
    plan = placement(description=FROZEN)
    table = outcome_table(outcome(plan, told(plan))).noted("none")
    legend = ["Means of n = 6 seeds", "†: p < 0.05"]
    assert [any(note.startswith(one) for note in table.shown) for one in legend] == [True, True]
    assert len(table.shown) == 2
    for one in legend:
        assert f"- {one}".replace("n =", "*n* =").replace("p <", "*p* <") in markdown(table)
    caption, _, rest = latex(table).partition(r"\label")
    assert "sign-flip test agrees" in caption
    assert "minipage" not in rest
    assert "% Training: median" in caption
    assert "†: <em>p</em> &lt; 0.05" in html(table)
    assert "Training: median" in html(table)


def test_a_caption_states_n_interval_test_correction_split_margin_hardware_and_commit() -> None:
    plan = in_full(placement(description=FROZEN, margin=0.5))
    assert statement(plan, summarize(plan, told(plan))) == (
        "Means over n = 6 replicates (seeds) of each arm.",
        "±: half-width of the 95 % t-interval over the n replicates.",
        "Δ: difference from “none”, paired by seed. p: two-sided paired t test, Šidák-adjusted "
        "over 4 comparisons; simultaneous 95 % intervals of Δ by Šidák's correction. †: adjusted "
        "p < 0.05, and the exact sign-flip test agrees.",
        "Top-1 on the test split; decisions were made on val/top1 (validation split).",
        "Margin of equivalence: 0.5 pp.",
        "Trained on Some Processor at 2 GHz, commit 0123456789ab.",
    )


def test_missing_replicates_and_mixed_commits_are_stated() -> None:
    plan = in_full(placement(description=FROZEN))
    said = statement(plan, summarize(plan, told(plan, skip=patchy)))
    assert said[0] == "Means over n = 4 to 6 of 6 replicates (seeds) of each arm."
    (*_, made) = mixed(caption_detail="full").statement
    assert "commits 0123456789ab and ffffffffffff with uncommitted changes." in made
    one = in_full(placement(replicates=1, description=FROZEN))
    first = statement(one, summarize(one, told(one)))[:2]
    assert first[0] == "One replicate (seed) of each arm."


def test_nothing_is_stated_of_what_has_not_run() -> None:
    plan = placement()
    assert statement(plan, summarize(plan, [])) == ()
    assert stated(plan, summarize(plan, [])) == ()


def test_an_accelerator_is_named_and_the_processor_only_of_trials_without_one() -> None:
    plan = in_full(placement(description=FROZEN))
    summary = summarize(plan, told(plan))
    for gpus, words in (
        (("A100",), "Trained on A100, "),
        (("", "A100"), "Trained on A100 and Some Processor at 2 GHz, "),
    ):
        traits = {**summary.origin.traits, "host.gpus": gpus, "numerics.device": ()}
        other = replace(summary, origin=replace(summary.origin, traits=traits))
        assert statement(plan, other)[-1].startswith(words)


def test_tuning_effort_is_stated_once() -> None:
    plan = in_full(tuned_places())
    table = outcome_table(outcome(plan, places_told(plan)))
    (said,) = [one for one in table.statement if "is tuned by" in one]
    assert said in table.stated
    assert latex(table).count("is tuned by") == 1


def test_what_the_caption_says_is_not_said_again_below() -> None:
    plan = placement(description=FROZEN)
    table = outcome_table(outcome(plan, told(plan)))
    for one in (table, outcome_table(outcome(in_full(plan), told(plan)))):
        below = latex(one).partition("minipage")[2]
        assert "interval" not in below.replace("intervals in pp", "")
        assert "Training: median" in below
    full = table.noted("full")
    assert set(full.statement) & set(full.notes) == set()
    assert "paired $t$ test" in latex(full).partition("minipage")[2]


def test_the_machine_of_the_caption_is_the_worker_s_and_what_the_workload_computed_on() -> None:
    plan = in_full(placement(description=FROZEN))
    host = {"processor": "Processor of the node", "gpus": ["H100", "H100"]}
    worker = WorkerFact("n1", host, {"torch": "2.15.0"})
    for device, words in (
        ({}, "Trained on H100, H100, commit"),
        ({"device": "H100"}, "Trained on H100, commit"),
        ({"device": "cpu"}, "Trained on Processor of the node, commit"),
    ):
        telling = Telling()
        telling.session()
        telling.tell("w", worker)
        for trial in plan.trials:
            telling.complete(trial, {"test/top1": 1.0}, worker="w", notes=device)
        assert statement(plan, summarize(plan, telling.facts))[-1].startswith(words)


def test_a_caption_calls_what_an_own_study_decides_on_by_its_label() -> None:
    label = Metric("val/top1", "Accuracy", "%", 1, "maximize")
    own = replace(
        FROZEN,
        code=Code(module="train", folder=".", modules=()),
        metrics={**FROZEN.metrics, "val/top1": label},
    )
    plan = in_full(placement(description=own))
    said = " ".join(statement(plan, summarize(plan, told(plan))))
    assert "decisions were made on Accuracy (validation split)" in said
