"""`cbablate verify`: whether the tables of a paper still say what the ledger says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbablate.cli.words import Kept, ledger_folder, say, tell
from cbablate.errors import CbablateError
from cbablate.phrases import counted

if TYPE_CHECKING:
    from cbablate.planning.plan import Plan
    from cbablate.reporting.model.table import Table
    from cbablate.reporting.pages.paper import Disagreement, PaperRow

__all__ = ["verify"]


def verify(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="STUDY... PAPER.tex", help="Study files, and at the end a paper."),
    ],
    results: Kept = None,
) -> None:
    """Check which numbers of a paper no longer match the ledger. Exit code 3 if there are any."""
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.reporting.pages.paper import paper_rows, versions_in

    if len(files) < 2:
        raise CbablateError("verify takes one or more study files and, at the end, a paper")
    folder = ledger_folder(results)
    *studies, paper = files
    rows, versions = paper_rows(paper), versions_in(paper)
    faults, known = 0, set[str]()
    for path in studies:
        plan = api.plan(api.load_study(path))
        known.add(plan.study.name)
        tables = [api.table(plan, results=folder)]
        if plan.study.typesetting.layout == "two_way":
            tables.append(api.table(plan, results=folder, view="two_way"))
        ours = [row for row in rows if row.study == plan.study.name]
        shown = outcome(*api.recorded(plan, folder)).plan  # of a study that tunes, its tuned arms
        faults += _checked(shown, tables, ours, paper, versions.get(plan.study.name, ""))
    for name in sorted({row.study for row in rows} - known):
        tell(f"{name}: not checked, for its study file was not given")
    if faults:
        raise typer.Exit(3)


def _checked(
    plan: Plan, tables: list[Table], rows: list[PaperRow], paper: Path, version: str
) -> int:
    """What the paper says of one study; how many numbers of it do not hold.

    A row is one of whichever table has its key.
    """
    from cbablate.reporting.pages.paper import disagreements

    name = plan.study.name
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
    found = [one for row in rows for one in disagreements(known.get(row.key, tables[0]), row)]
    for one in found:
        say(_told(plan, one, known.get(one.row.key)))
    numbers = sum(len(row.numbers) for row in rows)
    data = (
        ""
        if version in ("", tables[0].data)
        else "; there are new data since the table was written"
    )
    said = f"{len(found)} do not match" if found else "all match"
    of = {id(table): len(table.rows) for row in rows for table in [known.get(row.key, tables[0])]}
    seen = len({row.key for row in rows})  # a table in parts has each row several times
    left = f"; {commented}" if hidden else ""
    say(f"{name}: {seen} of {sum(of.values())} rows, {numbers} numbers: {said}{left}{data}")
    return len(found)


def _told(plan: Plan, one: Disagreement, table: Table | None) -> str:
    arm = next((arm for arm in plan.arms if arm.id.startswith(one.row.key)), None)
    place = f"{one.row.file}:{one.row.line}: {one.row.study}"
    name = arm.name if arm else ""
    if table is not None and arm is None:
        row = next(row for row in table.rows if row.key == one.row.key)
        name = row.cells[1].plain  # of the two ways, the level that lies down
    if not name:
        return (
            f"{place}: {one.printed} is of row {one.row.key}, which is not an arm of the study any "
            "more"
        )
    where = f", {one.column}" if one.column else ""
    now = f"the ledger says {one.now}" if one.now else "the ledger has no such number there"
    return f"{place}, {name}{where}: the paper prints {one.printed}, {now}"
