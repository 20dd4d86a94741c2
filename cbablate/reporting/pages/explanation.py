"""`explanation`: where a cell of a table comes from: its formula, and every trial behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.outcome import Outcome, outcome
from cbablate.analysis.summary import ArmSummary, metric_of
from cbablate.analysis.trial_outcome import TrialOutcome, outcomes
from cbablate.character import spaced
from cbablate.errors import CbablateError
from cbablate.phrases import counted
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import Timed
from cbablate.reporting.model.cell import Blank, Cell, Number, significant
from cbablate.reporting.model.column import Column
from cbablate.reporting.pages.cell_case import Case, absent_lines, pair_lines, trial_lines
from cbablate.reporting.pages.cell_place import CellPlace, columns_listed, place_of
from cbablate.reporting.sentences.delta import reference_of, unlike
from cbablate.reporting.sentences.tuning_note import chosen
from cbablate.reporting.tables.arms import outcome_table
from cbablate.statistics.bootstrap import RESAMPLES
from cbablate.statistics.correction import share
from cbablate.statistics.power import FEWEST_PAIRS
from cbablate.statistics.student_t import critical

__all__ = ["Explained", "explained", "explanation"]


@dataclass(frozen=True)
class Explained:
    """A cell of a table: where it stands, what it says, and the trials that it is made of."""

    plan: Plan
    place: CellPlace
    key: str
    """Of its row."""
    data: str
    arm: ArmSummary
    column: Column
    cell: str
    trials: Sequence[TrialOutcome]
    """The arm's, and those of the arm that it is compared with, where that is what it tells."""
    text: str


def explanation(plan: Plan, facts: Recorded, *words: str) -> str:
    """A cell, explained in lines of text: see `explained`."""
    return explained(plan, facts, *words).text


def explained(plan: Plan, facts: Recorded, *words: str) -> Explained:
    """A cell, explained.

    Args:
        plan: the study's.
        facts: a ledger's.
        words: row and column, as `place_of` takes them.

    Raises:
        CbablateError: the table has no such cell, or the column holds names.
    """
    told = Book.of(facts)
    found = outcome(plan, told)
    table = outcome_table(found)
    place = place_of(table, found.plan, *words)
    row, column = table.rows[place.row], table.columns[place.column]
    if column.quantity == "name":
        raise CbablateError(
            f"column {place.column + 1} ({column.label}) holds names, not numbers; "
            f"the others are {columns_listed(table)}"
        )
    case = _case(found, told, row.arm, column)
    arm, compared = case.arm.arm, case.column.quantity in ("difference", "p")
    head = (
        f"Cell {place.row + 1}:{place.column + 1} of study {plan.study.name}, row {row.key}, "
        f"data {table.data}"
    )
    return Explained(
        plan=case.plan,
        place=place,
        key=row.key,
        data=table.data,
        arm=case.arm,
        column=case.column,
        cell=row.cells[place.column].plain,
        trials=[*case.of(arm.id), *(case.of(arm.against) if compared and arm.against else ())],
        text="\n".join(spaced(line) for line in _lines(case, row.cells[place.column], head)),
    )


def _case(found: Outcome, told: Book, arm_id: str, column: Column) -> Case:
    """What an arm's cell in a column is made from; of fixed hyperparameters, the arm as written."""
    plan, summary = found.plan, found.summary
    arm = summary.of[arm_id]
    if column.quantity == "fixed" and found.tuned is not None and found.tuned.fixed is not None:
        place_of_arm = [one.arm.id for one in summary.arms].index(arm_id)
        plan, summary = found.tuned.plan, found.tuned.fixed
        arm, column = summary.arms[place_of_arm], as_written(column)
    trials = outcomes(plan, told)
    searched = chosen(found.tuned, arm.arm, plan.searches) if found.tuned else ()
    return Case(plan, summary, trials, told.facts, arm=arm, column=column, chosen=searched)


