"""Targets: what is fed with hostile files. Each may raise our own errors, and no others."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from cbablate import api
from cbablate.analysis.outcome import outcome
from cbablate.analysis.summary import summarize
from cbablate.analysis.trial_outcome import outcomes
from cbablate.errors import CbablateError
from cbablate.overviews import overview
from cbablate.planning.plan import Plan
from cbablate.records import fsck
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.reporting.figures.picture import pictures
from cbablate.reporting.model.table import Table
from cbablate.reporting.pages.agreement import disagreements
from cbablate.reporting.pages.difference import Side, difference, until
from cbablate.reporting.pages.explanation import explanation
from cbablate.reporting.pages.paper import paper_rows, prose_in, reader, versions_in
from cbablate.reporting.pages.printed_prose import reworded
from cbablate.reporting.pages.report import report
from cbablate.reporting.tables.arms import ablation_table
from cbablate.spec.loading.sweep_file import read_sweep
from cbablate.spec.loading.workload_file import read_workload
from cbablate.workloads.catalog import describe
from tests.analysis.fabrication import FROZEN, placement, told
from tests.fuzz import mutation

__all__ = ["TARGETS", "Target"]

ROOT = Path(__file__).parents[2]
LEDGERS = ROOT / "tests" / "ledgers" / "v0_1_0"


@dataclass(frozen=True)
class Target:
    """Content drawn from mutated real files, and what reads it in a folder of its own."""

    strategy: Callable[[], st.SearchStrategy[str] | st.SearchStrategy[bytes]]
    feed: Callable[[bytes, Path], None]


@cache
def _texts(*patterns: str) -> tuple[str, ...]:
    found = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    return tuple(path.read_bytes().decode("utf-8", "replace") for path in found)


def _study(content: bytes, folder: Path) -> None:
    (folder / "s.yaml").write_bytes(content)
    shutil.copy(ROOT / "sweeps" / "recipe-quick.yaml", folder / "sweep.yaml")
    api.plan(api.load_study(folder / "s.yaml"))


def _workload(content: bytes, folder: Path) -> None:
    """A workload file by itself, by a study that names it, and beside a study that has it all."""
    (folder / "mine.yaml").write_bytes(content)
    shared = folder / "shared"
    shutil.copytree(ROOT / "tests" / "bad_studies" / "workload" / "shared", shared)
    asking = (ROOT / "tests" / "bad_studies" / "workload" / "in_another_file.yaml").read_text()
    asking = asking.replace("shared/misspelt.yaml", "mine.yaml").replace("replicats: 3\n", "")
    (folder / "s.yaml").write_text(asking)
    for read in (
        lambda: read_workload(folder / "mine.yaml", describe),
        lambda: api.plan(api.load_study(folder / "s.yaml")),
    ):
        with contextlib.suppress(CbablateError):
            read()
    (folder / "mine.yaml").rename(folder / "t.yaml")
    api.plan(api.load_study(folder / "t.yaml"))


def _sweep(content: bytes, folder: Path) -> None:
    (folder / "s.yaml").write_bytes(content)
    read_sweep(folder / "s.yaml")


def _verify(content: bytes, folder: Path) -> None:
    (folder / "paper.tex").write_bytes(content)
    table = _table()
    versions_in(folder / "paper.tex")
    for row in paper_rows(folder / "paper.tex"):
        disagreements(table, row)
    for lines in prose_in(folder / "paper.tex").values():
        reworded([table], lines, reader(folder / "paper.tex"))


@cache
def _table() -> Table:
    """The table whose rows the golden papers have."""
    plan = placement(description=FROZEN)
    return ablation_table(plan, summarize(plan, told(plan)))


@cache
def _plan(name: str) -> Plan:
    return api.plan(api.load_study(LEDGERS / name / f"{name}.yaml"))


@cache
def _facts(name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(LEDGERS / name, Path(folder) / name)
        told = api.facts(Path(folder) / name)
    return json.dumps(
        [{"kind": one.kind, "subject": one.subject, "body": one.body, "at": one.at} for one in told]
    )


NAMES = ("factorial", "failing", "sequential", "tuned")


def _kept(content: bytes, folder: Path) -> Path:
    """A results folder of facts, each with a valid digest."""
    facts = [Record(**one) for one in json.loads(content)]
    with Place(folder / "r").writing() as ledger:
        ledger.append(*facts)
    return folder / "r"


def _read(use: Callable[[Plan, list[Record]], object]) -> Callable[[bytes, Path], None]:
    def feed(content: bytes, folder: Path) -> None:
        facts = list(api.facts(_kept(content, folder)))
        subjects = {fact.subject for fact in facts if fact.kind == "study"}
        for name in subjects & {*NAMES}:
            use(_plan(name), facts)

    return feed


def _compare(plan: Plan, facts: list[Record]) -> None:
    overview.planned(plan, facts)
    overview.standing(plan, facts)
    found = outcome(plan, facts)
    before = until(facts, str(len(facts) // 2))
    difference(Side("a", found.plan, facts), Side("b", outcome(plan, before).plan, before))
    explanation(plan, facts, "1:2")


def _page(plan: Plan, facts: list[Record]) -> None:
    """The report, its pictures made but not drawn: drawing one takes seconds."""
    found = outcome(plan, facts)
    pictures(found, outcomes(found.plan, facts))
    report(plan, facts, found=found, shown=())


def _fsck(content: bytes, folder: Path) -> None:
    results = folder / "r"
    results.mkdir()
    (results / "ledger.sqlite").write_bytes(content)
    fsck.examine(results)
    fsck.repair(results)
    assert fsck.examine(results).whole, "what was repaired is whole"
    api.facts(results)


def _ledgers() -> st.SearchStrategy[bytes]:
    return mutation.files([(LEDGERS / name / "ledger.sqlite").read_bytes() for name in NAMES])


_STUDIES = ("studies/*.yaml", "tests/bad_studies/*/*.yaml", "tests/ledgers/*/*/*.yaml")
_WORKLOADS = ("tests/bad_studies/workload/*.yaml", "tests/bad_studies/workload/shared/*.yaml")
_SWEEPS = ("sweeps/*.yaml", "tests/bad_studies/*/*.yaml")
_PAPERS = ("tests/golden/*.tex", "tests/golden/tables/*.tex")
TARGETS: dict[str, Target] = {
    "study": Target(lambda: mutation.texts(_texts(*_STUDIES)), _study),
    "workload": Target(lambda: mutation.texts(_texts(*_WORKLOADS)), _workload),
    "sweep": Target(lambda: mutation.texts(_texts(*_SWEEPS)), _sweep),
    "verify": Target(lambda: mutation.texts(_texts(*_PAPERS)), _verify),
    "diff": Target(lambda: mutation.facts([_facts(name) for name in NAMES]), _read(_compare)),
    "report": Target(lambda: mutation.facts([_facts(name) for name in NAMES]), _read(_page)),
    "fsck": Target(_ledgers, _fsck),
}
