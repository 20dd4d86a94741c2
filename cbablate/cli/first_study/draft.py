"""`Draft`: a first study and a first sweep about a script, as text to be edited."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from cbablate.cli.first_study.script import Argument, Scalar, Script
from cbablate.spec.yaml import scalar

__all__ = ["Draft"]

_SEEDS = {"seed", "random_seed", "manual_seed", "rng_seed"}
_BUDGETS = {
    **dict.fromkeys(
        ("epochs", "num_epochs", "n_epochs", "max_epochs", "num_train_epochs"), "epochs"
    ),
    **dict.fromkeys(("steps", "max_steps", "num_steps", "train_steps", "iterations"), "steps"),
}
_FOLDERS = re.compile(
    r"(out(put)?s?|results?|save_?to)|"
    r"((default_)?root|out(put)?s?|saves?|logs?|logging|work|results?|checkpoints?|ckpts?|runs?|exp|"
    r"experiments?|dump|summary|tensorboard|tb|artifacts?)_?(dir|path|folder|directory)"
)
_HOUSEKEEPING = re.compile(
    r"(^|[-_.])(accel|amp|bar|cache|cpu|cuda|cudnn|debug|deterministic|distributed|download|dry|"
    r"eval|evaluate|export|fast|force|gpu|help|hub|log|mps|overwrite|pin|plot|profile|progress|"
    r"push|quiet|resume|save|silent|tensorboard|test|tpu|verbose|version|wandb|workers)($|[-_.])"
)
"""Words of switches that say how a script is run, and not what is trained."""
_OF_THE_TRIAL = {"budget", "workdir", "checkpoint", "study"}
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_RATES = re.compile(r"(^|_)(lr|learning_rate|weight_decay|wd)$")
_ANY: Mapping[str, Scalar] = {"int": 1, "float": 0.1}
_EDIT = "EDIT"


@dataclass(frozen=True)
class Draft:
    """What is written about a script: a study called `name`, and a sweep.

    `word` is the script as the study's command has it, from the study's folder.
    """

    script: Script
    name: str
    word: str

    @cached_property
    def _baseline(self) -> dict[str, Scalar]:
        kept: dict[str, Scalar] = {}
        for one in self.script.arguments:
            if self._filled(one) or self._left(one):
                continue
            wanted = (*one.choices, _ANY.get(one.kind, _EDIT))[0]
            kept[one.name] = wanted if one.default is None else one.default
        return kept

    def _left(self, one: Argument) -> str:
        """Why an argument keeps what the script gives it; "" where something else fills it."""
        if self._filled(one):
            return ""
        if one.why or one.name in _OF_THE_TRIAL:
            return one.why or "is a word of the trial here"
        if one.name in _BUDGETS and self._budget is not None:
            return f"ends a training, too: the budget is what {self._budget.option} counts"
        if one.default is None and not one.required:
            return "has no default that the source says plainly: add it to command and baseline"
        return ""

    def _filled(self, one: Argument) -> str:
        """The word for what a trial fills an argument with; "" where the config fills it."""
        if one.why or one.switch:
            return ""
        if one.name in _SEEDS:
            return "{seed}"
        if one is self._budget:
            return "{budget}"
        if not _FOLDERS.fullmatch(one.name) or not (isinstance(one.default, str) or one.required):
            return ""
        path = PurePosixPath(one.default if isinstance(one.default, str) else "")
        return f"{{workdir}}/{path.name}" if path.suffix else "{workdir}"

    @cached_property
    def _factor(self) -> tuple[str, list[Scalar]]:
        """What is put under test first: a key with choices, or a number; and its levels."""
        by_name = {one.name: one for one in self.script.arguments}
        numbers = [key for key, value in self._baseline.items() if _is_number(value)]
        switches = [key for key in self._baseline if by_name[key].switch]
        for key in switches:
            if not _HOUSEKEEPING.search(key):
                return key, [self._baseline[key], not self._baseline[key]]
        for key, value in self._baseline.items():
            others = [one for one in by_name[key].choices if one != value]
            if others:
                return key, [value, *others]
        for key in [*(key for key in numbers if not _RATES.search(key)), *numbers]:
            value = self._baseline[key]
            assert isinstance(value, int | float)  # numbers are  # noqa: S101 - ours
            return key, [value, 2 * value if value else 1]
        return "", []

    @property
    def tuned(self) -> str:
        """The number that the sweep searches; "" where there is none but the one under test."""
        free = [
            key
            for key, value in self._baseline.items()
            if _is_number(value) and value and key != self._factor[0]
        ]
        return next((key for key in free if _RATES.search(key)), next(iter(free), ""))

    def study(self) -> str:
        """The study's text."""
        asked = f"question: {_shown(f'EDIT: what does {self._factor[0] or self.name} change?')}"
        return "\n".join(
            [*self._head(), asked, *self._workload(), *self._arms(), *self._ends(), ""]
        )

    def sweep(self) -> str:
        """The sweep's text; "" where there is nothing to tune."""
        if not self.tuned:
            return ""
        value = self._baseline[self.tuned]
        assert isinstance(value, int | float)  # a number is tuned  # noqa: S101 - ours
        whole = isinstance(value, int)
        ends = [max(1, value // 4), value * 4] if whole else [value / 10, value * 10]
        low, high = (f"{end:.3g}" for end in sorted(ends))
        kind = "int" if whole else "float"
        log = ", log: true" if value > 0 else ""
        return (
            f"# How each arm of {self.name}.yaml is tuned before it is compared: write\n"
            f"#   tune: {self.name}-sweep.yaml\n"
            "# to the study. EDIT the ranges.\n"
            f"space:\n  {self.tuned}: {{{kind}: [{low}, {high}]{log}}}\n"
            "sampler: tpe\ntrials: 12\n"
        )

    def _head(self) -> Iterator[str]:
        yield f"# A first draft, written by cbablate init from {self.word}."
        yield "# EDIT marks what only you can know."
        yield f"#   cbablate check {self.name}.yaml          is it meant as it stands?"
        yield f"#   cbablate run {self.name}.yaml --smoke    does everything run?"
        yield f"#   cbablate run {self.name}.yaml            train, then print the table"
        left = {one.option or one.name: self._left(one) for one in self.script.arguments}
        if any(left.values()):
            yield "# Left at the script's own defaults:"
            yield from (f"#   {option} {why}" for option, why in left.items() if why)
        if not any(self._filled(one) == "{seed}" for one in self.script.arguments):
            yield "# EDIT: the script takes no --seed. Have it read CBABLATE_SEED, of its"
            yield "# environment, or nobody can repeat a replicate."

    def _workload(self) -> Iterator[str]:
        words = ["python", self.word, *self._words()]
        folder = self.word.rpartition("/")[0]
        code = [self.word, *(f"{folder}/{one}" if folder else one for one in self.script.beside)]
        yield "workload:"
        yield f"  command: [{', '.join(map(_shown, words))}]"
        yield f"  code: [{', '.join(map(_shown, code))}]"
        if not self.script.metrics or self.script.leaves:
            yield from self._reads()

    def _reads(self) -> Iterator[str]:
        yield "  # EDIT: where the script leaves its numbers. With `cbablate.report({...})` in it"
        yield '  # nothing more is to be said. Else, by the page "Commands" of the documentation:'
        for key, path in self.script.leaves or (("csv", "metrics.csv"),):
            yield f"  # reads: {{{key}: {_shown(path)}}}  # in {{workdir}}: let it be written there"
        yield "  # reads: {stdout: ['epoch (?P<epoch>\\d+) loss (?P<loss>\\S+)']}  # what it prints"

    def _words(self) -> Iterator[str]:
        for one in self.script.arguments:
            value = self._filled(one) or one.switch or f"{{{one.name}}}"
            if not self._filled(one) and one.name not in self._baseline:
                continue
            if not one.option or one.switch:
                yield value
            elif one.option.startswith("--"):
                yield f"{one.option}={value}"
            else:
                yield from (one.option, value)

    def _arms(self) -> Iterator[str]:
        key, levels = self._factor
        yield "baseline:" if self._baseline else "baseline: {}  # EDIT: what the arms start from"
        for name, value in self._baseline.items():
            wanted = "  # the script wants one" * (value == _EDIT)
            yield f"  {_shown(name)}: {_shown(value)}{wanted}"
        if not key:
            yield "# EDIT: nothing can be guessed that is under test: write `factors:`"
            return
        yield "factors:  # EDIT: what is under test; the first level is the baseline's"
        yield f"  - name: {_shown(key)}"
        yield "    levels:"
        yield f"      - {{name: {_level(key, levels[0])}}}"
        for level in levels[1:]:
            changes = f"{{{_shown(key)}: {_shown(level)}}}"
            yield f"      - {{name: {_level(key, level)}, changes: {changes}}}"

    def _ends(self) -> Iterator[str]:
        """How long it is trained, how often, and what is measured."""
        metric, better, reported = self._metrics()
        whole = "  # EDIT: the script takes no --epochs, so 1 stands for all of a training"
        yield f"budget: {{{self._unit}: {self._amount}}}{whole * (self._budget is None)}"
        yield "replicates: 6  # seeds of each arm; below 6 no difference can be called one"
        yield "metrics:  # EDIT: label, unit, digits, and which direction is better"
        for name in dict.fromkeys([metric, *reported]):
            label = name.replace("/", " ").replace("_", " ").capitalize()
            yield f"  {_shown(name)}: {{label: {_shown(label)}, better: {better}}}"
        direction = "maximize" if better == "higher" else "minimize"
        yield f"objective: {{metric: {_shown(metric)}, direction: {direction}}}"
        yield f"report: [{', '.join(map(_shown, reported))}]"
        if self.tuned:
            yield f"# tune: {self.name}-sweep.yaml  # tunes each arm before it is compared"

    def _metrics(self) -> tuple[str, str, list[str]]:
        """What decides, which direction of it is better, and what the table has."""
        names = [name for name in self.script.metrics if "epoch" not in name and "step" not in name]
        seen = [name for name in names if "test" not in name.lower()] or ["val/loss"]
        by_val = [name for name in seen if "val" in name.lower()] or seen
        metric = by_val[0]
        better = "higher" if re.search(r"acc|top|f1|auc|map|iou|score", metric.lower()) else "lower"
        kind = re.split(r"[/_]", metric)[-1]
        tests = [name for name in names if "test" in name.lower() and name.endswith(kind)]
        return metric, better, tests or [metric]

    @cached_property
    def _budget(self) -> Argument | None:
        """What counts the budget: epochs, where a script can be given steps as well."""
        every = [one for one in self.script.arguments if one.name in _BUDGETS]
        usable = [one for one in every if not (one.why or one.switch)]
        return min(usable, key=lambda one: _BUDGETS[one.name] != "epochs", default=None)

    @property
    def _unit(self) -> str:
        return _BUDGETS[self._budget.name] if self._budget else "epochs"

    @property
    def _amount(self) -> int:
        if self._budget is None:
            return 1
        amount = self._budget.default
        return amount if isinstance(amount, int) and amount > 0 else 10


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _level(key: str, value: Scalar) -> str:
    return _shown(f"{key} {_shown(value) if isinstance(value, bool) else value}")


def _shown(value: Scalar) -> str:
    """A value as YAML has it; a word in quotes where it would else be something else."""
    if isinstance(value, str):
        plain = _BARE.fullmatch(value) and scalar.guess(value) == value
        return value if plain and not scalar.ambiguous(value) else json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
