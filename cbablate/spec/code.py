"""`Code`: the code of a user's own workload, as its files were when the study was read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cbablate.fingerprint import fingerprint

__all__ = ["Code", "Distribution", "Module", "ProgramFile"]


@dataclass(frozen=True)
class Module:
    """One module of the user's.

    `digest` is that of its syntax tree, or of its bytes where it has none; "" for a namespace
    package, which has no file. `locations` are the folders of a package, None for a module that
    is none. `text` is the file's content; None where there is none to send: a namespace package,
    an extension, or more code than travels with a trial.
    """

    name: str
    path: str
    digest: str
    locations: tuple[str, ...] | None = None
    text: bytes | None = None


@dataclass(frozen=True)
class Distribution:
    """An installed distribution: its name, its version and the digest of what was installed."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class ProgramFile:
    """A file or folder that a workload uses: its path from the workload's folder, its digest.

    `name` is what it is known by where its path is no part of its identity: the module that is
    imported from elsewhere.
    """

    path: str
    digest: str
    name: str = ""


@dataclass(frozen=True)
class Code:
    """Everything of the user's that a workload runs: what its `module` imports, and that in turn.

    `folder` is the study's, from which modules are imported. Paths are where the files were, for
    messages and tracebacks; they are not part of the digest, since a folder may move. `data` is
    what it declares to read, and another part of a trial's identity.
    """

    module: str
    folder: str
    modules: tuple[Module, ...]
    distributions: tuple[Distribution, ...] = ()
    data: tuple[ProgramFile, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Twenty digits: equal where the same code runs."""
        return fingerprint(
            {
                "modules": {one.name: one.digest for one in self.modules if one.digest},
                "distributions": {
                    one.name: [one.version, one.digest] for one in self.distributions
                },
            }
        )

    @property
    def file(self) -> str:
        """The name of the workload's own file, for sentences."""
        own = next((one for one in self.modules if one.name == self.module), None)
        return own.path.replace("\\", "/").rpartition("/")[2] if own and own.path else self.module
