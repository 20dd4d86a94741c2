"""`explanation`: where a cell of a table comes from: its formula, and every trial behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.contrasts.replicates import complete, values
from cbablate.analysis.outcome import outcome
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.analysis.trial_outcome import TrialOutcome, outcomes
from cbablate.character import spaced
from cbablate.errors import CbablateError
from cbablate.phrases import counted
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.facts import SessionFact, Timed, WorkerFact
from cbablate.records.record import Record
from cbablate.reporting.model.cell import Blank, Number, significant
from cbablate.reporting.model.column import Column
from cbablate.reporting.pages.cell_place import columns_listed, place_of
from cbablate.reporting.sentences.delta import reference_of, unlike
from cbablate.reporting.sentences.tuning_note import chosen
from cbablate.reporting.tables.arms import outcome_table
from cbablate.statistics.bootstrap import RESAMPLES
from cbablate.statistics.correction import share
from cbablate.statistics.power import FEWEST_PAIRS
from cbablate.statistics.student_t import critical

__all__ = ["explanation"]


@dataclass(frozen=True)
class _Told:
    """All that an explanation is made from."""

    plan: Plan
    summary: Summary
    trials: Sequence[TrialOutcome]
    facts: Sequence[Record]
    arm: ArmSummary
    column: Column
    chosen: Sequence[str] = ()
    """What each of an arm's searches chose, where there are several, in words."""

    @property
    def searches(self) -> int:
        """How many searches the values are averaged in; 0 where each stands by itself."""
        return self.plan.searches if self.plan.searches > 1 else 0

    @property
    def unit(self) -> str:
        unit = metric_of(self.plan, self.column.metric).unit
        return "pp" if unit == "%" and self.column.quantity in ("difference", "p") else unit

    def of(self, arm: str) -> list[TrialOutcome]:
        return [one for one in self.trials if one.arm.id == arm]


