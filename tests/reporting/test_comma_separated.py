"""CSV: every number, unrounded, and no formula."""

from __future__ import annotations

import csv
import io

import pytest

from cbablate.analysis.summary import summarize
from cbablate.reporting.forms.comma_separated import comma_separated
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import FROZEN, patchy, placement, told


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_numbers_read_back_exactly() -> None:
    plan = placement()
    summary = summarize(plan, told(plan, skip=patchy))
    rows = rows_of(comma_separated(ablation_table(plan, summary)))
    for one in summary.arms:
        for metric in summary.metrics:
            (row,) = (
                r for r in rows if (r["arm"], r["metric"], r["layer"]) == (one.arm.name, metric, "")
            )
            said = one.estimates[metric]
            assert (int(row["n"]), int(row["planned"])) == (said.n, said.planned)
            assert (float(row["mean"]), float(row["low"])) == (said.mean, said.low)
            if contrast := one.contrasts.get(metric):
                assert row["against"] == "none"
                assert float(row["difference"]) == contrast.difference
                assert row["p_adjusted"] == (
                    "" if contrast.p is None else repr(contrast.p_adjusted)
                )
                assert int(row["pairs"]) == contrast.n
                assert row["finding"] == one.findings[metric].claim
                flips = "" if contrast.p_sign_flip is None else repr(contrast.p_sign_flip)
                assert row["p_sign_flip"] == flips
        (row,) = (r for r in rows if (r["arm"], r["metric"]) == (one.arm.name, "throughput/train"))
        assert float(row["median"]) == one.timings["throughput/train"].median
        layers = [r for r in rows if r["arm"] == one.arm.name and r["layer"]]
        assert [float(r["mean"]) for r in layers] == [
            v.mean for v in one.vectors["attention/entropy"]
        ]


def test_counts_of_what_did_not_complete_stand_in_every_row() -> None:
    plan = placement()
    table = ablation_table(plan, summarize(plan, told(plan, skip=patchy)))
    middle = next(r for r in rows_of(comma_separated(table)) if r["arm"] == "MLP middle")
    states = ("complete", "pruned", "failed", "running", "waiting")
    assert [middle[state] for state in states] == ["4", "0", "2", "0", "0"]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r\n=1"])
def test_no_name_is_a_formula(name: str) -> None:
    plan = placement(names=(name,), factor=f"{name} factor", description=FROZEN)
    text = comma_separated(ablation_table(plan, summarize(plan, told(plan))))
    fields = [field for row in csv.reader(io.StringIO(text)) for field in row]
    risky = [field for field in fields if field[:1] in ("=", "+", "@", "\t", "\r")]
    assert risky == []
    assert all(float(field) < 0 for field in fields if field[:1] == "-")
    assert f"'{' '.join(name.split())}" in fields


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66"]
)
def test_no_name_begins_as_a_formula_would_in_any_width(sign: str) -> None:
    plan = placement(names=(f"{sign}1+1",), replicates=2)
    text = comma_separated(ablation_table(plan, summarize(plan, told(plan))))
    names = {row["arm"] for row in rows_of(text)}
    assert f"'{sign}1+1" in names
