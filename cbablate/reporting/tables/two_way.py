"""`two_way_table`: a factorial of two factors as a cross: one down, the other across."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cbablate.analysis.outcome import Outcome
from cbablate.analysis.summary import Summary, metric_of
from cbablate.errors import CbablateError
from cbablate.fingerprint import fingerprint
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Cell, Spread, Text
from cbablate.reporting.model.column import Column, Row
from cbablate.reporting.model.table import Table
from cbablate.reporting.sentences.brief import brief, short_legend
from cbablate.reporting.sentences.note import legend, mark_note, marked
from cbablate.reporting.sentences.rule import DAGGER
from cbablate.reporting.tables.arms import headed, outcome_table

__all__ = ["shown_table", "two_way_table"]


@dataclass(frozen=True)
class _Panel:
    """What is shown of one metric: its head, and the cell of each arm by the arm's id."""

    head: str
    cells: dict[str, Cell]


def shown_table(found: Outcome) -> Table:
    """The table of a study in the layout that the study asks for."""
    if found.plan.study.typesetting.layout == "two_way":
        return two_way_table(found)
    return outcome_table(found)


def two_way_table(found: Outcome) -> Table:
    """The means of two factors' levels, crossed; the compared factor lies across.

    Above each other, a panel a trial metric. A mark says that an arm differs from the one that
    it is compared with. Numbers, notes and comments are those of the table of arms.

    Raises:
        CbablateError: the study is not a factorial of two factors.
    """
    plan, base = found.plan, outcome_table(found)
    factors = plan.study.factors
    if plan.study.design != "factorial" or len(factors) != 2:
        raise CbablateError(
            f"study '{plan.study.name}' has no table of two ways: it is not a factorial of two "
            "factors"
        )
    across = next((f for f in factors if f.name == plan.study.contrast), factors[1])
    down = next(f for f in factors if f is not across)
    by_levels = {tuple(arm.levels[f.name] for f in (down, across)): arm.id for arm in plan.arms}
    rows: list[Row] = []
    for number, panel in enumerate(_panels(found, base)):
        for index, level in enumerate(down.levels):
            arms = tuple(by_levels[level.name, other.name] for other in across.levels)
            names = Text("" if index else panel.head), Text(level.name)
            mark = fingerprint({"panel": panel.head, "arms": arms})
            cells = (*names, *(panel.cells[arm] for arm in arms))
            rows.append(Row(cells, opens=bool(number) and not index, mark=mark, arms=arms))
    numbers = (
        Column(level.name, "stack", over=headed(across.name), quantity="mean")
        for level in across.levels
    )
    heads = (Column("Metric", "text"), Column(headed(down.name), "text"), *numbers)
    table = replace(base, columns=heads, rows=tuple(rows))
    table = replace(table, brief=brief(plan, found.summary, found.tuned, crossed=True))
    return _noted(table, plan, found.summary)


def _panels(found: Outcome, base: Table) -> Iterator[_Panel]:
    """The columns of the table of arms that hold means, each as a panel."""
    for index, column in enumerate(base.columns):
        fixed = column.quantity == "fixed" and not column.label.startswith("Δ")
        if column.kind != "spread" or not (column.quantity == "mean" or fixed):
            continue
        marks = column.quantity == "mean" and column.metric == found.summary.primary
        cells: dict[str, Cell] = {}
        for row in base.rows:
            cell = row.cells[index]
            sure = marks and marked(found.summary.of[row.arm], column.metric)
            cells[row.arm] = (
                replace(cell, mark=DAGGER) if sure and isinstance(cell, Spread) else cell
            )
        yield _Panel(f"{column.label} {column.below}".strip(), cells)


def _noted(table: Table, plan: Plan, summary: Summary) -> Table:
    """The table with its notes about differences reworded, and what it does not show."""
    said = legend(plan, summary)
    crossed = mark_note(plan, summary)
    new = {one: crossed for one in said if one.startswith("Δ")}
    new |= zip(short_legend(plan, summary), short_legend(plan, summary, crossed=True), strict=True)

    def reworded(sentences: Sequence[str]) -> tuple[str, ...]:
        return tuple(new.get(one, one) for one in sentences)

    left_out = [
        metric_of(plan, name).label
        for name in dict.fromkeys(plan.study.report)
        if metric_of(plan, name).source == "timing"
    ]
    more = (f"Timed, and not shown in this layout: {', '.join(left_out)}.",) if left_out else ()
    return replace(
        table,
        notes=(*reworded(table.notes), *more),
        statement=reworded(table.statement),
        stated=reworded(table.stated),
    )
