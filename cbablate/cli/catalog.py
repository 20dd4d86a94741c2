"""`ROWS`: the commands, a row each: its group in the help, what it calls, and examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cbablate.cli.commands.check import check
from cbablate.cli.commands.data import data
from cbablate.cli.commands.diff import diff
from cbablate.cli.commands.explain import NumberedCommand, explain
from cbablate.cli.commands.fsck import fsck
from cbablate.cli.commands.init import init
from cbablate.cli.commands.logs import logs
from cbablate.cli.commands.methods import methods
from cbablate.cli.commands.models import models
from cbablate.cli.commands.plan import plan
from cbablate.cli.commands.report import report
from cbablate.cli.commands.run import run
from cbablate.cli.commands.schema import schema
from cbablate.cli.commands.status import status
from cbablate.cli.commands.sweep import sweep
from cbablate.cli.commands.sync import sync
from cbablate.cli.commands.table import table
from cbablate.cli.commands.ui import ui
from cbablate.cli.commands.verify import verify
from cbablate.cli.help import Command

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True)
class Row:
    """A command: the group that help lists it in, its function, and examples as one types them."""

    section: str
    function: Callable[..., None]
    examples: tuple[str, ...]
    kind: type[Command] = Command

    @property
    def name(self) -> str:
        """What it is called by."""
        return self.function.__name__


_BEGIN, _TRAIN, _READ = "Write a study", "Train", "Read what was found"
_PAPER, _KNOW = "Write a paper", "See what there is"

ROWS = (
    Row(
        _BEGIN,
        init,
        ("cbablate init", "cbablate init my-study --from train.py"),
    ),
    Row(_BEGIN, check, ("cbablate check studies/*.yaml sweeps/*.yaml",)),
    Row(
        _BEGIN,
        plan,
        (
            "cbablate plan studies/placement.yaml",
            "cbablate plan studies/placement.yaml replicates=12",
            "cbablate plan studies/placement.yaml --probe --slots 2",
        ),
    ),
    Row(
        _TRAIN,
        run,
        (
            "cbablate run studies/placement.yaml",
            "cbablate run studies/placement.yaml --smoke",
            "cbablate run studies/placement.yaml budget.epochs=2 replicates=1",
            "cbablate run a.yaml b.yaml --on local --results results/pair",
        ),
    ),
    Row(
        _TRAIN,
        status,
        ("cbablate status studies/placement.yaml", "cbablate status studies/placement.yaml --json"),
    ),
    Row(
        _TRAIN,
        logs,
        ("cbablate logs train.yaml", 'cbablate logs train.yaml "momentum 0.9/0" --follow'),
        NumberedCommand,
    ),
    Row(
        _TRAIN,
        sync,
        (
            "cbablate sync studies/placement.yaml",
            "cbablate sync studies/placement.yaml --mlflow http://localhost:5000",
        ),
    ),
    Row(_TRAIN, ui, ("cbablate ui", "cbablate ui studies/placement.yaml --port 5000")),
    Row(
        _READ,
        table,
        (
            "cbablate table studies/placement.yaml",
            "cbablate table studies/placement.yaml -o table.tex --notes short",
            "cbablate table studies/placement.yaml --json",
        ),
    ),
    Row(
        _READ,
        explain,
        (
            'cbablate explain studies/placement.yaml "MLP end" "Top-1"',
            "cbablate explain studies/placement.yaml 3:2",
        ),
        NumberedCommand,
    ),
    Row(_READ, sweep, ("cbablate sweep studies/tuned-placement.yaml",)),
    Row(
        _READ,
        diff,
        (
            "cbablate diff a.yaml b.yaml",
            "cbablate diff a.yaml budget.epochs=2",
            "cbablate diff a.yaml --until 2026-11-23T14:00",
        ),
    ),
    Row(
        _PAPER,
        report,
        ("cbablate report studies/placement.yaml", "cbablate report studies/placement.yaml --pdf"),
    ),
    Row(_PAPER, methods, ("cbablate methods studies/placement.yaml --as latex",)),
    Row(_PAPER, verify, ("cbablate verify studies/placement.yaml paper.tex",)),
    Row(
        _KNOW, models, ("cbablate models", "cbablate models 'vit_*'", "cbablate models levit_128s")
    ),
    Row(_KNOW, data, ("cbablate data", "cbablate data cifar10 --get")),
    Row(
        _KNOW,
        schema,
        (
            "cbablate schema > study.schema.json",
            "cbablate schema --of workload > workload.schema.json",
        ),
    ),
    Row(_KNOW, fsck, ("cbablate fsck results", "cbablate fsck results --repair")),
)
"""In the order in which help lists them."""
