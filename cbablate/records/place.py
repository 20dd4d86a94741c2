"""`Place`: where results are kept, and `results_folder`, which a person means by `--results`."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from cbablate.errors import UsageError
from cbablate.records.ledger import Facts, Follow, Ledger
from cbablate.records.logs import Logs
from cbablate.records.sqlite.ledger_file import LEDGER_FILE, LedgerFile
from cbablate.records.store import FolderStore, Store

__all__ = ["Place", "results_folder"]

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(/*)", re.ASCII)
_SECRETS = (
    re.compile(r"(://[^/@:]*:).*(?=@)", re.DOTALL),
    re.compile(r"^([^/@:]*:)[^/].*(?=@)", re.DOTALL),
    re.compile(r"((?:pass|secret|token|key)[^=&]*=)[^&]*", re.IGNORECASE),
)


def results_folder(results: str | Path) -> Path:
    """The folder, refused where the words are the address of something else.

    A folder whose name is like an address is named by its path, as `./s3:bucket`; as a `Path` that
    would lose its `./`, so the folder is absolute then.

    Raises:
        UsageError: results are kept in folders, and this is an address with a scheme.
    """
    words = str(results)
    found = _ADDRESS.match(words)
    if found is None:
        folder = Path(results)
        return folder.absolute() if _ADDRESS.match(str(folder)) else folder
    scheme, slashes = found.groups()
    rest = words[found.end() :]
    shown = f"{scheme}:{'//' if slashes else ''}{rest}"  # a path has lost one of the two
    for secret in _SECRETS:
        shown = secret.sub(r"\1***", shown)
    hint = f" Did you mean {slashes[:1]}{rest}?" if scheme.lower() == "file" else ""
    hint += "" if slashes else f" A folder of that name is ./{shown}."
    raise UsageError(
        f"results are kept in a folder, and {shown} is the address of something else.{hint} Give "
        "a folder of this machine to --results, and copy it afterwards to wherever you want it."
    )


@dataclass(frozen=True)
class Place:
    """Where results are kept: a folder, with its ledger, its checkpoints and its studies' tables.

    The ledger is one SQLite file, and checkpoints are files; nobody else need know that.
    """

    folder: Path

    @classmethod
    def at(cls, results: str | Path) -> Place:
        """The place that a person means by `--results`.

        Raises:
            EnvironmentFault: as `results_folder` says.
        """
        return cls(results_folder(results))

    def reading(self) -> AbstractContextManager[Facts]:
        """The ledger to read: see `Ledgers`."""
        return LedgerFile.reading(self.folder)

    def writing(self, follow: Follow | None = None) -> AbstractContextManager[Ledger]:
        """The ledger with the sole right to append: see `Ledgers`."""
        from cbablate.records.sqlite.ledger import SqliteLedger

        return SqliteLedger.writing(self.folder, follow)

    @property
    def checkpoints(self) -> Store:
        """What unfinished trials can go on from."""
        return FolderStore(self.folder / "checkpoints")

    def logs(self, tell: Callable[[str], None] = lambda sentence: None) -> Logs:
        """What trials' programs have printed; see `Logs` for `tell`."""
        return Logs(self.folder / "logs", tell=tell)

    @property
    def at_work(self) -> bool:
        """Whether a driver has the right to append, as far as this machine can tell."""
        from cbablate.records.sqlite.lock import held

        return held(self.folder / "lock")

    @property
    def ledger(self) -> Path:
        """Where the ledger lies, for a sentence."""
        return self.folder / LEDGER_FILE

    @property
    def has_ledger(self) -> bool:
        """Whether a ledger is here."""
        return self.ledger.is_file()

    @property
    def is_used(self) -> bool:
        """Whether a ledger is here, or what is left of a damaged one, or a file in its place."""
        stem = self.ledger.stem
        return any(self.folder.glob(f"{stem}*")) or (
            self.folder.exists() and not self.folder.is_dir()
        )

    def has_another_ledger(self, than: Place) -> bool:
        """Whether a ledger is here that is not the other place's, by whatever path."""
        try:
            return self.has_ledger and not self.ledger.samefile(than.ledger)
        except OSError:  # of another user, or on a mount that is gone
            return False
