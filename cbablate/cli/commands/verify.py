"""`cbablate verify`: whether the tables of a paper still say what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cbablate.cli.variant import planned_study, told_apart
from cbablate.cli.words import Json, Kept, ledger_folder, say, tell
from cbablate.errors import CbablateError, UsageError
from cbablate.phrases import counted, first_few, listed

if TYPE_CHECKING:
    from cbablate.planning.plan import Plan
    from cbablate.reporting.model.table import Table
    from cbablate.reporting.pages.agreement import Agreement, Disagreement
    from cbablate.reporting.pages.paper import PaperRow

__all__ = ["verify"]


@dataclass
class _Findings:
    """What does not hold, and what was looked at; said line by line, or in the end as JSON."""

    paper: Path
    as_json: bool
    faults: list[dict[str, Any]] = field(default_factory=list)
    studies: list[dict[str, Any]] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def fault(self, study: str, says: str, **known: Any) -> None:
        """Something does not hold."""
        places = {"file": str(self.paper), "line": None, "row": None, "column": None}
        words = {"printed": None, "now": None}
        self.faults.append({"study": study, **places, **words, **known, "says": says})
        self._line(says)

    def study(self, name: str, says: str, **counts: int) -> None:
        """A study was looked at."""
        self.studies.append({"study": name, **counts, "says": says})
        self._line(f"{name}: {says}")

    def ended(self) -> None:
        """All was looked at."""
        from cbablate.cli.json_shape import VERSION, printed

        if self.as_json:
            shape = {"shape": "verify", "version": VERSION, "paper": str(self.paper)}
            shape |= {"holds": not self.faults, "faults": self.faults, "studies": self.studies}
            say(printed(shape | {"unchecked": self.unchecked}))
        if self.faults:
            raise typer.Exit(3)

    def _line(self, text: str) -> None:
        if not self.as_json:
            say(text)


def verify(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY... [KEY=VALUE]... PAPER",
            help="Study files, what to change of each if anything, and at the end a paper (.tex), "
            "or a table as .md, .html or .csv.",
        ),
    ],
    results: Kept = None,
    as_json: Json = False,
) -> None:
    """Check what a paper prints against the ledger. Exit code 3 if anything does not hold."""
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.reporting.pages.paper import paper_rows

    if len(words) < 2:
        raise UsageError("verify takes one or more study files and, at the end, a paper")
    folder = ledger_folder(results)
    studies, overrides = told_apart(words[:-1])
    found = _Findings(Path(words[-1]), as_json)
    plans = [planned_study(path, overrides) for path in studies]
    if found.paper.suffix.lower() == ".csv":
        for plan in plans:
            _copied(plan, folder, found)
        found.ended()
        return
    rows = paper_rows(found.paper)
    known = set[str]()
    for plan in plans:
        tables = list(_tables(plan, folder, {row.study for row in rows}))
        known |= {table.name for table in tables}
        shown = outcome(*api.recorded(plan, folder)).plan  # of a study that tunes, its tuned arms
        for name in dict.fromkeys(table.name for table in tables):
            same = [table for table in tables if table.name == name]
            _checked(shown, same, [row for row in rows if row.study == name], found)
    found.unchecked = sorted({row.study for row in rows} - known)
    for name in found.unchecked:
        tell(f"{name}: not checked, for its study file was not given")
    found.ended()


def _tables(plan: Plan, folder: Path, named: set[str]) -> Iterator[Table]:
    """The tables of a study whose rows a paper may have; of its views, those that it names."""
    from cbablate import api
    from cbablate.reporting.tables.catalog import VIEWS

    yield api.table(plan, results=folder)
    if plan.study.typesetting.layout == "two_way":
        yield api.table(plan, results=folder, view="two_way")
    for view in VIEWS:
        if f"{plan.study.name}-{view}" in named:
            with suppress(CbablateError):  # the study does not tell that: no such row can be ours
                yield api.table(plan, results=folder, view=view)


def _copied(plan: Plan, folder: Path, found: _Findings) -> None:
    """What a file of raw numbers says otherwise than the ledger."""
    from cbablate.reporting.pages.csv_copy import altered
    from cbablate.reporting.tables.catalog import VIEWS

    name = plan.study.name
    lines = altered(_tables(plan, folder, {f"{name}-{view}" for view in VIEWS}), found.paper)
    for one in lines:
        found.fault(name, f"{found.paper}:{one}")
    said = f"{counted(len(lines), 'line')} not as the ledger has it" if lines else "all match"
    found.study(name, f"{found.paper}: {said}", faults=len(lines))


def _checked(plan: Plan, tables: list[Table], rows: list[PaperRow], found: _Findings) -> None:
    """What the paper says of a study's table; a row is one of whichever table has its key."""
    from cbablate.reporting.pages.paper import versions_in

    name, before = tables[0].name, len(found.faults)
    hidden = len({row.key for row in rows if not row.is_printed})
    commented = f"{counted(hidden, 'row')} {'is' if hidden == 1 else 'are'} commented out"
    rows = [row for row in rows if row.is_printed]
    if not rows:
        lacks = (
            f"prints no row of it: {commented}"
            if hidden
            else f"has no row of it ('% cbablate row {name} ...' marks one)"
        )
        found.fault(name, f"{name}: {found.paper} {lacks}")
        return
    known = {row.key: table for table in reversed(tables) for row in table.rows}
    compared = list(_compared(tables, rows, known))
    for fault in (fault for one in compared for fault in one.disagreements):
        place = {"file": str(fault.row.file), "line": fault.row.line, "row": fault.row.key}
        said = {"column": fault.column, "printed": fault.printed, "now": fault.now}
        found.fault(name, _told(plan, fault, known.get(fault.row.key)), **place, **said)
    _reworded(tables, name, found)
    numbers = sum(len(row.numbers) for row in rows)
    of = {id(table): table for row in rows for table in [known.get(row.key, tables[0])]}
    seen = {row.key for row in rows}  # a table in parts has each row several times
    every = [row for table in of.values() for row in table.rows if row.key]
    faults = len(found.faults) - before
    version = versions_in(found.paper).get(name, "")
    more = [
        *[commented] * bool(hidden),
        *_absent(compared, [(row.key, _called(plan, row.key, known)) for row in every], seen),
        *["there are new data since the table was written"] * (version not in ("", tables[0].data)),
    ]
    told = "; ".join([f"{faults} do not match" if faults else "all match", *more])
    counts = {"rows": len(seen), "of": len(every), "numbers": numbers, "faults": faults}
    found.study(
        name, f"{len(seen)} of {len(every)} rows, {numbers} numbers of tables: {told}", **counts
    )


