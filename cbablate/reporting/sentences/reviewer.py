"""What a reviewer would ask: gaps between what a study did and what its table might be taken for.

Each check is a pure function of a `Case` and yields no question, or some. They know nothing but
the plan, its summary and its trials, and accuse nobody: a gap may have good reasons, and then the
paper says them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cbablate.analysis.summary import Summary, metric_of
from cbablate.analysis.trial_outcome import TrialOutcome
from cbablate.phrases import counted, first_few
from cbablate.planning.plan import Plan
from cbablate.records.state import TrialState
from cbablate.reporting.sentences.shortfall import mixed
from cbablate.spec.loading.changes import flatten
from cbablate.statistics.correction import share
from cbablate.statistics.power import FEWEST_PAIRS, FEWEST_SEARCHES, floor, pairs_to_flip

__all__ = ["CHECKS", "FEWEST_ROUNDS", "Case", "Question", "questions"]

FEWEST_ROUNDS = 5
"""With fewer rounds of timing one slow moment can move the median."""


@dataclass(frozen=True)
class Question:
    """What a reviewer would ask, what the study's own records say to it, and what would help."""

    topic: str
    asked: str
    found: str
    help: str


@dataclass(frozen=True)
class Case:
    """All that a check may look at. `efforts` are tuning trials by the id of the arm tuned."""

    plan: Plan
    summary: Summary
    outcomes: Sequence[TrialOutcome]
    efforts: Mapping[str, int]


def questions(case: Case) -> tuple[Question, ...]:
    """Every gap that is found, gravest first."""
    return tuple(question for check in CHECKS for question in check(case))


def _controls(case: Case) -> Iterator[Question]:
    """What is under test needs an arm that does the same without what it is said to bring."""
    tested = case.plan.description.mechanism
    if tested is None:
        return
    used = {name for arm in case.plan.arms for name in tested.named(arm.config)}
    if used - tested.controls and not used & tested.controls:
        yield Question(
            "control",
            f"Is it the {tested.word}, or would any change of this kind do as well?",
            f"No arm is a placebo or a part of the {tested.kind} under test "
            f"({', '.join(sorted(used))})."
            " A gain could come from scaling, noise or one more path alone.",
            f"Add an arm with one of: {', '.join(sorted(tested.controls))}.",
        )


def _seeds(case: Case) -> Iterator[Question]:
    if case.plan.study.sequential is not None:
        return  # its looks take as many as are needed, and no sign-flip test
    if case.plan.searches:
        return  # of whose searches `_tuning` asks
    n = case.plan.study.most_replicates
    family = sum(arm.against is not None for arm in case.plan.arms)
    level = share(family, case.plan.study.analysis.steps)
    if not family or floor(n) < level:
        return
    reach = f"An exact sign-flip test of {counted(n, 'pair')} cannot go below p = "
    if n < FEWEST_PAIRS:
        found = f"{reach}{floor(n):.2g}; no arm can be found to differ."
    else:
        found = (
            f"{reach}{floor(n):.2g}, and one of {family} comparisons is tested at {level:.2g}: "
            "only an arm whose pairs all have one sign is found."
        )
    yield Question(
        "seeds",
        "Are there enough seeds for so many comparisons?",
        found,
        f"With {pairs_to_flip(level)} replicates the test can speak by itself.",
    )


def _missing(case: Case) -> Iterator[Question]:
    short_of = [
        f"{one.arm.name} ({one.counts.complete}/{one.counts.planned})"
        for one in case.summary.arms
        if one.counts.complete < one.counts.planned
    ]
    if not short_of:
        return
    ended = [one for one in case.outcomes if one.history.state in _ENDED_EARLY]
    kinds = sorted({one.history.failure or one.history.state.value for one in ended})
    why = f" Ended early: {len(ended)} ({', '.join(kinds)})." if ended else ""
    diverged = any(one.history.failure == "diverged" for one in ended)
    yield Question(
        "missing trials",
        "What happened to the trials that are not in the means?",
        f"Not every planned trial is complete: {first_few(short_of)}.{why}"
        + (" Means over the survivors favour an arm that diverges." if diverged else ""),
        "Run the study again for what was cut short; report what diverged beside the means.",
    )


_ENDED_EARLY = (TrialState.FAILED, TrialState.PRUNED)


def _changes(case: Case) -> Iterator[Question]:
    commits = case.summary.origin.traits.get("commit", ())
    edited = [commit for commit in commits if "uncommitted" in commit]
    if edited:
        yield Question(
            "uncommitted changes",
            "Which code made these numbers?",
            f"Trials were made with {', '.join(edited)}: no commit holds that code.",
            "Commit, and train again what matters; the ledger keeps both.",
        )
    elif not commits and case.summary.origin.traits:
        yield Question(
            "commit",
            "Which code made these numbers?",
            "The study does not lie in a git repository, so no commit is known.",
            "Keep the study under version control.",
        )


