"""What a person reads of a plan, of a study in progress, and of one that has just ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cbablate.analysis.absence import unreported
from cbablate.analysis.contrasts.contrast import pooled_sd
from cbablate.analysis.cost import cost, tuning_cost
from cbablate.analysis.outcome import Outcome, outcome
from cbablate.analysis.provenance.earlier_versions import earlier_versions
from cbablate.analysis.provenance.recorded_version import gap_lines
from cbablate.analysis.provenance.vouched import vouched_for
from cbablate.analysis.standing import Standing
from cbablate.analysis.summary import Summary, metric_of
from cbablate.overviews.command import command
from cbablate.overviews.looks_overview import cost_lines, look_lines, standing_lines
from cbablate.overviews.reason_overview import reasons
from cbablate.overviews.tuning_overview import (
    left_lines,
    luck_lines,
    searching_lines,
    tuning_lines,
)
from cbablate.phrases import amount, counted, duration
from cbablate.planning.analysis_rules import comparisons, idle_words
from cbablate.planning.command_rules import command_lines, unseen_lines
from cbablate.planning.design import SCREENING
from cbablate.planning.plan import Plan
from cbablate.planning.screening import aliases
from cbablate.planning.tuned_plan import tuned_rows
from cbablate.records.book import Recorded
from cbablate.records.history import History
from cbablate.records.place import Place
from cbablate.records.state import TrialState
from cbablate.reporting.model.scale import difference_scale
from cbablate.reporting.sentences.claim import difference_unit, margin_words
from cbablate.running.checkpoints import checkpoint_bytes
from cbablate.spec.analysis import Correction
from cbablate.statistics.correction import share
from cbablate.statistics.power import (
    FEWEST_PAIRS,
    MOST_REPLICATES,
    detectable,
    floor,
    pairs_to_flip,
    replicates_for,
)

if TYPE_CHECKING:
    from cbablate.running.completion import Completion

__all__ = ["ended", "failure_lines", "kept", "planned", "standing"]

_CONFIRMED = "Confirmations, at each arm's best:"
"""So many characters of a failure are looked at: a stranger's exception may have millions."""
_PRICE_OF_LOOKING = (
    "So it is with a number that is fixed. Looking in between costs the power of less than a tenth "
    "of the replicates, and saves the seeds of whatever is decided early."
)


def planned(plan: Plan, facts: Recorded) -> str:
    """The arms, the trials, what they can show, and their cost."""
    study, now = plan.study, Standing(plan, facts)
    price = cost(plan, now.book)
    unit = study.budget.unit
    tuned, grows = study.tune is not None, study.sequential is not None
    least = f"{len(Standing(plan).asked.trials)} to " if grows else ""
    lines = [
        f"{study.name}: {study.question}",
        "",
        *filter(None, [idle_words(study, plan.arms), *command_lines(study), *unseen_lines(plan)]),
        *(luck_lines(plan, tuning_cost(plan, now.book)) if tuned else ()),
        f"{counted(len(plan.arms), 'arm')} ({study.design}) x {study.repetitions} "
        f"= {least}{counted(price.trials, 'trial')} of {study.budget} "
        f"({amount(price.budget, unit)} in all{' at most' * grows})"
        f"{', at the hyperparameters as written' * tuned}",
        *(tuning_lines(plan, tuning_cost(plan, now.book)) if tuned else ()),
        *look_lines(plan),
        *_limit_lines(plan),
        "",
        *_arm_lines(plan),
        "",
        *_screening_lines(plan),
        *_power_lines(outcome(plan, now.book)),
    ]
    lines += earlier_versions(plan, now.book.facts, now.histories)
    lines += [*vouched_for(plan, now.histories), *gap_lines(plan)]
    if tuned:
        return "\n".join([*lines, *left_lines(plan, price, tuning_cost(plan, now.book))])
    if grows:
        return "\n".join([*lines, *cost_lines(now)])
    lines.append(
        f"Finished: {price.trials - price.left}. To train: "
        f"{counted(price.left, 'trial')}, {amount(price.budget_left, unit)}."
    )
    if price.seconds is None:
        lines.append(f"Time: unknown; {price.basis}.")
    elif price.left:
        lines.append(
            f"Time: about {duration(price.seconds)} one trial after another, on N slots an N-th "
            f"of it ({price.basis})."
        )
    return "\n".join(lines)