def _compared(
    tables: Sequence[Table], rows: Sequence[PaperRow], known: dict[str, Table]
) -> Iterator[Agreement]:
    """Each table as it is printed, a part or a piece of a page."""
    from cbablate.reporting.pages.agreement import agreement

    for _, block in groupby(rows, key=lambda row: row.block):
        whose = list(block)
        for table in tables:
            ours = [row for row in whose if known.get(row.key, tables[0]) is table]
            if ours:
                yield agreement(table, ours)


def _absent(
    compared: Sequence[Agreement], rows: Sequence[tuple[str, str]], seen: set[str]
) -> Iterator[str]:
    """What the paper leaves out of the tables: columns that no part has, and rows."""
    every = [set(one.left_out) for one in compared]
    columns = [label for label in compared[0].left_out if all(label in one for one in every)]
    if columns:
        yield f"left out: {listed(columns)}"
    gone = [name for key, name in rows if key not in seen]
    if gone:
        yield f"not printed: {first_few(gone)}"


def _reworded(tables: Sequence[Table], name: str, found: _Findings) -> None:
    """Sentences of the caption and the notes that say something else."""
    from cbablate.reporting.pages.paper import prose_in, reader
    from cbablate.reporting.pages.printed_prose import reworded

    lines = prose_in(found.paper).get(name)
    if lines is None:
        tell(f"{name}: captions and notes not checked: no '% cbablate end {name}' ends them")
        return
    for one in reworded(tables, lines, reader(found.paper)):
        says = f'{found.paper}: {name}: the paper says "{one.printed}", the ledger "{one.now}"'
        found.fault(name, says, printed=one.printed, now=one.now)


def _called(plan: Plan, key: str, known: dict[str, Table]) -> str:
    """What a row is called: its arm, or the words that it begins with; "" if it is gone."""
    arm = next((arm for arm in plan.arms if arm.id.startswith(key)), None)
    if arm is not None:
        return arm.name
    if key not in known:
        return ""
    table = known[key]
    row = next(row for row in table.rows if row.key == key)
    words = [
        cell.plain
        for cell, column in zip(row.cells, table.columns, strict=True)
        if column.kind == "text" and cell.plain
    ]
    return words[-1] if words else key  # of two ways, the level that lies down


def _told(plan: Plan, one: Disagreement, table: Table | None) -> str:
    place = f"{one.row.file}:{one.row.line}: {one.row.study}"
    name = _called(plan, one.row.key, {one.row.key: table} if table is not None else {})
    if not name:
        return (
            f"{place}: {one.printed} is of row {one.row.key}, which is not an arm of the study any "
            "more"
        )
    where = f", {one.column}" if one.column else ""
    printed = f"prints {one.printed}" if one.printed else "prints no number there"
    now = f"the ledger says {one.now}" if one.now else "the ledger has no such number there"
    return f"{place}, {name}{where}: the paper {printed}, {now}"
