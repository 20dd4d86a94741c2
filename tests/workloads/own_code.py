"""Small projects of a user's own: folders of files, and the code that cbablate sees in them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from cbablate import api
from cbablate.running.completion import Completion
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from cbablate.workloads.catalog import describe

STUDY = """\
question: How much does the rate matter?
workload: {workload}
baseline: {{lr: 0.1}}
factors:
  - name: lr
    levels:
      - {{name: "0.1"}}
      - {{name: "0.3", changes: {{lr: 0.3}}}}
budget: {{epochs: 2}}
replicates: 2
objective: {{metric: val/loss, direction: minimize}}
report: [val/loss]
"""
TRAIN = """\
from cbablate.records.measurement import Measurement
{imports}

def train(config, *, seed, budget, workdir):
    for epoch in range(1, budget.amount + 1):
        yield Measurement(spent=epoch, metrics={{"val/loss": float({value})}})
"""
FOUND_AT_RUN_TIME = "import importlib\nhelper = importlib.import_module('hel' + 'per')"


def train(imports: str = "", value: str = "config['lr']") -> str:
    """The source of a workload that reports one value, after these imports."""
    return TRAIN.format(imports=imports, value=value)


def project(folder: Path, files: Mapping[str, str | bytes], *, workload: str = "wl:train") -> Path:
    """Files in a folder, with a study of them: its path."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    study = folder / "study.yaml"
    study.write_text(STUDY.format(workload=workload))
    return study


def version(folder: Path, workload: str = "wl:train") -> str:
    """The version of a workload of a study in this folder."""
    return describe(workload, folder).version


def losses(study: Path, results: Path) -> list[float]:
    """The last loss of each arm's first replicate, after running the study in this process."""
    done = ran(study, results)
    assert done.exit_code == 0, done
    planned, facts = api.recorded(api.plan(api.load_study(study)), results)
    last = {f.subject: f.body["metrics"]["val/loss"] for f in facts if f.kind == "measured"}
    return [last[trial.id] for trial in planned.trials if trial.replicate == 0]


def ran(study: Path, results: Path) -> Completion:
    """What running a study in this process came to."""
    planned = api.plan(api.load_study(study))
    return drive(planned, results=results, executor=LocalExecutor, publish=lambda facts: [])


def command(*words: str | Path, folder: Path, path: str = "") -> subprocess.CompletedProcess[str]:
    """What `cbablate` answers in a process of its own, in a folder, with a PYTHONPATH."""
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [path, str(root)]))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