def standing(plan: Plan, facts: Recorded, *, at_work: bool = False) -> str:
    """How many trials are in which state, arm by arm, and why any failed or was pruned.

    `at_work` is whether a driver writes to the results folder: where none does, a trial that began
    and has not ended was interrupted.
    """
    now = Standing(plan, facts)
    past, unknown = now.book.past, History(trial="")
    made = (earlier_versions(plan, now.book.facts, past), vouched_for(plan, past))
    earlier = (*made[0], *made[1], *gap_lines(plan))
    after = ["", *earlier] if earlier else []
    if plan.study.tune is not None:
        return "\n".join([_tuned_standing(now, past, at_work=at_work), *after])
    ours = {trial.id: past.get(trial.id, unknown) for trial in now.asked.trials}
    lines = _standing(now.asked, ours, f"{plan.study.name}:", at_work=at_work)
    return "\n".join([*lines, *standing_lines(now), *after])


def _tuned_standing(now: Standing, past: Mapping[str, History], *, at_work: bool) -> str:
    """The same of a study that tunes: the arms as written, the searches, the arms as tuned."""
    unknown, plan, rows = History(trial=""), now.plan, tuned_rows(now.plan, now.proposals)
    written = {trial.id: past.get(trial.id, unknown) for trial in plan.trials}
    tuned = {trial.id: past.get(trial.id, unknown) for trial in rows.trials}
    title = f"{plan.study.name}, at the hyperparameters as written:"
    lines = [*_standing(plan, written, title, at_work=at_work)]
    lines += ["", *searching_lines(now.tunings)]
    if tuned:
        lines += ["", *_standing(rows, tuned, _CONFIRMED, at_work=at_work)]
    else:
        lines += ["", "Confirmations: none yet, as no search is over."]
    return "\n".join(lines)


def _standing(plan: Plan, ours: dict[str, History], title: str, *, at_work: bool) -> list[str]:
    counts = Counter(history.state for history in ours.values())
    lines = [f"{title} {counted(len(plan.trials), 'trial')}: {_states(counts, at_work)}", ""]
    width = max(len(arm.name) for arm in plan.arms)
    for arm in plan.arms:
        of_arm = Counter(ours[trial.id].state for trial in plan.trials if trial.arm == arm.id)
        lines.append(f"  {arm.name:<{width}}  {_states(of_arm, at_work) or 'not tuned yet'}")
    if counts[TrialState.RUNNING]:
        heading = "Running:" if at_work else "Interrupted (no cbablate is at work here):"
        lines += ["", heading, *reasons(plan, ours, TrialState.RUNNING)]
    for state in (TrialState.PRUNED, TrialState.FAILED):
        if counts[state]:
            lines += ["", f"{state.value.capitalize()}:", *reasons(plan, ours, state)]
    absent = unreported(plan, ours.values())
    return [*lines, *([""] if absent else []), *absent]


def _states(counts: Counter[TrialState], at_work: bool) -> str:
    """How many trials are in which state."""
    words = {state: state.value for state in TrialState}
    if not at_work:
        words[TrialState.RUNNING] = "interrupted (run again to go on)"
    return ", ".join(f"{counts[state]} {words[state]}" for state in TrialState if counts[state])


def kept(results: Path) -> str:
    """What checkpoints take on disk; nothing where there are none."""
    store = Place(results).checkpoints
    count, size = checkpoint_bytes(store)
    if not count:
        return ""
    number, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return (
        f"\n{counted(count, 'checkpoint')} of all studies here: "
        f"{number:.3g} {unit} in {store.address}\n"
    )


def ended(plan: Plan, done: Completion, results: Path, *, sync: str, mirrored: bool) -> str:
    """Where everything lies, and what went wrong; `sync` is the command that tells the mirrors."""
    lines = ["", *done.searched, *done.unanswered]
    if not done.trained:
        lines.append(f"Nothing to train: all {len(done.plan.trials)} trials were finished.")
    lines += failure_lines(done)
    if done.failures:
        lines.append("Running the study again tries them once more, but for the diverged.")
    lines += [f"Not shown yet: {sentence}" for sentence in done.missed]
    if done.missed:
        lines.append(f"Nothing is lost. This sends it later: {sync}")
    files = counted(len(done.published), "file")
    lines.append(f"Tables and figures: {files} in {results / plan.study.name}")
    lines.append(f"Every trial's facts: {Place(results).ledger}")
    lines.append(
        f"Compare trials in MLflow: {command('ui', results=results)}"
        if mirrored
        else f"MLflow and Optuna have not been told. This tells them: {sync}"
    )
    return "\n".join(lines)


def failure_lines(done: Completion) -> list[str]:
    """How many trials failed, and why each did; nothing where none has."""
    if not done.failures:
        return []
    told = reasons(done.plan, dict(done.failures), TrialState.FAILED)
    return [f"{counted(len(done.failures), 'trial')} failed:", *told]


def _limit_lines(plan: Plan) -> list[str]:
    """What the time of a trial is limited to; nothing where it is not."""
    longest, silence = plan.study.time_limit, plan.study.silence_limit
    said = [f"an attempt may take {duration(longest)}"] if longest is not None else []
    said += [f"go {duration(silence)} without a measurement"] if silence is not None else []
    if not said:
        return []
    words = " and ".join(said) if longest is not None else f"an attempt may {said[0]}"
    return [f"Limits of time: {words}; a trial that goes on longer has failed."]


