"""`Room`: what cbablate keeps in a trial's folder beside what its program writes there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Room"]


@dataclass(frozen=True)
class Room:
    """The hidden folder in a trial's working directory, and what lies in it."""

    workdir: Path

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return self.workdir / ".cbablate"

    @property
    def output(self) -> Path:
        """The folder of what the program prints."""
        return self.folder / "output"

    def streams(self) -> tuple[Path, Path]:
        """The folders of what it prints to stdout and to stderr, each by itself; they are made."""
        out, err = self.folder / "stdout", self.folder / "stderr"
        for each in (out, err):
            each.mkdir(parents=True, exist_ok=True)
        return out, err

    @property
    def report(self) -> Path:
        """The file that the program may report in: CBABLATE_REPORT."""
        return self.folder / "report.jsonl"

    @property
    def ran(self) -> Path:
        """The file of what Python programs run: CBABLATE_WITNESS."""
        return self.folder / "ran"

    @property
    def checkpoint(self) -> Path:
        """The folder that the program may keep its checkpoint in: CBABLATE_CHECKPOINT."""
        return self.folder / "checkpoint"

    def name(self, trial: str) -> None:
        """Write down whose room it is, for who looks for a trial that runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "trial").write_text(trial, encoding="utf-8")

    @property
    def trial(self) -> str:
        """The id of the trial whose room it is; empty where it has none."""
        try:
            return (self.folder / "trial").read_text(encoding="utf-8")
        except OSError:
            return ""

    def made(self) -> Room:
        """The same, with all folders."""
        for each in (self.output, self.checkpoint):
            each.mkdir(parents=True, exist_ok=True)
        return self
