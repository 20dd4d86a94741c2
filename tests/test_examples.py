"""Public training scripts as they are: each example goes from its files to a table."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.documents import ROOT, titled, typed

EXAMPLES = ROOT / "docs" / "examples"
STUDIES = sorted(EXAMPLES.glob("*/*.yaml"))
REPORTING = {"lightning": "LightningCallback", "transformers": "TransformersCallback"}
HEADS = {
    "hydra": ["Accuracy", "(%) ↑"],
    "lightning": ["Accuracy", "(%) ↑", "Loss", "↓"],
    "mnist": ["Accuracy", "(%) ↑", "Loss", "↓"],
    "timm": ["Top-1", "(%) ↑", "Loss", "↓"],
    "transformers": ["Accuracy", "(%) ↑", "Loss", "↓"],
}


def test_the_page_shows_the_files() -> None:
    shown = titled((ROOT / "docs" / "examples.md").read_text(encoding="utf-8"))
    assert shown == {
        str(path.relative_to(EXAMPLES)): path.read_text(encoding="utf-8") for path in STUDIES
    }


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.parent.name)
class TestAnExample:
    def test_ten_lines_of_yaml_declare_workload_and_metrics(self, study: Path) -> None:
        text = study.read_text(encoding="utf-8")
        assert set(yaml.safe_load(text)) >= {"workload", "metrics"}
        declared = re.findall(r"^(?:workload|metrics):\n(?: .*\n)+", text, re.MULTILINE)
        assert sum(block.count("\n") for block in declared) <= 10

    def test_its_script_knows_cbablate_by_a_report_line_at_most(self, study: Path) -> None:
        (script,) = study.parent.glob("*.py")
        tree = ast.parse(script.read_text(encoding="utf-8"))
        imported = [
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cbablate")
            for alias in node.names
        ]
        callback = REPORTING.get(study.parent.name)
        assert imported == ([callback] if callback else [])

    @pytest.mark.slow
    def test_it_comes_to_a_table_with_labels_units_arrows_and_a_verdict(
        self, study: Path, tmp_path: Path
    ) -> None:
        folder = shutil.copytree(study.parent, tmp_path / study.parent.name)
        whole = study.parent.name in ("hydra", "mnist")
        if not whole:  # two seeds, as each trial imports a large library anew
            copied = folder / study.name
            copied.write_text(copied.read_text().replace("replicates: 6", "replicates: 2"))
        checked = typed(f"cbablate check {study.name}", folder)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        done = typed(f"cbablate run {study.name} --on local --no-mirrors", folder)
        assert done.returncode == 0, done.stdout + done.stderr
        table = typed(f"cbablate table {study.name}", folder).stdout
        for words in HEADS[study.parent.name]:
            assert words in table
        assert re.search(r"\d ± \d", table)
        verdict = "On Accuracy, hurts: " if whole else "Findings: none, for want of replicates"
        assert verdict in table
