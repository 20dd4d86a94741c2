"""The demo: what the README shows of it is what its trials measured, and it finds what it should.

`tests/golden/placement.json` has the last measurement of each trial of `make demo`, by arm in
the order of replicates. Everything but these numbers is computed here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cbablate.api import load_study, plan, table_of
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from tests.analysis.fabrication import Telling

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(load_study(ROOT / "studies" / "placement.yaml"))


@pytest.fixture(scope="module")
def facts(planned: Plan) -> list[Record]:
    """The facts of a finished demo."""
    kept = json.loads((ROOT / "tests" / "golden" / "placement.json").read_text())
    names = {arm.id: arm.name for arm in planned.arms}
    telling = Telling()
    telling.session()
    for trial in planned.trials:
        metrics = {name: each[trial.replicate] for name, each in kept[names[trial.arm]].items()}
        telling.complete(trial, metrics, notes={"device": "cpu", "precision": "float32"})
    return telling.facts


def test_the_table_that_the_readme_shows_is_the_demos(planned: Plan, facts: list[Record]) -> None:
    """But for the line on versions, which are those of whoever runs it."""
    (shown,) = re.findall(r"```text\n(Study placement: .*?)```", README, re.DOTALL)
    printed = table_of(planned, facts).as_text()
    made = re.compile(r"^Made with .*\n(?:  .*\n)*", re.MULTILINE)
    assert made.sub("", shown).strip() == made.sub("", printed).strip()


def test_the_demo_finds_an_effect_a_null_and_an_undecided_arm(
    planned: Plan, facts: list[Record]
) -> None:
    (findings,) = re.findall(r"On Top-1, .*", table_of(planned, facts).as_text(), re.DOTALL)
    said = " ".join(findings.split())
    assert re.search(r"helps: [^;]*MLP end", said)
    assert re.search(r"no difference larger than 0.5 pp [^;]*“halving only, block end”", said)
    assert re.search(r"undecided: [^;]*after attention", said)


@pytest.mark.slow
def test_the_null_of_the_demo_is_the_baselines_function(planned: Plan) -> None:
    """Halving the tokens before the norm that follows the readout changes rounding alone."""
    import torch

    from cbablate.models.building import build
    from cbablate.workloads.images.image_config import resolve

    config = {arm.name: resolve(dict(arm.config)) for arm in planned.arms}
    images = torch.randn(8, 1, 10, 10, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        outputs = {
            name: build(config[name], seed=3, num_classes=2).double().eval()(images.double())
            for name in ("none", "halving only, block end", "after attention")
        }
    moved = {name: float((out - outputs["none"]).abs().max()) for name, out in outputs.items()}
    assert moved["halving only, block end"] < 1e-4 < 1e-2 < moved["after attention"]
