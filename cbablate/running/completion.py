"""`Completion`: what driving a study came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cbablate.analysis.absence import unreported
from cbablate.analysis.searches.tuning import Tuning
from cbablate.analysis.standing import Standing
from cbablate.phrases import counted
from cbablate.planning.plan import Plan
from cbablate.records.book import Book
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.shown import Shown

__all__ = ["Completion", "Trained", "completion"]


@dataclass(frozen=True)
class Completion(Shown):
    """What driving a study came to.

    `plan` is the plan as written with the confirmations. `trained` counts the trials that this
    call started; `states` the plan's trials by state now, `failures` the histories of those that
    failed: tuning trials are not among them, since a proposal that cannot be trained is an answer,
    too. Sentences: `searched` about each search, `unanswered` about what the study asks and no
    trial, timing or search tells, `missed` about mirrors that are not up to date. `book` is all
    that the ledger held at the end: a table made of them agrees with the exit code, whatever has
    become of the file since.
    """

    plan: Plan
    trained: int
    states: Mapping[TrialState, int]
    published: tuple[Path, ...] = ()
    missed: tuple[str, ...] = ()
    failures: Mapping[str, History] = field(default_factory=dict)
    unanswered: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    book: Book = field(default_factory=Book, repr=False)

    def __repr__(self) -> str:
        return f"<Completion {self.plan.study.name}: {self.words}; exit code {self.exit_code}>"

    @property
    def words(self) -> str:
        """How many of the plan's trials are in which state: `10 complete, 2 failed of 12`."""
        counts = self.states
        said = ", ".join(f"{counts[one]} {one.value}" for one in TrialState if counts.get(one))
        return f"{said or 'none'} of {counted(len(self.plan.trials), 'trial')}"

    @property
    def exit_code(self) -> int:
        """0 if every trial is complete or pruned and all that is asked was told, else 3."""
        ended = all(state.ended for state in self.states)
        return 3 if self.failures or self.unanswered or not ended else 0


@dataclass(frozen=True)
class Trained:
    """What one driver's training came to, which no fact tells: how many trials it began, what it
    left `unanswered`, and `remarks` on the searches, in sentences.
    """

    trials: int = 0
    unanswered: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def completion(plan: Plan, book: Book, trained: Trained = Trained()) -> Completion:
    """The completion of a plan as its facts leave it, nothing published yet."""
    now, unknown = Standing(plan, book), History(trial="")
    both, found, past = now.whole, now.tunings, now.histories
    ours = {trial.id: past.get(trial.id, unknown) for trial in both.trials}
    return Completion(
        plan=both,
        trained=trained.trials,
        states=Counter(history.state for history in ours.values()),
        failures={
            trial: history for trial, history in ours.items() if history.state is TrialState.FAILED
        },
        unanswered=(
            *unreported(plan, ours.values()),
            *(_fruitless(tuning) for tuning in found if tuning.over and tuning.best is None),
            *trained.unanswered,
        ),
        searched=(*(_effort(tuning) for tuning in found), *trained.remarks),
        book=book,
    )


def _effort(tuning: Tuning) -> str:
    """What a search was given and came to, as a sentence."""
    counts = {"complete": tuning.complete, "pruned": tuning.pruned, "failed": tuning.failed}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "none ended"
    text = f"Search of '{tuning.search.name}': {counted(len(tuning.attempts), 'trial')} ({said})"
    best = tuning.best
    if best is None or best.values is None:
        return f"{text}."
    values = ", ".join(
        f"{one.metric} {value:.4g}"
        for one, value in zip(tuning.search.objectives, best.values, strict=True)
    )
    return f"{text}; best {values}."


def _fruitless(tuning: Tuning) -> str:
    why = Counter(attempt.failure for attempt in tuning.attempts if attempt.failure)
    said = ", ".join(f"{count} x {failure}" for failure, count in why.items())
    infeasible = sum(not attempt.feasible for attempt in tuning.attempts)
    if infeasible:
        said = ", ".join(filter(None, [said, f"{infeasible} break a constraint"]))
    return (
        f"The search of arm '{tuning.search.name}' ended without a proposal to confirm: of "
        f"{len(tuning.attempts)} trials {tuning.complete} are complete"
        + (f" ({said})" if said else "")
        + (". Its tuned row stays empty." if tuning.search.many == 1 else ".")
    )
