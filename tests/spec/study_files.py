"""Study files to start from in tests, and the reading of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cbablate.spec.loading.load import StudyFile, read_study
from cbablate.workloads.catalog import describe

TOY = """\
question: How fast does the curve rise?
workload: toy
baseline: {rate: 0.5}
factors:
  - name: ceiling
    levels:
      - {name: one}
      - {name: two, changes: {ceiling: 2.0}}
budget: {epochs: 3}
replicates: 2
seed: 0
objective: {metric: val/score, direction: maximize}
report: [test/score]
"""

IMAGE = """\
question: Where in a transformer block should context be broadcast?
workload: image_classification
baseline:
  data: {name: digits}
  model: {name: vit_tiny_patch16_224, img_size: 8, patch_size: 2, in_chans: 1, embed_dim: 48}
  context: none
  optimizer: {name: adamw, lr: 2e-3, weight_decay: 0.05}
  schedule: {name: cosine, warmup_epochs: 2}
  batch_size: 64
factors:
  - name: placement
    levels:
      - {name: none}
      - {name: MLP end, changes: {context: {operator: cb, place: mlp.end}}}
design: one_at_a_time
budget: {epochs: 20}
replicates: 6
seed: 0
objective: {metric: val/top1, direction: maximize}
report: [test/top1, attention/entropy, throughput/train, params]
"""

OWN = """\
question: Does my own training like momentum?
workload: mine:train
baseline: {optimizer: {name: sgd, momentum: 0.9}, width: 64, note: null}
factors:
  - name: momentum
    levels:
      - {name: with}
      - {name: without, changes: {optimizer.momentum: 0.0}}
budget: {steps: 100}
replicates: 3
objective: {metric: val/accuracy, direction: maximize}
report: [test/accuracy]
"""


def swap(text: str, old: str, new: str) -> str:
    """The text with its one occurrence of `old` replaced."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def read(folder: Path, text: str | bytes, name: str = "x.yaml") -> StudyFile:
    """What `read_study` makes of a file in `folder` with this content."""
    path = folder / name
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return read_study(path, describe)


def read_own(folder: Path, text: str = OWN) -> StudyFile:
    """The same, for a study of a workload that lies beside it."""
    (folder / "mine.py").write_text("def train(config, *, seed, budget, workdir):\n    yield\n")
    return read(folder, text)


def baseline_of(folder: Path, text: str) -> Any:
    """How the baseline of a toy study is read whose mapping is written so."""
    return read(folder, swap(TOY, "{rate: 0.5}", text)).study.baseline
