"""An operator and a probe are each added from outside: a module, a row, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OPERATOR = '''
from torch import Tensor, nn
from cbablate.models.operators.layout import Layout


class Stretch(nn.Module):
    """Stretch(x_i) = width x_i."""

    def __init__(self, layout: Layout, *, width: int) -> None:
        super().__init__()
        self.dim, self.width = layout.dim, width

    def forward(self, x: Tensor) -> Tensor:
        return self.width * x

    def flops(self, tokens: int) -> int:
        return tokens * self.dim
'''
PROBE = """
from cbablate.probes.probe import ProbeResult, Subject


def measure(subject: Subject, asked: frozenset[str]) -> ProbeResult:
    largest = max(float(weights.abs().max()) for weights in subject.model.parameters())
    return ProbeResult({"weights/largest": largest})
"""
USED = """
import json
from pathlib import Path
import pytest
from cbablate.data.images import opened
from cbablate.models.operators.catalog import OPERATORS
from cbablate.planning.plan import plan
from cbablate.probes.measuring import measure
from cbablate.spec.budget import Budget
from cbablate.spec.loading.load import read_study
from cbablate.errors import StudyError
from cbablate.workloads.catalog import describe
from cbablate.workloads.images.image_classification import run

described = describe("image_classification", Path())
text = json.dumps(described.schema)
assert '"stretch"' in text and '"largest_weight"' in text
assert "weights/largest" in described.metrics
assert "stretch" in described.mechanism.controls

file = read_study("study.yaml", describe)
planned = plan(file.study, file.description)
*_, stretched = planned.arms
(placed,) = stretched.config["context"]
assert placed["operator"] == "stretch" and "width" not in placed, "3 is the row's default"
Path("bad.yaml").write_text(Path("study.yaml").read_text().replace(": stretch,", ": strech,"))
with pytest.raises(StudyError, match="did you mean 'stretch'"):
    read_study("bad.yaml", describe)

*_, last = run(stretched.config, seed=0, budget=Budget(epochs=1), workdir=Path("work"))
assert last.metrics["weights/largest"] > 0

from tests.models.cases import CASES, images, made
assert CASES["stretch"] == {"operator": "stretch"}
assert not made(CASES["stretch"], depth=1)(images()).equal(made(depth=1)(images()))
from tests.probes.test_probe_contract import GROUPS
assert GROUPS["cbablate.probes.largest_weight:measure"] == ["largest_weight"]
"""


def add_row(catalog: Path, last: str, row: str) -> None:
    """Write one row after the last one of a table."""
    text = catalog.read_text()
    assert text.count(last) == 1
    catalog.write_text(text.replace(last, f"{last}\n{row}"))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with an operator and a probe more."""
    copy = tmp_path / "cbablate"
    shutil.copytree(ROOT / "cbablate", copy, ignore=shutil.ignore_patterns("__pycache__"))
    operators, probes = copy / "models" / "operators", copy / "probes"
    (operators / "stretch.py").write_text(OPERATOR)
    (probes / "largest_weight.py").write_text(PROBE)
    add_row(
        operators / "catalog.py",
        'Operator("channel_mix", "channel_mix:ChannelMix", defaults=_DETACH),',
        'Operator("stretch", "stretch:Stretch", defaults={"width": 3}, control=True),',
    )
    add_row(
        probes / "catalog.py",
        '"maps": ProbeRow("cbablate.probes.maps:measure", (), sketches=(MAPS,)),',
        '"largest_weight": ProbeRow("cbablate.probes.largest_weight:measure",'
        ' (Metric("weights/largest", "Largest weight"),)),',
    )
    return tmp_path


def test_an_operator_and_a_probe_are_each_a_module_and_a_row(package: Path) -> None:
    study = (ROOT / "studies" / "placement-digits.yaml").read_text()
    head, _, rest = study.partition("      - {name: MLP front")
    rest = rest.partition("design:")[2]
    level = "      - {name: stretched, changes: {context: {operator: stretch, place: mlp.end}}}\n"
    study = f"{head}{level}design:{rest}".replace(
        "  context: none\n", "  context: none\n  probes: [largest_weight]\n"
    ).replace("schedule: {name: cosine, warmup_epochs: 2}", "schedule: {name: constant}")
    (package / "study.yaml").write_text(study)
    (package / "work").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", USED],
        cwd=package,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (package, ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