def _screening_lines(plan: Plan) -> list[str]:
    """What a screening design cannot tell apart; nothing of other designs."""
    if plan.study.design not in SCREENING or not plan.study.factors:
        return []
    return [*aliases(plan.study.design, [factor.name for factor in plan.study.factors]), ""]


def _arm_lines(plan: Plan) -> list[str]:
    width = max(len(arm.name) for arm in plan.arms)
    names = {arm.id: arm.name for arm in plan.arms}
    return [
        f"  {arm.name:<{width}}  "
        + (f"compared with {names[arm.against]}" if arm.against else "(reference)")
        for arm in plan.arms
    ]


def _power_lines(found: Outcome) -> list[str]:
    """What the replicates can show of the primary metric; nothing where nothing is compared."""
    plan, summary = found.plan, found.summary
    n, family = plan.study.units, comparisons(plan.study, plan.arms)
    if not family or not summary.primary:
        return []
    if plan.study.design in SCREENING:
        return _screening_power(n, len(plan.study.factors))
    several = plan.study.searches > 1
    size = f"{n} searches of each arm" if several else counted(n, "replicate")
    size += f", {counted(family, 'comparison')}"
    how = plan.study.analysis
    level = share(family, how.steps)
    effect = detectable(n, level)
    if effect is None:
        lines = [f"{size}: one seed tells no spread, so no test is possible."]
    else:
        by = _BY[how.correction] if family > 1 else ""
        most = "At most " if plan.study.sequential else ""
        lines = [
            f"{most}{size}{by}: with 80 % power a paired t test sees a difference of "
            f"{_times(effect)} the spread between paired {'searches' if several else 'seeds'}.",
            *_measured_lines(plan, summary, effect=effect, level=level),
        ]
    if plan.study.sequential is not None:
        return [*lines, _PRICE_OF_LOOKING, ""]
    if several and n < FEWEST_PAIRS:
        lines.append(f"Below {FEWEST_PAIRS} searches of each arm the t test decides alone.")
    if n >= FEWEST_PAIRS and floor(n) >= level:
        lines.append(
            f"A finding is possible only where all {counted(n, 'pair')} have one sign: an exact "
            f"sign-flip test then has its least p, {floor(n):.2g}, which counts as agreement "
            f"though each comparison is tested at {level:.2g}. From {pairs_to_flip(level)} "
            "replicates on its p can be below that."
        )
    return [*lines, ""]


_BY: Mapping[Correction, str] = {
    "sidak": " (Šidák)",
    "holm": " (Holm)",
    "dunnett": " (by Šidák's correction; Dunnett's test sees a little more)",
}


def _screening_power(n: int, family: int) -> list[str]:
    """The same of factors' effects, which rest on all arms at once."""
    effect = detectable(n, share(family))
    size = f"{counted(n, 'replicate')}, {counted(family, 'factor')}"
    if effect is None:
        return [f"{size}: one seed tells no spread, so no test is possible.", ""]
    return [
        f"{size} (Šidák): with 80 % power a t test sees an effect of {_times(effect)} its spread "
        "between seeds.",
        "",
    ]


def _measured_lines(plan: Plan, summary: Summary, *, effect: float, level: float) -> list[str]:
    """The same in the metric's unit, where the ledger has paired differences; else a wish."""
    name = summary.primary
    found = [one.contrasts[name] for one in summary.arms if name in one.contrasts]
    spread, wish, wished = pooled_sd(found), 1.0, "as large as that spread"
    lines: list[str] = []
    if spread is not None:
        scale = difference_scale(plan, summary, name)
        unit = difference_unit(plan, scale, name)
        pairs = sum(one.n for one in found if one.sd)
        lines.append(
            f"So far that spread is {scale.number(spread).plain} {unit}".rstrip()
            + f" of {metric_of(plan, name).label} ({pairs} pairs): a difference of "
            + f"{scale.number(effect * spread).plain} {unit}".rstrip()
            + " is seen."
        )
        if plan.study.margin is not None:
            wish = plan.study.margin / spread
            wished = f"as large as the margin ({margin_words(plan, scale, unit)})"
    needed = replicates_for(wish, level)
    count = f"{needed}" if needed else f"more than {MOST_REPLICATES:,}"
    units = "searches of each arm" if plan.study.searches > 1 else "replicates"
    lines.append(f"One {wished} needs {count} {units}.")
    return lines


def _times(effect: float) -> str:
    return f"{effect:.1f} times" if effect < 100 else f"{effect:,.0f} times"
