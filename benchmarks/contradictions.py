"""Random studies whose printed tables are read as a reader does: no part contradicts another.

    python -m benchmarks.contradictions [--studies 2000]

Marks, bold faces, p values, intervals and sentences are taken from the table as it is printed,
under every kind of analysis, with shifts, ties, constants, missing seeds, margins, either
direction. Counts what is broken, and how often the intervals of a table that are said to hold
together all do.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbablate.analysis.summary import Summary, summarize
from cbablate.planning.plan import Plan, plan
from cbablate.records.facts import Ended, Measured, Started
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.reporting.model.cell import Range, Spread
from cbablate.reporting.model.table import Table
from cbablate.reporting.tables.arms import ablation_table
from cbablate.spec.analysis import Analysis
from cbablate.spec.budget import Budget
from cbablate.spec.factor import Factor, Level
from cbablate.spec.metric import Objective
from cbablate.spec.study import Study
from cbablate.statistics.power import ALPHA
from cbablate.workloads.catalog import describe

__all__ = ["Drawn", "contradictions", "drawn", "misses"]

METRIC = "test/score"
SURE = ("helps", "hurts", "differs")
ANALYSES: tuple[Mapping[str, str], ...] = (
    *({}, {}, {}, {}, {"correction": "holm"}, {"correction": "dunnett"}, {"intervals": "single"}),
    *({"interval": "bca"}, {"test": "sign_flip"}),
)


@dataclass(frozen=True)
class Drawn:
    """A study, its facts, and the true difference of each compared arm from the baseline."""

    plan: Plan
    facts: list[Record]
    true: Mapping[str, float]

    @property
    def summary(self) -> Summary:
        """What the product makes of it."""
        return summarize(self.plan, self.facts)


def drawn(seed: int) -> Drawn:
    """One random study."""
    draw = random.Random(seed)
    how = draw.choice(ANALYSES)
    n = draw.choice((3, 6, 8, 10, 15))
    if "interval" in how or "test" in how:
        n = draw.choice((10, 12, 15))
    most = 3 if "test" in how else 8
    planned = _plan(draw.randint(1, most), n, analysis=Analysis.model_validate(how), draw=draw)
    spread, shared = 10 ** draw.uniform(-1, 1), draw.random()
    whole, missing = draw.random() < 0.15, draw.choice((0.0, 0.0, 0.1, 0.25))
    of_seed = [draw.gauss(0, shared) for _ in range(n)]
    shifts: dict[str, float] = {}
    facts: list[Record] = []
    for arm in planned.arms:
        shift = draw.choice((0.0, 0.0, 1.0, -1.0)) * draw.expovariate(0.7) * spread
        shifts[arm.id] = shift if arm.against else 0.0
        own = draw.choice((0.0, 1.0, 1.0, 1.0, 2.0)) * spread
        gone = draw.random() < 0.05  # an arm whose seeds nobody shares
        for trial in (one for one in planned.trials if one.arm == arm.id):
            value = 50 + shifts[arm.id] + spread * of_seed[trial.replicate] + draw.gauss(0, own)
            if draw.random() >= missing and not (gone and trial.replicate % 2):
                facts += _told(trial.id, trial.budget.amount, round(value) if whole else value)
    true = {arm: shift for arm, shift in shifts.items() if planned.arm_of[arm].against}
    return Drawn(planned, facts, {} if whole else true)


def contradictions(one: Drawn) -> Iterator[str]:
    """Each rule that the printed table of a study breaks."""
    summary = one.summary
    table = ablation_table(one.plan, summary)
    rows = [*_rows(table)]
    margin = one.plan.study.margin
    sign = 1 if one.plan.study.objective.direction == "maximize" else -1
    words = [row.word for row in rows]
    findings = any("Findings on" in note for note in table.notes)
    none = any("none differs" in note for note in table.notes)
    yield from _if("none differs beside a claim", none and any(word in SURE for word in words))
    bold = [row.bold for row in rows]
    yield from _if("bold beside none differs", any(bold) and (none or not findings))
    yield from _if("bold on more than half of the rows", 2 * sum(bold) > len(bold))
    joint = one.plan.study.analysis.joint and one.plan.study.analysis.test == "t"
    for row in rows[1:]:
        sure = row.word in SURE
        yield from _if("mark without a claim, or a claim without one", ("†" in row.mark) != sure)
        yield from _if("bold on what hurts or has too few", row.bold and row.word in _NOT_BOLD)
        yield from _if("bold on what an interval calls worse", _bold_below(rows[0], row, sign))
        yield from _intervals(row, joint=joint)
        if row.word in ("helps", "hurts"):
            better = sign * (row.centre or 0.0)
            other = (row.word == "helps") != (better > 0)
            yield from _if("helps or hurts against the difference", other)
            apart = sign * ((row.mean or 0.0) - (rows[0].mean or 0.0))
            yield from _if("a claim against the means", apart * better < 0)
        if row.word == "no" and row.said is not None and margin is not None:
            beyond = max(map(abs, row.said)) > margin * 1.01
            yield from _if("equivalence beyond its margin", beyond)


def _bold_below(base: _Printed, row: _Printed, sign: int) -> bool:
    """Whether the worse of an arm and its baseline, by the printed interval, is bold."""
    low, high = sorted(sign * (end or 0.0) for end in row.interval)
    return (row.bold and high < 0) or (base.bold and low > 0)


def _intervals(row: _Printed, *, joint: bool) -> Iterator[str]:
    """What a row says beside its interval."""
    low, high = row.interval
    if low is None or high is None:
        yield from _if("a claim without an interval", row.word in SURE)
        return
    apart, within = low > 0 or high < 0, low < 0 < high
    sure = row.word in SURE
    yield from _if("undecided beside an interval without 0", row.word == "undecided" and apart)
    yield from _if("a claim beside an interval with 0 in it", sure and within)
    yield from _if("a mark beside a large p", sure and not row.p < ALPHA)
    if joint and row.word != "too few":
        yield from _if("p below 0.05 beside an interval with 0", row.p < ALPHA and within)
        yield from _if("p above 0.05 beside an interval without 0", row.p >= ALPHA and apart)


_NOT_BOLD = ("hurts", "too few")


def _if(rule: str, broken: bool) -> Iterator[str]:
    if broken:
        yield rule


def misses(one: Drawn) -> bool | None:
    """Whether any interval of a table that hold together misses; None of other tables."""
    if not one.true or not one.plan.study.analysis.joint:
        return None
    found = [(arm.contrasts[METRIC], one.true[arm.arm.id]) for arm in one.summary.arms[1:]]
    ends = [(said.low, shift, said.high) for said, shift in found]
    return any(
        low is not None and high is not None and not low <= true <= high for low, true, high in ends
    )


@dataclass(frozen=True)
class _Printed:
    """A row as a reader sees it."""

    mean: float | None
    bold: bool
    centre: float | None
    interval: tuple[float | None, float | None]
    mark: str
    p: float
    word: str
    said: tuple[float, float] | None


def _rows(table: Table) -> Iterator[_Printed]:
    labels = [column.label for column in table.columns]
    mean, delta, p = (
        next(i for i, label in enumerate(labels) if label == name or name == "")
        for name in (labels[1], "Δ", "p")
    )
    for row in table.rows:
        name, found, difference = row.cells[0].plain, row.cells[mean], row.cells[delta]
        word, numbers = _finding(table, name)
        ends = re.search(r"(\S+) to (\S+)$", numbers)
        yield _Printed(
            _number(found.centre.plain) if isinstance(found, Spread) else None,
            isinstance(found, Spread) and found.best,
            _number(difference.centre.plain) if isinstance(difference, Spread | Range) else None,
            _interval(difference),
            difference.mark if isinstance(difference, Spread | Range) else "",
            _p(row.cells[p].plain),
            word,
            (_number(ends[1]) or 0.0, _number(ends[2]) or 0.0) if ends else None,
        )


def _finding(table: Table, arm: str) -> tuple[str, str]:
    """The word that the notes say of an arm, and the numbers behind its name."""
    start = next((i for i, note in enumerate(table.notes) if note.startswith("Findings on")), None)
    for note in table.notes[start + 1 :] if start is not None else ():
        head, _, arms = note.partition(": ")
        named = re.search(rf"(?:^|[,;] ){re.escape(arm)}(?: \(([^)]*)\))?(?=[,;.])", arms)
        if named:
            word = "too few" if head.startswith("Too few") else re.split(r"[ ,]", head.lower())[0]
            return word, named[1] or ""
    return "", ""


def _interval(cell: Any) -> tuple[float | None, float | None]:
    if isinstance(cell, Range):
        return _number(cell.low.plain), _number(cell.high.plain)
    if not isinstance(cell, Spread) or cell.half is None:
        return None, None
    centre, half = _number(cell.centre.plain) or 0.0, _number(cell.half.plain) or 0.0
    if abs(abs(centre) - half) < 1.5 * 10.0**-cell.half.decimals:
        return (0.0, centre + half) if centre > 0 else (centre - half, 0.0)  # to rounding
    return centre - half, centre + half


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "").replace("\u2212", "-"))
    except ValueError:
        return None


def _p(text: str) -> float:
    value = _number(text.lstrip("<"))
    return 1.0 if value is None else value - 1e-9 if text.startswith("<") else value


def _plan(arms: int, replicates: int, *, analysis: Analysis, draw: random.Random) -> Plan:
    levels = [Level(name=f"arm {i}", changes={"ceiling": 1.0 + i}) for i in range(1, arms + 1)]
    study = Study(
        name="drawn",
        question="Which?",
        workload="toy",
        baseline={},
        factors=(Factor(name="ceiling", levels=(Level(name="baseline"), *levels)),),
        design="one_at_a_time",
        budget=Budget(epochs=1),
        replicates=replicates,
        analysis=analysis,
        margin=draw.choice((None, None, 0.5, 2.0)),
        objective=Objective(metric=METRIC, direction=draw.choice(("maximize", "minimize"))),
        report=(METRIC,),
    )
    return plan(study, describe("toy", Path()))


def _told(trial: str, amount: int, value: float) -> Iterator[Record]:
    measured = Measurement(amount, {METRIC: value})
    for fact in (Started(1, "drawn"), Measured(measured), Ended("complete")):
        yield fact.record(trial, 1e9)


def main() -> int:
    """Draw so many studies, count what is broken and what is covered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2_000)
    studies = parser.parse_args().studies
    broken: Counter[str] = Counter()
    covered: Counter[bool] = Counter()
    for seed in range(studies):
        one = drawn(seed)
        for rule in set(contradictions(one)):
            broken[rule] += 1
            print(f"study {seed}: {rule}", file=sys.stderr)
        missed = misses(one)
        if missed is not None:
            covered[missed] += 1
    print(f"{studies:,} studies, {sum(broken.values())} contradictions")
    for rule, count in broken.most_common():
        print(f"  {count:4}  {rule}")
    tables = sum(covered.values())
    share = 100 * covered[False] / max(tables, 1)
    print(f"all intervals hold in {share:.1f} % of {tables:,} tables")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
