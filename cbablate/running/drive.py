"""Driving a study: from a plan to recorded facts, published tables and mirrors brought up."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cbablate.analysis.provenance.recorded_version import as_recorded, gap_lines
from cbablate.analysis.standing import Standing
from cbablate.mirrors.port import Mirror, MirrorThread, MirrorUnreachable, StudyState
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.book import Book, Recorded
from cbablate.records.crash_point import crash_point
from cbablate.records.ledger import Ledger
from cbablate.records.measurement import Measurement
from cbablate.records.place import Place
from cbablate.records.record import Record
from cbablate.records.state import TrialState
from cbablate.running.agenda import waiting
from cbablate.running.checkpoints import CHECKPOINT_SECONDS, Checkpoints
from cbablate.running.completion import Completion, Trained, completion
from cbablate.running.conductor import Conductor
from cbablate.running.display import Display
from cbablate.running.executors.port import Executor
from cbablate.running.executors.ray_folder import ROOTS
from cbablate.running.isolation.descriptors import require_descriptors
from cbablate.running.isolation.limits import Limits
from cbablate.running.isolation.scratch import clear_abandoned
from cbablate.running.recorder import Recorder, declare
from cbablate.running.same_name import refuse_namesake
from cbablate.running.session import session_fact
from cbablate.running.timing_stage import TIMING_ROUNDS, time_arms, untimed
from cbablate.running.verification import entry, grouping_of, verify

if TYPE_CHECKING:
    from cbablate.searching.searches import Searching

__all__ = ["Publish", "drive", "sync"]

Publish = Callable[[Book], list[Path]]
"""Writes tables and figures from the facts, and says where."""


def drive(
    plan: Plan,
    *,
    results: Path,
    executor: Callable[[], Executor],
    publish: Publish,
    mirrors: Callable[[], Sequence[Mirror]] = tuple,
    checkpoint_every: float = CHECKPOINT_SECONDS,
) -> Completion:
    """Train what the ledger lacks of a plan, time its arms, publish, bring mirrors up to date.

    `executor` is made only if something is to be trained or timed, and once the results folder is
    ours. Checkpoints of trials that are under way lie in `results`, one each `checkpoint_every`
    seconds, until the trial has ended. A study whose arms cannot be built leaves no trace in the
    ledger but the session.

    Raises:
        StudyError: an arm cannot be built, said for all arms before the first trial.
        OwnedElsewhere, DamagedState, EnvironmentFault: as `Ledgers.writing` says.
    """
    results = results.absolute()  # a workload in this process may change the working directory
    clear_abandoned(*ROOTS)  # here, since a run that has nothing to train starts no executor
    read = _Reading()
    with Place(results).writing(read.add) as ledger:
        book = read.book
        plan = as_recorded(plan, book.facts)
        study = _Study(plan, ledger, book, _searching(plan, read.taken()))
        refuse_namesake(plan, book, results)
        followed, display = mirrors(), study.display
        follower = MirrorThread(followed, plan, facts=book.copy)
        state, published = StudyState.INTERRUPTED, list[Path]()
        try:
            with display:
                audience = _Audience(display, _Notice(follower))
                trained = _brought_on(study, executor, audience, checkpoint_every)
                display.say("writing tables and figures")
                crash_point("publish.before")
                published = publish(book)
                crash_point("publish.after")
                if followed:
                    display.say("bringing MLflow and Optuna up to date")
                done = completion(plan, book, trained)
                state = StudyState.FAILED if done.exit_code else StudyState.COMPLETE
                missed = follower.finish(state, published)
        except BaseException as error:
            if followed and isinstance(error, KeyboardInterrupt):
                display.say(f"telling MLflow and Optuna, for {_PATIENCE:g} s at most")
            follower.finish(state, published, timeout=_PATIENCE)
            raise
    return replace(done, published=tuple(published), missed=tuple(missed))


def sync(plan: Plan, facts: Recorded, *, mirrors: Sequence[Mirror], publish: Publish) -> None:
    """Bring mirrors up to date with facts, all of them even if one cannot be reached.

    Raises:
        MirrorUnreachable: one or more cannot be reached; all are named.
    """
    book = Book.of(facts)
    done = completion(plan, book)
    state = StudyState.FAILED if done.exit_code else StudyState.COMPLETE
    if not all(each.ended for each in done.states):
        state = StudyState.INTERRUPTED
    published = publish(book)
    missed: list[str] = []
    for mirror in mirrors:
        try:
            mirror.sync(Standing(plan, book).asked, book, state=state, artifacts=published)
        except MirrorUnreachable as error:
            missed.append(str(error))
        except Exception as error:  # noqa: BLE001 - the other mirrors are brought up all the same
            missed.append(f"{mirror.name} was not brought up to date: {error}")
    if missed:
        raise MirrorUnreachable("\n".join(missed))


class _Reading:
    """What a ledger held and goes on to say; and, until it is taken, what searches replay."""

    def __init__(self) -> None:
        self.book = Book()
        self._searched: list[Record] | None = []

    def add(self, fact: Record) -> None:
        """Take note of a fact."""
        self.book.add(fact)
        if self._searched is not None and fact.subject in self.book.subjects("proposed"):
            self._searched.append(fact)

    def taken(self) -> list[Record]:
        """The facts about proposals so far, and none any more from now on."""
        found, self._searched = self._searched or [], None
        return found


_PATIENCE = 5.0
"""Seconds that mirrors have to be told how a study stands that was stopped."""


@dataclass(frozen=True)
class _Study:
    """A study as a driver finds it: its plan, its ledger, what that says, and its searches."""

    plan: Plan
    ledger: Ledger
    book: Book
    searching: Searching | None

    @property
    def standing(self) -> Standing:
        """Where it stands now."""
        return Standing(self.plan, self.book)

    @property
    def display(self) -> Display:
        """What a person sees of it from now on."""
        now = self.standing
        return Display(now.asked, now.histories, tunings=now.tunings)

    @property
    def unfinished(self) -> bool:
        """Whether there is anything to train."""
        now, searching = self.standing, self.searching
        if waiting(now.asked, now.histories):
            return True
        if searching is None:
            return False
        if searching.left() or not all(searching.over(one.id) for one in searching.searches):
            return True
        return bool(waiting(now.confirmations, now.histories))

    @property
    def untimed(self) -> Mapping[str, Arm]:
        """The arms to time, by id: as written alone, where each has many hyperparameters."""
        once = self.plan.study.searches == 1
        return untimed(self.standing.whole if once else self.plan, self.book)


class _Notice:
    """A watcher that tells the mirrors' thread when there is something to show."""

    def __init__(self, follower: MirrorThread) -> None:
        self._follower = follower

    def planned(self, plan: Plan, over: Sequence[str]) -> None:
        """Nothing: mirrors read it off the facts."""

    def started(self, trial: Trial) -> None:
        """Nothing: mirrors show ended trials."""

    def measured(self, trial: Trial, measurement: Measurement) -> None:
        """Nothing: likewise."""

    def ended(self, trial: Trial, state: TrialState, reason: str) -> None:
        """There is one more."""
        self._follower.notify()


