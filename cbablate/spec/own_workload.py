"""`OwnWorkload`: a training of the user's own, as a study or a workload file says it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cbablate.errors import UsageError
from cbablate.phrases import listed
from cbablate.spec.metric import DeclaredMetric
from cbablate.spec.needs import Needs

__all__ = ["SOURCES", "DataFolder", "OwnWorkload", "Reads", "WantedNeeds", "started"]

Word = Annotated[str, Field(min_length=1)]
SOURCES = ("jsonl", "json_file", "csv", "stdout", "tensorboard", "mlflow", "wandb")
"""The keys of `Reads` that name a place."""


class WantedNeeds(BaseModel):
    """What a trial takes of the machines, as a file says it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", title="Trial's needs")

    cpus: float = Field(default=1, ge=0, description="CPU cores of one trial.")
    gpus: float | None = Field(
        default=None,
        ge=0,
        description="GPUs of one trial: a share of one, such as 0.25, or whole ones. One where "
        "there are any if left out.",
        examples=[0.25],
    )
    memory_gb: float | None = Field(
        default=None, gt=0, description="Memory of one trial, in GB.", examples=[16.0]
    )

    @model_validator(mode="after")
    def _an_amount_there_is(self) -> WantedNeeds:
        try:
            _ = self.needs
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def needs(self) -> Needs:
        """The same, as executors reserve it."""
        memory = None if self.memory_gb is None else max(1, round(self.memory_gb * 1e9))
        return Needs(cpus=self.cpus, gpus=self.gpus, memory=memory)


