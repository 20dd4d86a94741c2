"""Differences: two studies side by side, and one study at two times."""

from __future__ import annotations

import re

import pytest

from cbablate.errors import CbablateError
from cbablate.planning.plan import plan
from cbablate.reporting.model.cell import DASH
from cbablate.reporting.pages.difference import Side, difference, until
from cbablate.spec.analysis import Analysis
from cbablate.spec.factor import Factor, Level
from tests.analysis.fabrication import placement, told

PLAN = placement(replicates=3, report=("test/top1",))
FACTS = told(PLAN)


def test_a_study_differs_from_itself_in_nothing() -> None:
    side = Side("now", PLAN, FACTS)
    said = difference(side, side)
    assert "Settings: the same" in said
    assert "Arms: 5 the same, 0 changed, 0 added, 0 removed" in said
    assert "Complete trials: 15 -> 15, 15 of them the same" in said
    gaps = re.findall(r"\(3\)\s+(\S+)$", said, re.MULTILINE)
    assert set(gaps) == {"0.00", "0.000"} or set(gaps) == {"0.00"}
    assert len(gaps) == 10


def test_arms_are_told_as_added_removed_renamed_and_changed_key_by_key() -> None:
    (factor,) = PLAN.study.factors
    none, front, middle, _end, after = factor.levels
    moved = {"context": {"operator": "add", "place": "mlp.front"}}
    levels = (
        none,
        Level(name=front.name, changes=moved),
        Level(name="new name", changes=middle.changes),
        after,
        Level(name="halving", changes={"context": {"operator": "halve", "place": "mlp.end"}}),
    )
    study = PLAN.study.model_copy(
        update={
            "factors": (Factor(name=factor.name, levels=levels),),
            "replicates": 2,
            "margin": 1.0,
        }
    )
    said = difference(Side("a", PLAN, FACTS), Side("b", plan(study, PLAN.description), FACTS))
    assert "  replicates: 3 -> 2" in said
    assert "  margin: not set -> 1.0" in said
    assert "Arms: 3 the same, 1 changed, 1 added, 1 removed" in said
    for line in (
        "  + halving",
        "  - MLP end",
        "  = MLP middle is called new name",
        "  ~ MLP front",
    ):
        assert line in said.splitlines()
    assert '"operator": "cb", "place": "mlp.front"' in said
    assert '-> [{"operator": "add"' in said
    assert "Complete trials: 15 -> 6, 6 of them the same" in said


def test_a_baseline_that_changed_is_told_by_its_key() -> None:
    baseline = {**PLAN.study.baseline, "optimizer": {"lr": 1e-3}}
    other = plan(PLAN.study.model_copy(update={"baseline": baseline}), PLAN.description)
    said = difference(Side("a", PLAN, FACTS), Side("b", other, FACTS))
    assert "  baseline.optimizer.lr: 0.002 -> 0.001" in said
    assert "Arms: 0 the same, 5 changed" in said
    assert re.search(rf"  none +\S+ ± \S+ \(3\) +{DASH} +{DASH}$", said, re.MULTILINE)


def test_an_earlier_time_is_a_sequence_or_a_date() -> None:
    assert until(FACTS, "10") == FACTS[:10]
    assert until(FACTS, "0") == []
    assert until(FACTS, "2001-09-09T01:46:50") == [f for f in FACTS if f.at < 1e9 + 10]
    assert until(FACTS, "2001-09-09T03:46:50+02:00") == until(FACTS, "2001-09-09T01:46:50")
    assert until(FACTS, "20300101") == FACTS
    for wrong in ("yesterday", "-3", "1.5"):
        with pytest.raises(CbablateError, match="neither the number of a fact nor a date"):
            until(FACTS, wrong)


def test_less_was_known_then() -> None:
    half = len(FACTS) // 2
    then, now = Side("then", PLAN, until(FACTS, str(half))), Side("now", PLAN, FACTS)
    said = difference(then, now)
    assert re.search(r"Complete trials: \d -> 15, \d of them the same", said)
    assert "Arms: 5 the same" in said
    assert "mean" not in difference(Side("a", PLAN, []), Side("b", PLAN, []))


def test_a_hostile_name_keeps_the_columns_and_the_terminal() -> None:
    odd = placement(replicates=2, names=("\x1b[31mred", "中文", "c", "d"), report=("test/top1",))
    side = Side("a", odd, told(odd))
    said = difference(side, side)
    assert "\x1b" not in said
    assert "<U+001B>[31mred" in said


def test_another_analysis_is_another_setting() -> None:
    study = PLAN.study.model_copy(update={"analysis": Analysis(correction="dunnett")})
    other = Side("then", plan(study, PLAN.description), FACTS)
    assert "analysis.correction: sidak -> dunnett" in difference(Side("now", PLAN, FACTS), other)
