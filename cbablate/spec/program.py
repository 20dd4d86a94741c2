"""`Program`: a command that trains, resolved for one study, as plain data that travels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from cbablate.fingerprint import fingerprint
from cbablate.spec.code import Distribution, ProgramFile
from cbablate.spec.own_workload import Reads, started

__all__ = ["Program", "ProgramFile"]


@dataclass(frozen=True)
class Program:
    """A command's words, where it runs, what it writes and what it is made of.

    `folder` is that of the file which says the command, absolute: the study's, or a workload
    file's. `words` hold `{key}` as written. `files` are its code and `data` what it reads, digested
    as they were when the study was read; data that goes by a stated version is not among them.
    Where the code is not `declared`, files that words name are it.

    `chosen` are files that values of some config name, which belong to the arms with these values;
    `besides` are the paths of all declared data.
    """

    words: tuple[str, ...]
    folder: str
    files: tuple[ProgramFile, ...] = ()
    reads: Reads = field(default_factory=Reads, hash=False)
    runs_in: str = "study"
    data: tuple[ProgramFile, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    declared: bool = True
    chosen: tuple[ProgramFile, ...] = ()
    besides: tuple[str, ...] = ()

    @cached_property
    def call(self) -> str:
        """Twenty digits over how it is started and read."""
        said = self.reads.model_dump(mode="json")
        return fingerprint({"words": self.words, "reads": said, "runs_in": self.runs_in})

    @cached_property
    def digest(self) -> str:
        """Twenty digits: equal where the same command runs the same code."""
        return fingerprint(
            {
                "call": self.call,
                "files": {one.name or one.path: one.digest for one in self.files},
                "distributions": {
                    one.name: [one.version, one.digest] for one in self.distributions
                },
            }
        )

    @property
    def file(self) -> str:
        """The name of the script that it runs, for sentences; else what it starts."""
        words = (word.rpartition("/")[2] for word in self.words)
        names = {one.path.rpartition("/")[2] for one in self.files}
        return next((word for word in words if word in names), started(self.words))
