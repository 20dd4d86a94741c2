"""Programs for tests: shell and Python scripts, run as the workload of a trial."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cbablate.errors import TrialFailure
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.spec.own_workload import OwnWorkload, Reads
from cbablate.spec.program import Program
from cbablate.workloads.catalog import describe
from cbablate.workloads.commands.run import run


def script(folder: Path, text: str, name: str = "train.sh") -> Program:
    """A script in a folder as a program, by what runs files of its kind."""
    (folder / name).write_text(text, encoding="utf-8")
    return described(folder, "python" if name.endswith(".py") else "sh", name)


def described(folder: Path, *words: str, code: tuple[str, ...] | None = (), **said: Any) -> Program:
    """A command as a program, with its files as they are now."""
    found = describe(OwnWorkload(command=words, code=code, **said), folder).program
    assert found is not None
    return found


@dataclass
class Told:
    """What a trial told, and how it failed, if it did."""

    measurements: list[Measurement] = field(default_factory=list)
    failure: TrialFailure | None = None

    @property
    def sentence(self) -> str:
        return str(self.failure)

    @property
    def numbers(self) -> list[tuple[int, dict[str, float]]]:
        return [(each.spent, dict(each.metrics)) for each in self.measurements]


def told(
    program: Program,
    workdir: Path,
    *,
    epochs: int = 3,
    seed: int = 1,
    config: Mapping[str, Any] | None = None,
) -> Told:
    """What comes of a program that runs to its end."""
    workdir.mkdir(exist_ok=True)
    found = Told()
    stream = run(
        config or {}, seed=seed, budget=Budget(epochs=epochs), workdir=workdir, program=program
    )
    try:
        found.measurements.extend(stream)
    except TrialFailure as failure:
        found.failure = failure
    return found


def from_a(program: Program, **reads: Any) -> Program:
    """The program, read from what it writes."""
    return replace(program, reads=Reads.model_validate(reads))


def living(mark: str) -> Iterator[int]:
    """The processes whose command lines or variables hold a word of the test's."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            text = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
            dead = b"State:\tZ" in (path / "status").read_bytes()
        except OSError:
            continue
        if mark.encode() in text and not dead and int(path.name) != os.getpid():
            yield int(path.name)