def _lines(case: Case, cell: Cell, head: str) -> Iterator[str]:
    yield f"{case.arm.arm.name}, {_heading(case)}: {cell.plain}"
    yield head
    yield ""
    if isinstance(cell, Blank) and case.column.quantity not in ("difference", "p"):
        yield "No value: no completed trial has one."
    yield from {
        "mean": _mean,
        "difference": _difference,
        "p": _p,
        "timing": _timing,
        "n": _count,
    }[case.column.quantity](case)
    yield ""
    yield from _config(case)


def as_written(column: Column) -> Column:
    """A column of fixed hyperparameters as the one it would be in a table of its own."""
    return replace(column, quantity="difference" if column.label.startswith("Δ") else "mean")


def _heading(case: Case) -> str:
    label = case.column.label
    name = case.column.metric
    if case.column.quantity in ("difference", "p"):
        return f"{label} of {metric_of(case.plan, name).label} ({name})"
    return f"{label} ({name})" if name else label


def _mean(case: Case) -> Iterator[str]:
    name, said = case.column.metric, case.arm.estimates[case.column.metric]
    if said.mean is not None:
        yield f"Unrounded: {said.mean!r} {case.unit}".rstrip()
        if said.low is not None and said.sd is not None and not said.constant:
            n, of = said.units, f"{said.n} values"
            if case.searches:
                of = f"{said.units} searches, each the mean over its replicates"
            yield (
                f"Mean of n = {of}, +- t x sd / sqrt(n): t = {critical(n - 1):.6g} "
                f"({n - 1} degrees of freedom, 95 %), sd = {said.sd!r}, "
                f"from {said.low!r} to {said.high!r}"
            )
        elif said.constant and said.n > 1:
            yield f"All {said.n} values are equal, so no interval is printed."
        else:
            yield "One value: no interval."
    yield from trial_lines(case, name, case.of(case.arm.arm.id))


def _difference(case: Case) -> Iterator[str]:
    name = case.column.metric
    said = case.arm.contrasts.get(name)
    if said is None:
        yield "This is a reference: other arms are compared with it."
        return
    reference = case.plan.arm_of[said.against]
    yield f"Compared with: {reference.name}"
    if said.difference is not None:
        yield f"Unrounded: {said.difference!r} {case.unit}".rstrip()
    if said.low is not None and said.half_width is not None:
        how = _interval(case, said, said.half_width)
        yield f"{how}, from {said.low!r} to {said.high!r}"
    if said.correlation is not None and said.n >= FEWEST_PAIRS:
        yield f"Correlation of the pairs: {Number(said.correlation, 4).plain}"
    yield from pair_lines(case, name, reference.id)


def _interval(case: Case, said: Contrast, half: float) -> str:
    """What a difference is the mean of, and how its interval was made."""
    how = case.plan.study.analysis
    hold = f", one of {said.family} that hold together" if said.joint else ""
    if not said.paired:
        return f"Difference of two means that share no seed, with Welch's 95 % interval{hold}"
    means = f"Mean of n = {said.n} paired differences"
    if case.searches:
        means += " of searches, each the mean over its replicates"
    if said.kind == "dunnett":
        return (
            f"{means} of the seeds that all arms have, with Dunnett's joint 95 % interval over "
            f"{said.family} comparisons, one error for all arms"
        )
    if said.kind == "bca":
        return f"{means} (sd = {said.sd!r}), with a 95 % BCa interval of {RESAMPLES:,} resamples"
    t = half / said.error if said.error else 0.0
    if said.kind == "repeated":
        return (
            f"{means}, +- c x sd / sqrt(n): c = {t:.6g}, of t with {said.n - 1} degrees of freedom "
            f"at this look's own level, so that it holds over all looks (95 %{hold}), sd = "
            f"{said.sd!r}"
        )
    level = 100 * (1 - share(said.family, how.steps)) if said.joint else 95
    return (
        f"{means}, +- t x sd / sqrt(n): t = {t:.6g} "
        f"({said.n - 1} degrees of freedom, {level:.6g} %{hold}), sd = {said.sd!r}"
    )


