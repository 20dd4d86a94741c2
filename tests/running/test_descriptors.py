"""A run with too few descriptors is refused before its first trial."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cbablate.records.place import Place

pytestmark = pytest.mark.slow

STUDY = """\
question: Does a higher ceiling score higher?
workload: toy
baseline: {ceiling: 1.0}
factors:
  - {name: ceiling, levels: [{name: one}, {name: two, changes: {ceiling: 2.0}}]}
budget: {epochs: 1}
replicates: 1
objective: {metric: val/score, direction: maximize}
report: [test/score]
"""
LIMITED = """
import resource, sys
import cbablate.cli.main
from cbablate.running.isolation.descriptors import open_files
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (int(open_files()) + int(sys.argv.pop(1)), hard))
cbablate.cli.main.main()
"""


def limited(folder: Path, spare: int) -> subprocess.CompletedProcess[str]:
    (folder / "s.yaml").write_text(STUDY)
    words = ["run", str(folder / "s.yaml"), "--on", "local", "--no-mirrors"]
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(spare), *words, "--results", str(folder / "r")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("spare", [14, 20, 30])
def test_a_run_with_too_few_descriptors_ends_before_its_first_trial(
    tmp_path: Path, spare: int
) -> None:
    done = limited(tmp_path, spare)
    assert done.returncode == 4, done.stderr
    assert "more; a run needs 32. Raise the limit" in " ".join(done.stderr.split())
    with Place(tmp_path / "r").reading() as ledger:
        assert not ledger.records(["started"])


def test_a_run_with_enough_descriptors_trains(tmp_path: Path) -> None:
    done = limited(tmp_path, 64)
    assert done.returncode == 0, done.stderr