def _mixtures(case: Case) -> Iterator[Question]:
    unlike = mixed(case.summary.origin)
    if unlike:
        told = "; ".join(f"{trait}: {first_few(values)}" for trait, values in unlike.items())
        yield Question(
            "mixed origins",
            "Do the arms differ in anything else, machine or code?",
            f"The trials that entered differ in {told}.",
            "Train all arms of a comparison on one kind of machine from one commit.",
        )


def _tuning(case: Case) -> Iterator[Question]:
    plan = case.plan
    if not any(arm.against for arm in plan.arms):
        return
    if plan.study.tune is None:
        yield Question(
            "tuning",
            "Whose hyperparameters are these?",
            "Every arm is trained with the baseline's hyperparameters. An arm that would need "
            "others is compared unfairly, in whichever direction.",
            "Say how the baseline's were chosen, or tune each arm alike (tune:).",
        )
        return
    efforts = {arm.name: case.efforts.get(arm.id, 0) for arm in plan.arms}
    most = max(efforts.values())
    less = [f"{name} ({n})" for name, n in efforts.items() if n < most]
    many = case.plan.searches
    if 0 < many < FEWEST_SEARCHES:
        yield Question(
            "search luck",
            "Is it the arm, or the luck of its search?",
            f"{'One search' if many == 1 else 'Two searches'} of each arm: "
            + ("the luck of a search is not" if many == 1 else "too little of it is")
            + " in the intervals, and no difference is called the arm's.",
            f"Search each arm {FEWEST_SEARCHES} times or more (searches:).",
        )
    if less:
        yield Question(
            "tuning effort",
            "Was every arm tuned as hard as the others, the baseline above all?",
            f"The best tuned arm had {most} tuning trials; fewer had {first_few(less)}.",
            "Run the study again until every arm has had the same number.",
        )


def _margin(case: Case) -> Iterator[Question]:
    name = case.summary.primary
    found = [one.findings[name].claim for one in case.summary.arms if name in one.findings]
    open_ = found.count("undecided") + found.count("unconfirmed")
    if case.plan.study.margin is None and open_:
        yield Question(
            "margin",
            "Is there no difference, or was it only not seen?",
            f"{open_} of {counted(len(found), 'comparison')} "
            f"{'is' if open_ == 1 else 'are'} undecided and the study states no margin: nothing "
            "here says that two arms are alike.",
            "State the smallest difference that matters (margin:); then arms can be found alike.",
        )


def _split(case: Case) -> Iterator[Question]:
    study = case.plan.study
    decided = study.objective.metric
    if decided in study.report and case.summary.primary == decided:
        chosen = "whatever was chosen by it looks better than it is."
        if not study.decides:
            chosen = f"nothing in the study was chosen by it, but before the study, {chosen}"
        yield Question(
            "split",
            "Are the reported numbers those that decisions were made on?",
            f"The table's first metric is {decided}, which is also the objective: {chosen}",
            "Report a metric of a split that nothing was chosen on.",
        )


def _timings(case: Case) -> Iterator[Question]:
    for name in dict.fromkeys(case.plan.study.report):
        metric = metric_of(case.plan, name)
        if metric.source != "timing":
            continue
        timed = [one.timings[name] for one in case.summary.arms if name in one.timings]
        label = metric.label
        if timed and metric.beside:
            yield Question(
                "timing",
                "How sure are the timings?",
                f"{label} was timed within the trials, while others may have trained beside them.",
                "Time each arm alone, or run with one slot.",
            )
            continue
        fewest = min((one.rounds for one in timed), default=0)
        stages = len({one.batch for one in timed})
        if timed and (fewest < FEWEST_ROUNDS or stages > 1):
            found = f"{label}: {counted(fewest, 'round')} at the least"
            found += f", from {stages} timing stages." if stages > 1 else "."
            yield Question(
                "timing",
                "How sure are the timings?",
                f"{found} A median of so few, or of different hours, may differ by chance.",
                f"Time all arms in one stage of {FEWEST_ROUNDS} rounds or more, the machine idle.",
            )


def _reach(case: Case) -> Iterator[Question]:
    """Whether the finding rests on one model size, one data set, or one of what else there is."""
    for part in case.plan.description.shared:
        told = [dict(flatten({part.key: arm.config.get(part.key)})) for arm in case.plan.arms]
        known = any(value is not None for leaves in told for value in leaves.values())
        if known and all(leaves == told[0] for leaves in told):
            said = ", ".join(
                f"{key.partition('.')[2]} {value}"
                for key, value in told[0].items()
                if key.partition(".")[2] in part.shown
            )
            yield Question(
                f"one {part.word}",
                f"Does it hold {part.another}?",
                f"All arms share one {part.word}{f' ({said})' if said else ''}.",
                f"Add a factor of {part.factor}, or limit the claim to this one.",
            )


CHECKS: tuple[Callable[[Case], Iterator[Question]], ...] = (
    *(_changes, _missing, _seeds, _controls, _mixtures),
    *(_split, _tuning, _margin, _timings, _reach),
)
"""In the order in which their questions are told."""