class DataFolder(BaseModel):
    """Data that a trial reads, known by a version that the user states instead of its content."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", title="Data entry")

    path: Word = Field(
        description="The file or folder, from this file's folder.", examples=["../data/pets"]
    )
    version: Word | None = Field(
        default=None,
        description="What its content goes by; with it the files are not read. Another version "
        "is other data.",
        examples=["2024-05"],
    )


class Reads(BaseModel):
    """Where a command leaves its numbers, if not in the file named by CBABLATE_REPORT.

    One of the sources; paths start in the trial's own folder and may hold `{workdir}` or `*`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    jsonl: Word | None = Field(
        default=None, description="A file with a JSON mapping a line.", examples=["log.jsonl"]
    )
    json_file: Word | None = Field(
        default=None,
        alias="json",
        description="A JSON file: one mapping of metrics, or a list.",
        examples=["metrics.json"],
    )
    csv: Word | None = Field(
        default=None,
        description="A CSV file: a row for each measurement.",
        examples=["summary.csv"],
    )
    stdout: tuple[Word, ...] | None = Field(
        default=None,
        min_length=1,
        description="Regular expressions for lines of output, with named groups: `(?P<loss>...)`.",
        examples=[["loss (?P<loss>[0-9.]+)"]],
    )
    tensorboard: Word | None = Field(
        default=None, description="A folder of event files.", examples=["runs"]
    )
    mlflow: Word | None = Field(
        default=None,
        description="A folder or SQLite file that MLflow tracks into.",
        examples=["mlruns"],
    )
    wandb: Word | None = Field(
        default=None,
        description="The folder of an offline run of Weights & Biases.",
        examples=["wandb"],
    )
    spent: Word | None = Field(
        default=None,
        description="Which of its numbers counts the budget that is spent: a column or a group. "
        "`spent` or the budget's unit, `epoch` or `step`, if left out, and the step of TensorBoard "
        "and MLflow; without any, each measurement is one more.",
        examples=["epoch"],
    )
    counts_from: Literal[0, 1] = Field(
        default=1, description="0 where the program calls its first epoch 0."
    )
    names: Mapping[str, Word] = Field(
        default_factory=dict,
        description="What a number is called in the study, by what the program calls it.",
        examples=[{"acc": "test/acc"}],
    )

    @property
    def path(self) -> str:
        """The file or folder where a program must be told to write; "" if it finds it by itself."""
        return self.jsonl or self.json_file or self.csv or self.tensorboard or ""

    @model_validator(mode="after")
    def _one_name_a_number(self) -> Reads:
        called = Counter(self.names.values())
        for group in _groups(self.stdout or ()):
            called[self.names.get(group, group)] += group not in self.names
        twice = sorted(name for name, times in called.items() if times > 1)
        if twice:
            raise ValueError(f"names calls two numbers {listed(twice)}: one would hide the other")
        return self

    @model_validator(mode="after")
    def _groups_there_are(self) -> Reads:
        groups = _groups(self.stdout or ())
        missing = sorted({*self.names, *filter(None, [self.spent])} - groups)
        if self.stdout is not None and missing:
            raise ValueError(
                f"no pattern of stdout has a group {listed(missing, 'or')}: they have "
                f"{listed(sorted(groups))}"
            )
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Reads:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) > 1:
            keys = listed([name.removesuffix("_file") for name in given], "or")
            raise ValueError(f"numbers are read from one place: keep one of {keys}")
        return self

    @model_serializer(mode="wrap")
    def _dumped(self, usual: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_defaults(self, usual(self))


class OwnWorkload(BaseModel):
    """A command or a function that trains, what belongs to its identity, and what it measures.

    Paths start from the folder of the file that says it. What a trial takes of a machine and how
    its metrics are printed are no part of what is recorded of a study.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", title="Workload")

    command: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="A program and its words. `{key}` stands for a value of the config, "
        "`{seed}`, `{budget}`, `{workdir}`, `{checkpoint}` for the trial's, `{study}` for this "
        "file's folder; `{--no-norm}` for this word where the key is true, and none where "
        "it is false; `{--*}` for `--key=value` of all other keys, `{*}` for `key=value`. There "
        "is no shell.",
        examples=[["python", "train.py", "--lr", "{lr}", "--seed", "{seed}"]],
    )
    function: Word | None = Field(
        default=None,
        description="A Python function, module:function.",
        examples=["my_module:train"],
    )
    code: tuple[Word, ...] | None = Field(
        default=None,
        description="Files and folders of code that the command runs, from this file's folder; "
        "an edit of any trains anew. The words of the command that are files if left out.",
        examples=[["train.py", "mylib/"]],
    )
    data: tuple[Word | DataFolder, ...] = Field(
        default=(),
        description="Files and folders of data, or such with a version of their own.",
        examples=[["../data/pets"]],
    )
    needs: WantedNeeds | None = Field(
        default=None,
        exclude=True,
        description="What a trial takes of a machine.",
        examples=[{"gpus": 1, "cpus": 4}],
    )
    version: int | Word | None = Field(
        default=None,
        description="A version that you vouch for: as long as it stays, an edit of the code does "
        "not train anew, and the table says so.",
        examples=[3],
    )
    reads: Reads | None = Field(
        default=None,
        description="Where a command leaves its numbers.",
        examples=[{"json": "metrics.json"}],
    )
    runs_in: Literal["study", "trial"] = Field(
        default="study",
        description="The command's working directory: the study's folder, or the trial's own.",
    )
    metrics: Mapping[str, DeclaredMetric] = Field(
        default_factory=dict,
        exclude=True,
        description="What its metrics are, by name.",
        examples=[{"test/acc": {"label": "Accuracy", "better": "higher"}}],
    )

    @model_validator(mode="after")
    def _one_way_to_run(self) -> OwnWorkload:
        if (self.command is None) == (self.function is None):
            raise ValueError("say either command or function, one of them")
        return self

    @model_serializer(mode="wrap")
    def _dumped(self, usual: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_defaults(self, usual(self))

    def __str__(self) -> str:
        """Its name: the function, or what the command starts."""
        return self.function or started(self.command or ())


def _groups(patterns: Iterable[str]) -> set[str]:
    """The names of the groups of regular expressions.

    Raises:
        ValueError: one is none, or has no group with a name.
    """
    found: set[str] = set()
    for pattern in patterns:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        if not groups:
            raise ValueError(
                f"{pattern!r} has no group with a name, so it finds no number: `(?P<loss>[0-9.]+)`"
            )
        found |= groups.keys()
    return found


def started(words: Iterable[str]) -> str:
    """What the words start, for names and sentences: `python train.py`, `python -m pkg.train`.

    It ends before the first option and before the first word with a brace.
    """
    said: list[str] = []
    for word in words:
        module = word == "-m" or said[-1:] == ["-m"]
        if said and ((word.startswith("-") and not module) or "{" in word):
            break
        said.append(word)
    return " ".join(said)


def _without_defaults(model: BaseModel, dumped: dict[str, Any]) -> dict[str, Any]:
    """What was written of a model, so that a key that is added later changes no record."""
    usual = {
        name: field.get_default(call_default_factory=True)
        for name, field in type(model).model_fields.items()
    }
    return {
        name: value
        for name, value in dumped.items()
        if name not in usual or getattr(model, name) != usual[name]
    }