def _p(case: Case) -> Iterator[str]:
    said = case.arm.contrasts.get(case.column.metric)
    if said is not None and said.p is not None:
        how = case.plan.study.analysis
        of = "; p of all looks together" if case.summary.course else ", p"
        yield f"{_test(case, said)}{of} = {said.p!r}"
        if how.correction == "dunnett":
            yield f"Dunnett-adjusted over {said.family} comparisons: {said.p_adjusted!r}"
        else:
            by = "Holm" if how.steps == "holm" else "Šidák"
            yield f"{by}-adjusted over {said.family} comparisons: {said.p_adjusted!r}"
        if said.p_sign_flip is not None and how.test != "sign_flip":
            yield f"Exact sign-flip test of the same pairs, not adjusted: {said.p_sign_flip!r}"
        finding = case.arm.findings[case.column.metric]
        yield f"Finding: {finding.claim}"
        if (tost := finding.equivalence) is not None:
            ends = f"from {tost.low!r} to {tost.high!r}"
            yield f"The 90 % interval that two one-sided tests rest on: {ends}"
    elif said is not None:
        yield "No p value: the paired differences have no spread that could be estimated."
    yield from _difference(case)


def _test(case: Case, said: Contrast) -> str:
    """The test behind a p value that is adjusted for nothing yet."""
    how = case.plan.study.analysis
    if not said.paired:
        return "Welch's two-sided t test of two means that share no seed"
    if how.correction == "dunnett":
        return "Two-sided t test with seeds as blocks and one error for all arms"
    if how.test == "sign_flip" and case.summary.course is None:
        return f"Exact two-sided sign-flip test of {said.n} paired differences"
    t = (said.effect_size or 0.0) * said.n**0.5
    looked = " at the last look" if case.summary.course else ""
    statistic = f"t = {significant(t, 6)} with {said.n - 1} degrees of freedom"
    return f"Two-sided paired t test: {statistic}{looked}"


def _timing(case: Case) -> Iterator[str]:
    name = case.column.metric
    said = case.arm.timings.get(name)
    if said is None:
        return
    yield f"Unrounded: {said.median!r} {case.unit}".rstrip()
    if metric_of(case.plan, name).beside:
        yield f"Median of {counted(said.rounds, 'trial')}, each timed beside whatever else ran"
        yield from trial_lines(case, name, case.of(case.arm.arm.id))
        return
    yield (
        f"Median of {said.rounds} rounds, from {said.low!r} to {said.high!r}, "
        f"on {said.device or 'a device that is not known'}, timing stage {said.batch}"
    )
    for fact in case.facts:
        if fact.kind != "timed" or fact.subject != case.arm.arm.id:
            continue
        timed = Timed.of(fact)
        if timed.batch == said.batch and name in timed.metrics:
            rounds = ", ".join(map(repr, timed.metrics[name]))
            yield f"Rounds (fact {fact.sequence} of the ledger): {rounds}"


def _count(case: Case) -> Iterator[str]:
    counts = case.arm.counts
    yield f"{counts.complete} of {counts.planned} planned trials are complete."
    if case.column.metric:
        yield from trial_lines(case, case.column.metric, case.of(case.arm.arm.id))
    else:
        yield from absent_lines(case.of(case.arm.arm.id), "")


def _config(case: Case) -> Iterator[str]:
    arm = case.arm.arm
    reference = reference_of(case.plan, arm)
    if case.chosen:
        yield f"Hyperparameters by search, replicate #r at those of #(r mod {case.searches}):"
        yield from (f"  {one}" for one in case.chosen)
    yield f"Config of {arm.name} ({arm.id}){', as written' * bool(case.chosen)}"
    found = unlike(arm.config, reference.config)
    if not found:
        yield "  that of the baseline"
        return
    yield f"  as {reference.name}, but"
    for key, here, there in found:
        yield f"  {key}: {here} (instead of {there})"
