"""The ledger of version 0.1.0 that lies here gives the table that 0.1.0 made of it."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

from cbablate import api
from cbablate.records.sqlite.layout import LEDGER_FILE
from cbablate.records.sqlite.ledger import SqliteLedger
from cbablate.reporting.forms.form import render

OLD = Path(__file__).with_name("ledger_0_1_0")


CORRECTED = {
    *("p_adjusted", "p_sign_flip_holm", "p_equivalence_holm", "correction"),
    *("difference_low", "difference_high", "interval", "finding"),
}
"""What rests on the correction over comparisons, which is another now."""


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_ledger_of_0_1_0_gives_its_table_before_and_after_a_new_writer(tmp_path: Path) -> None:
    shutil.copy(OLD / LEDGER_FILE, tmp_path)
    plan = api.plan(api.load_study(OLD / "toy.yaml"))
    before = render(api.table(plan, results=tmp_path), "csv")
    with SqliteLedger.writing(tmp_path):
        pass
    assert render(api.table(plan, results=tmp_path), "csv") == before
    expected, found = cells((OLD / "table.csv").read_text()), cells(before)
    assert len(found) == len(expected)
    for row, now in zip(expected, found, strict=True):
        kept = row.keys() - CORRECTED
        assert {key: now[key] for key in kept} == {key: row[key] for key in kept}
