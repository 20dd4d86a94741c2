"""`Program`: a command that trains, resolved for one study, as plain data that travels."""

from __future__ import annotations

from dataclasses import dataclass, field

from cbablate.spec.own_workload import Reads

__all__ = ["Program", "ProgramFile"]


@dataclass(frozen=True)
class ProgramFile:
    """A file of code or data that a command uses: its path from the study's folder, its digest."""

    path: str
    digest: str


@dataclass(frozen=True)
class Program:
    """A command's words, where it runs, what it writes and the files that it is made of.

    `folder` is the study's, absolute. `words` hold `{key}` as written. `files` are digested as
    they were when the study was read.
    """

    words: tuple[str, ...]
    folder: str
    files: tuple[ProgramFile, ...] = ()
    reads: Reads = field(default_factory=Reads, hash=False)  # it has a mapping
    runs_in: str = "study"
