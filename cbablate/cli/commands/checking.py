"""What is said of a file that is right; one that is not raises."""

from __future__ import annotations

from pathlib import Path

from cbablate import api
from cbablate.phrases import counted
from cbablate.planning.analysis_rules import idle_words, luck_words
from cbablate.spec.loading.sweep_file import is_sweep, read_sweep
from cbablate.spec.yaml.text_file import Unreadable
from cbablate.spec.yaml.yaml_file import read_yaml

__all__ = ["checked"]


def checked(path: Path) -> str:
    """How much a study plans, or a sweep searches; which of the two a file is, its keys tell.

    Raises:
        StudyError: with every fault of the file, each with line and column.
    """
    try:
        alone = is_sweep(read_yaml(path).root)
    except Unreadable:
        alone = False  # reading it as a study tells why
    if alone:
        sweep = read_sweep(path).sweep
        assert sweep is not None  # else it had faults  # noqa: S101 - our own invariant
        size = counted(len(sweep.space), "hyperparameter")
        return f"{size}, {counted(sweep.trials, 'trial')} an arm, sampler {sweep.sampler.name}"
    found = api.plan(api.load_study(path))
    said = f"{counted(len(found.arms), 'arm')}, {counted(len(found.trials), 'trial')}"
    if found.study.sequential is not None:
        said += " at most"
    tune = found.study.tune
    if tune is not None:
        tuning = len(found.arms) * found.study.searches * tune.trials
        said += f", as many confirmations, {tuning} tuning trials"
    warned = (idle_words(found.study, found.arms), luck_words(found.study, found.arms))
    return ". ".join([said, *filter(None, warned)])
