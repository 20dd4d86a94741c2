"""Summaries of arms as MLflow is to show them: one run an arm, which MLflow cannot compute itself.

Each number is a metric: of a metric `m` the mean over complete trials is `m/mean`, its 95 %
interval `m/low` to `m/high`, and so on, called as the columns of the table's CSV are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from cbablate.analysis.outcome import Outcome
from cbablate.analysis.summary import ArmSummary, Summary
from cbablate.fingerprint import fingerprint
from cbablate.mirrors.mlflow_entry import MetricPoint, MlflowRun
from cbablate.mirrors.mlflow_spelling import MlflowText, key_of
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.records.book import Book
from cbablate.spec.loading.changes import flatten

__all__ = ["summary_entries"]


@dataclass(frozen=True)
class _Row:
    """An arm's summary, the arm as planned, and at which hyperparameters it was trained.

    `word` is `fixed` or `tuned` in a study that tunes, else "".
    """

    one: ArmSummary
    of: Summary
    planned: Arm
    word: str

    @property
    def key(self) -> str:
        """What stays the same, however its numbers grow and whatever a search finds."""
        return f"{self.planned.id} {self.word}".strip()

    @property
    def name(self) -> str:
        return f"{self.planned.name} ({self.word})" if self.word else self.planned.name

    @property
    def against(self) -> str:
        """The name of the arm that it is compared with; "" for a reference."""
        found = (one.arm.name for one in self.of.arms if one.arm.id == self.one.arm.against)
        return next(found, "")


def summary_entries(found: Outcome, both: Plan, book: Book, *, ledger: str) -> list[MlflowRun]:
    """An entry for each arm that has a complete trial; of tuned arms one as written, one as tuned.

    `both` is the plan as written with the confirmations, by which trials are named.
    """
    rows = [row for row in _rows(found) if row.one.counts.complete]
    # Later facts have a later moment, even where the clock was set back.
    at = round(book.latest * 1000) + book.count
    return [_entry(found.plan, both, row, place, at, ledger) for place, row in enumerate(rows)]


def _rows(found: Outcome) -> Iterator[_Row]:
    summary, tuned = found.summary, found.tuned
    if tuned is None:
        for one in summary.arms:
            yield _Row(one, summary, one.arm, "")
    elif tuned.fixed is None:  # the rows are the one arm, fixed and tuned, and called so
        for one in summary.arms:
            yield _Row(one, summary, tuned.plan.arms[0], one.arm.name)
    else:
        for written, one in zip(tuned.fixed.arms, summary.arms, strict=True):
            yield _Row(written, tuned.fixed, written.arm, "fixed")
            yield _Row(one, summary, written.arm, "tuned")


def _entry(plan: Plan, both: Plan, row: _Row, place: int, at: int, ledger: str) -> MlflowRun:
    one, spelling = row.one, MlflowText()
    study, several = plan.study, row.word == "tuned" and plan.searches > 1
    varied = study.tune.space if several and study.tune else ()
    params = dict(
        spelling.param(key, value) for key, value in flatten(one.arm.config) if key not in varied
    )
    names = {arm.id: arm.name for arm in both.arms} if not several else {}
    primary = row.of.primary
    said = {
        "mlflow.source.name": f"cbablate run {plan.study.name}",
        "mlflow.source.type": "LOCAL",
        "mlflow.note.content": _reading(row),
        "cbablate.role": "summary",
        "cbablate.ledger": ledger,
        "cbablate.study": plan.study.name,
        "cbablate.summary": row.key,
        "cbablate.row": f"{place:04}",
        "cbablate.arm": names.get(one.arm.id, row.name),
        "cbablate.against": names.get(one.arm.against or "", row.against),
        "cbablate.hyperparameters": row.word,
        "cbablate.searches": str(plan.searches) if several else "",
        "cbablate.finding": one.findings[primary].claim if primary in one.findings else "",
        **{f"factor.{name}": level for name, level in one.arm.levels.items()},
    }
    tags = dict(spelling.tag(key, text) for key, text in said.items() if text)
    values = {
        key_of(key): value
        for key, value in _numbers(row)
        if value is not None and math.isfinite(value)
    }
    asked = [
        *([trial.id for trial in plan.trials], [arm.against for arm in plan.arms]),
        *(plan.study.analysis.model_dump(mode="json"), plan.study.margin),
    ]
    return MlflowRun(
        name=f"{row.name} summary",
        status="FINISHED",
        tags=tags | spelling.told(),
        params=params,
        # All at step 0, which MLflow draws as bars; of one step the newest number counts.
        points=tuple(MetricPoint(key, float(value), at, 0) for key, value in values.items()),
        timings=(),
        began=at,
        ended=at,
        # A number can be followed by a newer one, but not be taken back; nor can the same facts
        # answer another question at the same moment.
        content=fingerprint([row.key, ledger, params, sorted(values), asked]),
    )


def _numbers(row: _Row) -> Iterator[tuple[str, float | None]]:
    """Every aggregate of an arm by its key; None where there is none."""
    one = row.one
    counts = one.counts
    yield from {
        "trials/planned": counts.planned,
        "trials/complete": counts.complete,
        "trials/pruned": counts.pruned,
        "trials/failed": sum(counts.failed.values()),
    }.items()
    for name, found in one.estimates.items():
        for word in ("mean", "low", "high", "sd", "n"):
            yield f"{name}/{word}", getattr(found, word)
    for name, difference in one.contrasts.items():
        yield f"{name}/difference", difference.difference
        yield f"{name}/difference_low", difference.low
        yield f"{name}/difference_high", difference.high
        yield f"{name}/p_adjusted", difference.p_adjusted
        yield f"{name}/pairs", difference.pairs
    for name, timing in one.timings.items():
        yield f"{name}/median", timing.median
        yield f"{name}/minimum", timing.low
        yield f"{name}/maximum", timing.high
    for name, layers in one.vectors.items():
        for index, layer in enumerate(layers):
            for word in ("mean", "low", "high"):
                yield f"{name}/layer.{index}/{word}", getattr(layer, word)


def _reading(row: _Row) -> str:
    counts = row.one.counts
    told = (
        f"`m/difference` is this arm minus '{row.against}', paired by seed, with its interval from "
        "`m/difference_low` to `m/difference_high`. "
        if row.against
        else "This arm is a reference: it is compared with no other. "
    )
    return (
        f"**{row.name}**: {counts.complete} of {counts.planned} trials complete.\n\n"
        "Of each metric `m`, `m/mean` is the mean over `m/n` complete trials, `m/low` to `m/high` "
        f"its 95 % interval, and `m/sd` their spread. {told}Written by cbablate from the ledger "
        "when nothing runs; the numbers are those of the table."
    )
