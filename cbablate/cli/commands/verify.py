"""`cbablate verify`: whether the tables of a paper still say what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbablate.cli.words import Kept, ledger_folder, say, tell
from cbablate.errors import CbablateError
from cbablate.phrases import counted, first_few, listed

if TYPE_CHECKING:
    from cbablate.planning.plan import Plan
    from cbablate.reporting.model.table import Table
    from cbablate.reporting.pages.agreement import Agreement, Disagreement
    from cbablate.reporting.pages.paper import PaperRow

__all__ = ["verify"]


def verify(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="STUDY... PAPER",
            help="Study files, and at the end a paper (.tex), or a table as .md, .html or .csv.",
        ),
    ],
    results: Kept = None,
) -> None:
    """Check what a paper prints against the ledger. Exit code 3 if anything does not hold."""
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.reporting.pages.paper import paper_rows

    if len(files) < 2:
        raise CbablateError("verify takes one or more study files and, at the end, a paper")
    folder = ledger_folder(results)
    *studies, paper = files
    plans = [api.plan(api.load_study(path)) for path in studies]
    if paper.suffix.lower() == ".csv":
        faults = sum(_copied(plan, folder, paper) for plan in plans)
        raise typer.Exit(3 if faults else 0)
    rows = paper_rows(paper)
    faults, known = 0, set[str]()
    for plan in plans:
        tables = list(_tables(plan, folder, {row.study for row in rows}))
        known |= {table.name for table in tables}
        shown = outcome(*api.recorded(plan, folder)).plan  # of a study that tunes, its tuned arms
        for name in dict.fromkeys(table.name for table in tables):
            same = [table for table in tables if table.name == name]
            faults += _checked(shown, same, [row for row in rows if row.study == name], paper)
    for name in sorted({row.study for row in rows} - known):
        tell(f"{name}: not checked, for its study file was not given")
    if faults:
        raise typer.Exit(3)


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


def _copied(plan: Plan, folder: Path, paper: Path) -> int:
    """What a file of raw numbers says otherwise than the ledger; how many lines do."""
    from cbablate.reporting.pages.csv_copy import altered
    from cbablate.reporting.tables.catalog import VIEWS

    name = plan.study.name
    found = altered(_tables(plan, folder, {f"{name}-{view}" for view in VIEWS}), paper)
    for one in found:
        say(f"{paper}:{one}")
    said = f"{counted(len(found), 'line')} not as the ledger has it" if found else "all match"
    say(f"{name}: {paper}: {said}")
    return len(found)


def _checked(plan: Plan, tables: list[Table], rows: list[PaperRow], paper: Path) -> int:
    """What the paper says of a study's table; how many things of it do not hold.

    A row is one of whichever table has its key.
    """
    from cbablate.reporting.pages.paper import versions_in

    name = tables[0].name
    hidden = len({row.key for row in rows if not row.is_printed})
    commented = f"{counted(hidden, 'row')} {'is' if hidden == 1 else 'are'} commented out"
    rows = [row for row in rows if row.is_printed]
    if not rows:
        say(
            f"{name}: {paper} prints no row of it: {commented}"
            if hidden
            else f"{name}: {paper} has no row of it ('% cbablate row {name} ...' marks one)"
        )
        return 1
    known = {row.key: table for table in reversed(tables) for row in table.rows}
    compared = list(_compared(tables, rows, known))
    found = [fault for one in compared for fault in one.disagreements]
    for fault in found:
        say(_told(plan, fault, known.get(fault.row.key)))
    changed = _reworded(tables, name, paper)
    numbers = sum(len(row.numbers) for row in rows)
    of = {id(table): table for row in rows for table in [known.get(row.key, tables[0])]}
    seen = {row.key for row in rows}  # a table in parts has each row several times
    every = [row for table in of.values() for row in table.rows if row.key]
    faults = len(found) + changed
    said = f"{faults} do not match" if faults else "all match"
    version = versions_in(paper).get(name, "")
    more = [
        *[commented] * bool(hidden),
        *_absent(compared, [(row.key, _called(plan, row.key, known)) for row in every], seen),
        *["there are new data since the table was written"] * (version not in ("", tables[0].data)),
    ]
    say(f"{name}: {len(seen)} of {len(every)} rows, {numbers} numbers: {'; '.join([said, *more])}")
    return faults


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


def _reworded(tables: Sequence[Table], name: str, paper: Path) -> int:
    """Sentences of the caption and the notes that say something else; how many."""
    from cbablate.reporting.pages.paper import prose_in, reader
    from cbablate.reporting.pages.printed_prose import reworded

    lines = prose_in(paper).get(name)
    if lines is None:
        tell(f"{name}: captions and notes not checked: no '% cbablate end {name}' ends them")
        return 0
    found = reworded(tables, lines, reader(paper))
    for one in found:
        say(f'{paper}: {name}: the paper says "{one.printed}", the ledger "{one.now}"')
    return len(found)


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