def explanation(plan: Plan, facts: Recorded, *words: str) -> str:
    """A cell, explained in lines of text.

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
    plan, summary = found.plan, found.summary
    place = place_of(table, plan, *words)
    row, column = table.rows[place.row], table.columns[place.column]
    if column.quantity == "name":
        raise CbablateError(
            f"column {place.column + 1} ({column.label}) holds names, not numbers; "
            f"the others are {columns_listed(table)}"
        )
    arm = summary.of[row.arm]
    if column.quantity == "fixed" and found.tuned is not None and found.tuned.fixed is not None:
        place_of_arm = [one.arm.id for one in summary.arms].index(row.arm)
        plan, summary = found.tuned.plan, found.tuned.fixed
        arm, column = summary.arms[place_of_arm], as_written(column)
    trials = outcomes(plan, told)
    searched = chosen(found.tuned, arm.arm, plan.searches) if found.tuned else ()
    case = _Told(plan, summary, trials, told.facts, arm=arm, column=column, chosen=searched)
    cell = row.cells[place.column]
    lines = [
        f"{case.arm.arm.name}, {_heading(case)}: {cell.plain}",
        f"Cell {place.row + 1}:{place.column + 1} of study {plan.study.name}, row {row.key}, "
        f"data {table.data}",
        "",
    ]
    if isinstance(cell, Blank) and column.quantity not in ("difference", "p"):
        lines.append("No value: no completed trial has one.")
    lines += {
        "mean": _mean,
        "difference": _difference,
        "p": _p,
        "timing": _timing,
        "n": _count,
    }[column.quantity](case)
    return "\n".join([*(spaced(line) for line in [*lines, "", *_config(case)])])


def as_written(column: Column) -> Column:
    """A column of fixed hyperparameters as the one it would be in a table of its own."""
    return replace(column, quantity="difference" if column.label.startswith("Δ") else "mean")


def _heading(case: _Told) -> str:
    label = case.column.label
    name = case.column.metric
    if case.column.quantity in ("difference", "p"):
        return f"{label} of {metric_of(case.plan, name).label} ({name})"
    return f"{label} ({name})" if name else label


def _mean(case: _Told) -> Iterator[str]:
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
    yield from _trials(case, name, case.of(case.arm.arm.id))


def _difference(case: _Told) -> Iterator[str]:
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
    yield from _pairs(case, name, reference.id)


def _interval(case: _Told, said: Contrast, half: float) -> str:
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


def _p(case: _Told) -> Iterator[str]:
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


def _test(case: _Told, said: Contrast) -> str:
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


def _timing(case: _Told) -> Iterator[str]:
    name = case.column.metric
    said = case.arm.timings.get(name)
    if said is None:
        return
    yield f"Unrounded: {said.median!r} {case.unit}".rstrip()
    if metric_of(case.plan, name).beside:
        yield f"Median of {counted(said.rounds, 'trial')}, each timed beside whatever else ran"
        yield from _trials(case, name, case.of(case.arm.arm.id))
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


def _count(case: _Told) -> Iterator[str]:
    counts = case.arm.counts
    yield f"{counts.complete} of {counts.planned} planned trials are complete."
    if case.column.metric:
        yield from _trials(case, case.column.metric, case.of(case.arm.arm.id))
    else:
        yield from _absent(case.of(case.arm.arm.id), "")


def _trials(case: _Told, name: str, trials: Sequence[TrialOutcome]) -> Iterator[str]:
    commits, nodes = _commits(case.facts), _nodes(case.facts)
    rows = [
        (
            *(f"#{one.trial.replicate}", one.trial.id, str(one.trial.seed), repr(one.value(name))),
            *(one.history.session, commits.get(one.history.session, "")),
            ", ".join(dict.fromkeys(nodes.get(each, "") for each in one.history.workers)),
        )
        for one in trials
        if one.value(name) is not None
    ]
    yield ""
    yield f"Entered: {len(rows)} trials"
    yield from _aligned(
        [("", "trial", "seed", name, "session", "commit", "node"), *rows] if rows else []
    )
    yield from _absent(trials, name)


def _pairs(case: _Told, name: str, reference: str) -> Iterator[str]:
    at = case.summary.course  # a difference is of the pairs that were looked at
    within = (at.looked[case.arm.arm.id] if at else 0) or case.plan.study.most_replicates
    ours = {
        one.trial.replicate: one for one in case.of(case.arm.arm.id) if one.trial.replicate < within
    }
    theirs = {one.trial.replicate: one for one in case.of(reference)}
    if case.plan.study.analysis.correction == "dunnett":
        entered = {arm: values(by, name) for arm, by in case.summary.replicates.entered.items()}
        blocks = complete(entered, [arm for arm, by in entered.items() if by])
        ours = {replicate: one for replicate, one in ours.items() if replicate in blocks}
    rows: list[tuple[str, ...]] = []
    for replicate in sorted(ours.keys() & theirs.keys()):
        a, b = ours[replicate].value(name), theirs[replicate].value(name)
        if a is not None and b is not None:
            ids = (ours[replicate].trial.id, theirs[replicate].trial.id)
            rows.append((f"#{replicate}", repr(a), repr(b), repr(a - b), *ids))
    yield ""
    yield f"Entered: {len(rows)} pairs"
    head = ("", "this arm", "reference", "difference", "this trial", "its reference")
    yield from _aligned([head, *rows] if rows else [])
    yield from _absent([*ours.values(), *theirs.values()], name)


def _absent(trials: Sequence[TrialOutcome], name: str) -> Iterator[str]:
    out = [one for one in trials if one.absence or (name and one.value(name) is None)]
    if out:
        yield ""
        yield f"Not entered: {len(out)} trials"
    for one in out:
        why = one.absence or f"complete, but its last measurement has no finite {name}"
        yield f"  {one.arm.name} #{one.trial.replicate}  {one.trial.id}  {why}"


def _config(case: _Told) -> Iterator[str]:
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


def _commits(facts: Iterable[Record]) -> Mapping[str, str]:
    sessions = {fact.subject: SessionFact.of(fact) for fact in facts if fact.kind == "session"}
    return {
        name: str(session.commit or "not known")[:12] + session.edits
        for name, session in sessions.items()
    }


def _nodes(facts: Iterable[Record]) -> Mapping[str, str]:
    """The node of each worker; what 0.1.0 recorded names none."""
    return {fact.subject: WorkerFact.of(fact).node for fact in facts if fact.kind == "worker"}


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        yield "  " + "  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip()
