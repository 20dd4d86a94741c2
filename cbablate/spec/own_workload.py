"""`OwnWorkload`: a training of the user's own, as a study or a workload file says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cbablate.spec.metric import DeclaredMetric

__all__ = ["DataFolder", "OwnWorkload", "Reads", "WantedNeeds"]

Word = Annotated[str, Field(min_length=1)]


class WantedNeeds(BaseModel):
    """What a trial takes of the machines, as a file says it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    cpus: float = Field(default=1, ge=0, description="CPU cores of one trial.")
    gpus: float | None = Field(
        default=None,
        ge=0,
        description="GPUs of one trial: a share of one, such as 0.25, or whole ones. One where "
        "there are any if left out.",
    )
    memory_gb: float | None = Field(default=None, gt=0, description="Memory of one trial, in GB.")


class DataFolder(BaseModel):
    """Data that a trial reads, known by a version that the user states instead of its content."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    path: Word = Field(description="The file or folder, from the study's folder.")
    version: Word | None = Field(
        default=None,
        description="What its content goes by; with it the files are not read. Another version "
        "is other data.",
    )


class Reads(BaseModel):
    """Where a command leaves its numbers, if not in the file named by CBABLATE_REPORT.

    One of the sources; paths start in the trial's own folder and may hold `{workdir}` or `*`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    jsonl: Word | None = Field(default=None, description="A file with a JSON mapping a line.")
    json_file: Word | None = Field(
        default=None, alias="json", description="A JSON file: one mapping of metrics, or a list."
    )
    csv: Word | None = Field(default=None, description="A CSV file: a row for each measurement.")
    stdout: tuple[Word, ...] | None = Field(
        default=None,
        min_length=1,
        description="Regular expressions for lines of output, with named groups: `(?P<loss>...)`.",
    )
    tensorboard: Word | None = Field(default=None, description="A folder of event files.")
    mlflow: Word | None = Field(
        default=None, description="A folder or SQLite file that MLflow tracks into."
    )
    wandb: Word | None = Field(
        default=None, description="The folder of an offline run of Weights & Biases."
    )
    spent: Word | None = Field(
        default=None,
        description="Which of its numbers counts the budget that is spent: a column or a group. "
        "`spent`, `epoch` or `step` if left out; without any, each measurement is one more.",
    )
    counts_from: Literal[0, 1] = Field(
        default=1, description="0 where the program calls its first epoch 0."
    )
    names: Mapping[str, Word] = Field(
        default_factory=dict,
        description="What a number is called in the study, by what the program calls it.",
    )


class OwnWorkload(BaseModel):
    """A command or a function that trains, what belongs to its identity, and what it measures."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    command: tuple[Word, ...] | None = Field(
        default=None,
        min_length=1,
        description="A program and its words. `{key}` stands for a value of the config, "
        "`{seed}`, `{budget}` and `{workdir}` for the trial's; `{--*}` for `--key=value` of all "
        "keys, `{*}` for `key=value`. There is no shell.",
    )
    function: Word | None = Field(default=None, description="A Python function, module:function.")
    code: tuple[Word, ...] | None = Field(
        default=None,
        description="Files and folders of code that the command runs, from the study's folder; "
        "an edit of any trains anew. The words of the command that are files if left out.",
    )
    data: tuple[Word | DataFolder, ...] = Field(
        default=(), description="Files and folders of data, or such with a version of their own."
    )
    needs: WantedNeeds | None = Field(default=None, description="What a trial takes of a machine.")
    version: int | Word | None = Field(
        default=None,
        description="A version that you vouch for: as long as it stays, an edit of the code does "
        "not train anew, and the table says so.",
    )
    reads: Reads | None = Field(default=None, description="Where a command leaves its numbers.")
    runs_in: Literal["study", "trial"] = Field(
        default="study",
        description="The command's working directory: the study's folder, or the trial's own.",
    )
    metrics: Mapping[str, DeclaredMetric] = Field(
        default_factory=dict, description="What its metrics are, by name."
    )

    @model_validator(mode="after")
    def _one_way_to_run(self) -> OwnWorkload:
        if (self.command is None) == (self.function is None):
            raise ValueError("say either command or function, one of them")
        return self
