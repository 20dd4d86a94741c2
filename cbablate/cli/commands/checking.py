"""What is said of a file that is right; one that is not raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cbablate import api
from cbablate.errors import UsageError
from cbablate.phrases import counted, listed
from cbablate.planning.analysis_rules import idle_words, luck_words
from cbablate.planning.command_rules import command_lines, unseen_lines
from cbablate.spec.command_words import leaves
from cbablate.spec.loading.sweep_file import is_sweep, read_sweep
from cbablate.spec.loading.workload_file import is_workload, read_workload
from cbablate.spec.study import Study
from cbablate.spec.yaml.text_file import Unreadable
from cbablate.spec.yaml.yaml_file import read_yaml
from cbablate.workloads.catalog import describe

__all__ = ["checked"]

_EDIT = re.compile(r"EDIT\b")


def checked(path: Path, overrides: Sequence[str] = ()) -> str:
    """How much a study plans or a sweep searches, or a workload's version; which of these a file
    is, its keys tell.

    Raises:
        StudyError: with every fault of the file, each with line and column.
        UsageError: the file is none of a study, and there are overrides.
    """
    try:
        root = read_yaml(path).root
    except Unreadable:
        root = None  # reading it as a study tells why
    if overrides and root is not None and (is_workload(root) or is_sweep(root)):
        raise UsageError(f"{path} is not a study: {' '.join(overrides)} can only change studies")
    if root is not None and is_workload(root):
        _, described = read_workload(path, describe)
        return f"workload {described.name}, version {described.version}"
    if root is not None and is_sweep(root):
        sweep = read_sweep(path).sweep
        assert sweep is not None  # else it had faults  # noqa: S101 - our own invariant
        size = counted(len(sweep.space), "hyperparameter")
        return f"{size}, {counted(sweep.trials, 'trial')} an arm, sampler {sweep.sampler.name}"
    found = api.plan(api.load_study(path, overrides))
    said = f"{counted(len(found.arms), 'arm')}, {counted(len(found.trials), 'trial')}"
    if found.study.sequential is not None:
        said += " at most"
    tune = found.study.tune
    if tune is not None:
        tuning = len(found.arms) * found.study.searches * tune.trials
        said += f", as many confirmations, {tuning} tuning trials"
    study = found.study
    warned = (
        _draft_words(study),
        idle_words(study, found.arms),
        luck_words(study, found.arms),
        *command_lines(study),
        *unseen_lines(found),
    )
    words = " ".join(filter(None, warned))
    return f"{said}. {words}" if words else said


def _draft_words(study: Study) -> str:
    """Which texts of a study are still those that `init` wrote to be edited; "" if none is."""
    texts = {"question": study.question, **{f"baseline.{k}": v for k, v in leaves(study.baseline)}}
    left = [key for key, text in texts.items() if isinstance(text, str) and _EDIT.match(text)]
    return f"A draft: EDIT stands in {listed(left)}." if left else ""