@dataclass(frozen=True)
class _Audience:
    """Who follows a study while it goes on: a person at a display, and the mirrors."""

    display: Display
    mirrors: _Notice


def _searching(plan: Plan, facts: Sequence[Record]) -> Searching | None:
    """The searches of a study that tunes, as its facts leave them; Optuna is needed for nothing
    else that trains.
    """
    if plan.study.tune is None:
        return None
    from cbablate.searching.searches import Searching

    return Searching(plan, facts)


def _brought_on(
    study: _Study, executor: Callable[[], Executor], audience: _Audience, checkpoint_every: float
) -> Trained:
    """Train and time what is missing, if anything is."""
    plan, display = study.plan, audience.display
    checkpoints = Checkpoints(
        Place(study.ledger.folder).checkpoints,
        every=checkpoint_every,
        open_ended=plan.description.open_ended,
        tell=display.say,
    )
    checkpoints.clear(study.book.histories)
    Place(study.ledger.folder).logs(display.say).tidy()
    for line in gap_lines(plan):
        display.say(line)
    if not (study.unfinished or study.untimed):
        declare(study.standing.asked, study.ledger, study.book)
        return Trained()
    display.say("starting")
    require_descriptors()
    with executor() as running:
        display.slots = running.slots
        return _trained(study, running, audience, checkpoints)


def _trained(
    study: _Study, executor: Executor, audience: _Audience, checkpoints: Checkpoints
) -> Trained:
    """Train what is missing, and time all arms if some are not timed."""
    plan, ledger, display = study.plan, study.ledger, audience.display
    session = secrets.token_hex(6)
    ledger.append(session_fact(plan.study.folder).record(session))
    unfinished = study.unfinished
    if unfinished:
        own = plan.description.own is not None
        display.say(f"verifying that {'the workload can run' if own else 'every arm can be built'}")
        verify(plan, executor)
        for trial in {trial.arm: trial for trial in plan.trials}.values():
            executor.needs_of(trial)  # what no machine holds is refused before the first trial
    declare(study.standing.asked, ledger, study.book)
    conductor = Conductor(
        plan,
        ledger,
        study.book,
        session=session,
        executor=executor.name,
        needs_of=executor.needs_of,
        searching=study.searching,
        checkpoints=checkpoints,
        logs=Place(ledger.folder).logs(display.say),
        watchers=(display, audience.mirrors),
    )
    if unfinished:
        limits = Limits(time=plan.study.time_limit, silence=plan.study.silence_limit)
        workload, grouping = entry(plan, plan.description.run), grouping_of(plan)
        executor.execute(conductor, workload, checkpoints, limits=limits, grouping=grouping)
    remarks = tuple(study.searching.remarks) if study.searching else ()
    halted = (conductor.halted,) if conductor.halted else ()
    failure = _timed(study, executor, conductor.recorder, display)
    return Trained(conductor.trained, (*halted, *failure), remarks)


def _timed(
    study: _Study, executor: Executor, recorder: Recorder, display: Display
) -> tuple[str, ...]:
    """Time the arms that are not timed; a sentence if that failed, for what was trained is
    published all the same.
    """
    arms = study.untimed
    if not arms:
        return ()
    display.say(f"timing {len(arms)} arms, each alone, {TIMING_ROUNDS} rounds")
    try:
        time_arms(study.plan, arms, executor=executor, recorder=recorder)
    except Exception as error:  # noqa: BLE001 - told, and what was trained is published
        return (f"The arms could not be timed: {type(error).__name__}: {error}",)
    return ()
