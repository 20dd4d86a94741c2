"""Driving a study: from a plan to recorded facts, published tables and mirrors brought up."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cbablate.analysis.absence import unreported
from cbablate.analysis.course import asked
from cbablate.analysis.provenance.recorded_version import as_recorded, gap_lines
from cbablate.analysis.provenance.timing import device_of
from cbablate.analysis.searches.confirmation import confirmations, whole
from cbablate.analysis.searches.tuning import Tuning, tunings
from cbablate.errors import EnvironmentFault, StudyError
from cbablate.mirrors.port import Mirror, MirrorThread, MirrorUnreachable, StudyState
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.crash_point import crash_point
from cbablate.records.history import History, histories
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.records.sqlite.ledger import Ledger
from cbablate.records.state import TrialState
from cbablate.running.checkpoints import CHECKPOINT_SECONDS, Checkpoints
from cbablate.running.conductor import Conductor, Workers, declare, waiting
from cbablate.running.display import Display
from cbablate.running.executors.port import Executor
from cbablate.running.executors.ray_folder import ROOTS
from cbablate.running.executors.worker import MEASURED_HERE
from cbablate.running.isolation.descriptors import require_descriptors
from cbablate.running.isolation.limits import Limits
from cbablate.running.isolation.scratch import clear_abandoned
from cbablate.running.namesake import refuse_namesake
from cbablate.running.session import session_body
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.import_check import refusal
from cbablate.workloads.own_code.source import file_digest

if TYPE_CHECKING:
    from cbablate.searching.searches import Searching

__all__ = [
    "TIMING_ROUNDS",
    "Completion",
    "Publish",
    "drive",
    "entry",
    "observe",
    "sync",
    "untimed",
    "verify",
]

_CHECK = "cbablate.workloads.own_code.import_check:check_import"
Publish = Callable[[Sequence[Record]], list[Path]]
"""Writes tables and figures from the facts, and says where."""

TIMING_ROUNDS = 5
"""How often each arm is timed; rounds are interleaved over the arms, so that drift hits all."""


@dataclass(frozen=True)
class Completion:
    """What driving a study came to.

    `plan` is the plan as written with the confirmations. `trained` counts the trials that this
    call started; `states` the plan's trials by state now, `failures` the histories of those that
    failed: tuning trials are not among them, since a proposal that cannot be trained is an answer,
    too. Sentences: `searched` about each search, `unanswered` about what the study asks and no
    trial, timing or search tells, `missed` about mirrors that are not up to date. `facts` are all
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
    facts: Sequence[Record] = field(default=(), repr=False)

    @property
    def exit_code(self) -> int:
        """0 if every trial is complete or pruned and all that is asked was told, else 3."""
        ended = all(state.ended for state in self.states)
        return 3 if self.failures or self.unanswered or not ended else 0


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
        OwnedElsewhere, DamagedState, EnvironmentFault: as `Ledger.writing` says.
    """
    results = results.absolute()  # a workload in this process may change the working directory
    clear_abandoned(*ROOTS)  # here, since a run that has nothing to train starts no executor
    with Ledger.writing(results) as ledger:
        facts = ledger.records()
        told = histories(facts)
        plan = as_recorded(plan, facts)
        searching = _searching(plan, facts)
        refuse_namesake(plan, ledger)
        outcome = _Outcome()
        followed = mirrors()
        follower = MirrorThread(followed, plan, facts=lambda: _read(results))
        state, published = StudyState.INTERRUPTED, list[Path]()
        try:
            with Display(asked(plan, facts), told, tunings=tunings(plan, facts)) as display:
                checkpoints = Checkpoints(
                    results,
                    every=checkpoint_every,
                    open_ended=plan.description.open_ended,
                    tell=display.say,
                )
                checkpoints.clear(told)
                for line in gap_lines(plan):
                    display.say(line)
                if _unfinished(plan, facts, searching) or untimed(whole(plan, facts), facts):
                    watchers = (display, _Notice(follower))
                    outcome = _train(
                        plan,
                        ledger,
                        told,
                        executor=executor,
                        searching=searching,
                        checkpoints=checkpoints,
                        watchers=watchers,
                    )
                else:
                    declare(asked(plan, facts), ledger)
                facts = ledger.records()
                display.say("writing tables and figures")
                crash_point("publish.before")
                published = publish(facts)
                crash_point("publish.after")
                if followed:
                    display.say("bringing MLflow and Optuna up to date")
                completion = _completion(plan, facts, outcome)
                state = StudyState.FAILED if completion.exit_code else StudyState.COMPLETE
                missed = follower.finish(state, published)
        except BaseException:
            follower.finish(state, published, timeout=5.0)
            raise
    return replace(completion, published=tuple(published), missed=tuple(missed))


def sync(
    plan: Plan, facts: Sequence[Record], *, mirrors: Sequence[Mirror], publish: Publish
) -> None:
    """Bring mirrors up to date with facts, all of them even if one cannot be reached.

    Raises:
        MirrorUnreachable: one or more cannot be reached; all are named.
    """
    completion = _completion(plan, facts)
    state = StudyState.FAILED if completion.exit_code else StudyState.COMPLETE
    if not all(each.ended for each in completion.states):
        state = StudyState.INTERRUPTED
    published = publish(facts)
    missed: list[str] = []
    for mirror in mirrors:
        try:
            mirror.sync(asked(plan, facts), facts, state=state, artifacts=published)
        except MirrorUnreachable as error:
            missed.append(str(error))
        except Exception as error:  # noqa: BLE001 - the other mirrors are brought up all the same
            missed.append(f"{mirror.name} was not brought up to date: {error}")
    if missed:
        raise MirrorUnreachable("\n".join(missed))


def entry(plan: Plan, name: str) -> Entry:
    """One of the workload's entries (`run`, `verify`, `throughput`), to be loaded elsewhere.

    Raises:
        EnvironmentFault: a file of the user's has been edited since it was planned.
    """
    code = plan.description.code
    if code is None:
        return Entry(name)
    for one in code.modules:
        now = file_digest(Path(one.path)) if one.text is not None else one.digest
        if now not in ("", one.digest):
            raise EnvironmentFault(
                f"{one.path} was edited after the study was read: load and plan the study again"
            )
    return Entry(name, code)


def untimed(plan: Plan, facts: Iterable[Record]) -> dict[str, Arm]:
    """The arms to time, by id: all that a trial has completed, unless one stage covered them.

    Empty where the study reports no timing. Arms are timed together or not at all, because only
    numbers of one stage compare; an arm that cannot be trained is not waited for.
    """
    asked = any(
        (metric := plan.description.metrics.get(name)) is not None and metric.source == "timing"
        for name in plan.study.report
    )
    if not asked or plan.description.throughput is None:
        return {}
    told = list(facts)
    past = histories(told)
    trained = {
        trial.arm: plan.arm_of[trial.arm]
        for trial in plan.trials
        if (history := past.get(trial.id)) and history.state is TrialState.COMPLETE
    }
    covered: dict[str, set[str]] = {}
    for fact in told:
        if fact.kind == "timed":
            covered.setdefault(str(fact.body["batch"]), set()).add(fact.subject)
    if any(arms >= trained.keys() for arms in covered.values()):
        return {}
    return trained


def verify(plan: Plan, executor: Executor, *, arms: Iterable[Arm] | None = None) -> None:
    """Ask the workload about configs what only its libraries know, for all arms at once.

    A user's own workload is imported, and its function looked at.

    Raises:
        StudyError: one sentence or more about arms that cannot be, or about the user's file.
        EnvironmentFault: a package that the user's file imports is not installed.
    """
    if plan.description.code is not None:
        workload = entry(plan, plan.description.run)
        sentence, whose = executor.call(Entry(_CHECK), workload.name, workload.code)
        if sentence:
            raise refusal(f"{plan.study.name}: {sentence}", whose)
    if plan.description.verify is None:
        return
    configs = {arm.name: arm.config for arm in (plan.arms if arms is None else arms)}
    found: Mapping[str, Sequence[str]] = executor.call(
        entry(plan, plan.description.verify), configs, budget=plan.study.budget
    )
    concerned: dict[str, list[str]] = {}
    for name, texts in found.items():
        for text in texts:
            concerned.setdefault(text, []).append(f"'{name}'")
    if concerned:
        raise StudyError(
            "\n".join(
                f"{plan.study.name}: "
                f"{'every arm' if len(names) == len(configs) > 1 else 'arm ' + ', '.join(names)}: "
                f"{text}"
                for text, names in concerned.items()
            )
        )


def observe(plan: Plan, executor: Executor) -> dict[str, list[str]]:
    """What the workload says that a person should know, by arm name; nothing of most."""
    if plan.description.observe is None:
        return {}
    configs = {arm.name: arm.config for arm in plan.arms}
    found: dict[str, list[str]] = executor.call(entry(plan, plan.description.observe), configs)
    return found


@dataclass(frozen=True)
class _Outcome:
    """What training came to: how many trials began, and sentences on what went otherwise."""

    trained: int = 0
    untold: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def _searching(plan: Plan, facts: Sequence[Record]) -> Searching | None:
    """The searches of a study that tunes, as its facts leave them; Optuna is needed for nothing
    else that trains.
    """
    if plan.study.tune is None:
        return None
    from cbablate.searching.searches import Searching

    return Searching(plan, facts)


def _unfinished(plan: Plan, facts: Sequence[Record], searching: Searching | None) -> bool:
    """Whether there is anything to train."""
    told = histories(facts)
    if waiting(asked(plan, facts), told):
        return True
    if searching is None:
        return False
    if searching.left() or not all(searching.over(arm.id) for arm in plan.arms):
        return True
    return bool(waiting(confirmations(plan, facts), told))


def _train(
    plan: Plan,
    ledger: Ledger,
    told: Mapping[str, History],
    *,
    executor: Callable[[], Executor],
    searching: Searching | None,
    checkpoints: Checkpoints,
    watchers: tuple[Display, _Notice],
) -> _Outcome:
    """Train and time what is missing."""
    display = watchers[0]
    display.say("starting")
    require_descriptors()
    with executor() as running:
        display.slots = running.slots
        session = secrets.token_hex(6)
        ledger.tell("session", session, session_body(plan.study.folder))
        missing = _unfinished(plan, ledger.records(), searching)
        if missing:
            display.say("verifying that every arm can be built")
            verify(plan, running)
        declare(asked(plan, ledger.records()), ledger)
        conductor = Conductor(
            plan,
            ledger,
            told,
            session=session,
            executor=running.name,
            gpus=running.gpus,
            searching=searching,
            checkpoints=checkpoints,
            watchers=watchers,
        )
        if missing:
            limits = Limits(time=plan.study.time_limit, silence=plan.study.silence_limit)
            running.execute(
                conductor, entry(plan, plan.description.run), checkpoints, limits=limits
            )
        remarks = tuple(searching.remarks) if searching else ()
        untold: tuple[str, ...] = (conductor.halted,) if conductor.halted else ()
        facts = ledger.records()
        arms = untimed(whole(plan, facts), facts)
        if arms:
            display.say(f"timing {len(arms)} arms, each alone, {TIMING_ROUNDS} rounds")
            try:
                _time(plan, ledger, running, arms=arms, session=session, workers=conductor.workers)
            except Exception as error:  # noqa: BLE001 - what was trained is published all the same
                untold += (f"The arms could not be timed: {type(error).__name__}: {error}",)
    return _Outcome(conductor.trained, untold, remarks)


def _time(
    plan: Plan,
    ledger: Ledger,
    executor: Executor,
    *,
    arms: Mapping[str, Arm],
    session: str,
    workers: Workers,
) -> None:
    """Time these arms, each alone, and record what came out under one batch."""
    configs = {name: arm.config for name, arm in arms.items()}
    worker, timings = executor.call(
        Entry(MEASURED_HERE),
        entry(plan, str(plan.description.throughput)),
        configs,
        rounds=TIMING_ROUNDS,
    )
    stage = {
        "batch": secrets.token_hex(6),
        "session": session,
        "worker": workers.id_of(worker),
        "device": device_of(worker),
    }
    at = round(time.time(), 3)
    ledger.append(
        *(
            Record("timed", arm, {**stage, "metrics": metrics}, at)
            for arm, metrics in timings.items()
        )
    )


def _completion(plan: Plan, facts: Sequence[Record], outcome: _Outcome = _Outcome()) -> Completion:
    now, unknown = histories(facts), History(trial="")
    both = whole(plan, facts)
    ours = {trial.id: now.get(trial.id, unknown) for trial in both.trials}
    found = tunings(plan, facts)
    return Completion(
        plan=both,
        trained=outcome.trained,
        states=Counter(history.state for history in ours.values()),
        failures={
            trial: history for trial, history in ours.items() if history.state is TrialState.FAILED
        },
        unanswered=(
            *unreported(plan, ours.values()),
            *(_fruitless(tuning) for tuning in found if tuning.over and tuning.best is None),
            *outcome.untold,
        ),
        searched=(*(_effort(tuning) for tuning in found), *outcome.remarks),
        facts=facts,
    )


def _effort(tuning: Tuning) -> str:
    """What a search was given and came to, as a sentence."""
    counts = {"complete": tuning.complete, "pruned": tuning.pruned, "failed": tuning.failed}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "none ended"
    text = f"Search of '{tuning.search.arm.name}': {len(tuning.attempts)} trials ({said})"
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
        f"The search of arm '{tuning.search.arm.name}' ended without a proposal to confirm: of "
        f"{len(tuning.attempts)} trials {tuning.complete} are complete"
        + (f" ({said})" if said else "")
        + ". Its tuned row stays empty."
    )


def _read(results: Path) -> list[Record]:
    with Ledger.reading(results) as ledger:
        return ledger.records()


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
