"""`Conductor`: gives an executor the trials of a plan, and records what becomes of them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from cbablate.analysis.course import asked
from cbablate.analysis.searches.tuning import best_proposals
from cbablate.fingerprint import fingerprint
from cbablate.planning.plan import Plan
from cbablate.planning.search import confirmed, searches
from cbablate.planning.trial import Trial
from cbablate.records.history import History, body_of
from cbablate.records.measurement import Measurement
from cbablate.records.record import Kind, Record
from cbablate.records.sqlite.ledger import Ledger
from cbablate.records.state import TrialState, Verdict
from cbablate.running.checkpoints import Checkpoints, Origin
from cbablate.running.executors.port import Ending
from cbablate.running.expectation import Expectation
from cbablate.running.namesake import place

if TYPE_CHECKING:
    from cbablate.searching.searches import Searching

__all__ = ["Conductor", "Watcher", "Workers", "declare", "waiting"]


class Watcher(Protocol):
    """Whoever follows a study as it goes on: a display, a mirror."""

    def planned(self, plan: Plan, over: Sequence[str]) -> None:
        """The searches of the arms so named are over: this plan has their confirmations. Or, with
        nobody named: a look asks for further replicates, and this plan has them.
        """
        ...

    def started(self, trial: Trial) -> None:
        """A trial began."""
        ...

    def measured(self, trial: Trial, measurement: Measurement) -> None:
        """A trial reported."""
        ...

    def ended(self, trial: Trial, state: TrialState, reason: str) -> None:
        """A trial ended, and its end is on disk."""
        ...


@dataclass(frozen=True)
class _End:
    state: TrialState
    reason: str = ""
    failure: str = ""
    traceback: str = ""


class Conductor:
    """The feed of a study's trials.

    Without searches: the plan's trials in its order. With them, whatever slot is free takes, in
    this order: a confirmation of an arm whose search is over; a tuning trial, arms taking turns;
    a trial of the plan as written, which waits for nothing and fills the slots that no search can
    use yet. Within confirmations and trials of the plan all arms of one replicate come first.
    Where the number of replicates grows, there is a look once all that were asked for have ended,
    and the trials that it asks for come next: none is trained ahead of a look.

    Every fact is in the ledger before anybody is told of it. A measurement that holds NaN or an
    infinity stops its trial, which is then FAILED as `diverged`; its numbers are not recorded.

    Args:
        plan: what is asked.
        ledger: what is told.
        told: histories of what it holds already.
        session: id of this driver's `session` fact.
        executor: name of what runs the trials.
        gpus: share of a GPU that a trial takes.
        searching: the study's searches; None for a study that does not tune.
        checkpoints: what trials go on from; those of a trial that needs none any more are
            removed. None where nothing is kept.
        watchers: who follows.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        told: Mapping[str, History],
        *,
        session: str,
        executor: str,
        gpus: float = 0.0,
        searching: Searching | None = None,
        checkpoints: Checkpoints | None = None,
        watchers: Sequence[Watcher] = (),
    ) -> None:
        self._plan = plan
        self._ledger = ledger
        self._told = told
        self._session = session
        self._executor = executor
        self._gpus = gpus
        self._searching = searching
        self._checkpoints = checkpoints
        self._watchers = watchers
        now = asked(plan, ledger.records()) if plan.study.sequential else plan
        self._written = deque(waiting(now, told))
        self._under_way: set[str] = set()
        self._begun = {trial.id for trial in self._written}
        self._again = deque(searching.left() if searching else ())
        self._confirming: deque[Trial] = deque()
        self._undecided = [arm.id for arm in plan.arms] if searching else []
        self._attempts: dict[str, dict[str, Any]] = {}
        self._spent: dict[str, int] = {}
        self._last: dict[str, Measurement] = {}
        self._diverged: dict[str, str] = {}
        self.workers = Workers(ledger)
        self._misspelt: dict[str, str] = {}
        self._expected = Expectation(plan, told)
        self.trained = 0
        """How many trials were begun."""
        if searching:
            for trial in self._again:
                searching.reopen(trial)
            self._confirm()

    @property
    def halted(self) -> str:
        """Why no further trial is started, though some wait; "" if none is held back."""
        return self._expected.halted

    @property
    def exhausted(self) -> bool:
        """Whether no trial waits, and none can come of those that are under way."""
        if self.halted:
            return True
        queues = (self._confirming, self._again, self._written)
        growing = self._plan.study.sequential is not None and self._under_way
        return not self._undecided and not any(queues) and not growing

    def next(self) -> Trial | None:
        """The next trial to start; None if there is none, or none before a running one ends."""
        if self.halted:
            return None
        for queue in (self._confirming, self._again):
            if queue:
                return queue.popleft()
        proposed = self._proposed()
        if proposed is None and self._confirming:  # the last proposals of a search were refused
            return self._confirming.popleft()
        if proposed is None and self._written:
            proposed = self._written.popleft()
            self._under_way.add(proposed.id)
        return proposed

    def started(self, trial: Trial, worker: Mapping[str, Any]) -> None:
        """Record that an attempt began, and by which worker."""
        before = self._told.get(trial.id)
        origin = self._checkpoints.offered(trial.id) if self._checkpoints else Origin(0)
        attempt = self._attempts.get(trial.id, {"attempt": before.attempts if before else 0})
        attempt = {"attempt": attempt["attempt"] + 1, "session": self._session}
        self._attempts[trial.id] = attempt
        body = {
            **attempt,
            "executor": self._executor,
            **({"worker": self.workers.id_of(worker)} if worker else {}),
            **({"gpus": self._gpus} if self._gpus else {}),
            **({"from": origin.spent} if origin.spent else {}),
        }
        shorter = self._told.get(origin.shorter)
        if shorter is not None:
            body |= {
                "of": shorter.trial,
                "sessions": list(shorter.sessions),
                "workers": list(shorter.workers),
            }
        self._tell("started", trial.id, body)
        if shorter is not None and not _holds(before, origin.spent):
            self._inherit(trial, shorter, origin.spent)
        self._spent[trial.id] = origin.spent
        self.trained += 1
        self._tell_watchers(lambda watcher: watcher.started(trial))

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        """Record a measurement; stop the trial if it is not finite, or its search says so."""
        fault = _not_finite(measurement, trial.budget.unit)
        if fault:
            self._diverged[trial.id] = fault
            return Verdict(stop=True, reason=fault)
        if trial.id not in self._last:
            fault = self._expected.first(trial, measurement)
            if fault:
                self._misspelt[trial.id] = fault
                return Verdict(stop=True, reason=fault)
        verdict = self._tell("measured", trial.id, self._of_attempt(trial, body_of(measurement)))
        self._spent[trial.id] = measurement.spent
        self._last[trial.id] = measurement
        self._tell_watchers(lambda watcher: watcher.measured(trial, measurement))
        return verdict

    def ended(self, trial: Trial, ending: Ending) -> None:
        """Record the end of an attempt, whose state follows from how it ended."""
        end = self._judged(trial, ending)
        last = self._last.pop(trial.id, None)
        measured = last is not None
        if last is not None and self._spent.get(trial.id) == trial.budget.amount:
            self._expected.ended(trial, last)
        elif ending.how == "raised" and end.failure == "no measurement":
            self._expected.unusable(trial, end.reason)
        self._tell("ended", trial.id, self._of_attempt(trial, _end_body(end)))
        if self._checkpoints and not _resumable(trial, end, ending, measured):
            self._checkpoints.drop(trial.id)
        self._tell_watchers(lambda watcher: watcher.ended(trial, end.state, end.reason))
        if trial.search:
            self._confirm()
        self._under_way.discard(trial.id)
        self._grow()

    def _inherit(self, trial: Trial, shorter: History, reached: int) -> None:
        """Record as this trial's own what a shorter one measured on the way that they share.

        What is measured only at the end of a training is not part of that; of a training that
        measured once, its end, nothing is known to be.
        """
        if len(shorter.measurements) == 1:
            return
        first, now = shorter.measurements[0], round(time.time(), 3)
        shared = [
            replace(
                each,
                metrics={
                    name: value for name, value in each.metrics.items() if name in first.metrics
                },
                vectors={
                    name: value for name, value in each.vectors.items() if name in first.vectors
                },
                sketches={},
            )
            for each in shorter.measurements
            if each.spent <= reached
        ]
        bodies = (self._of_attempt(trial, body_of(each)) for each in shared)
        self._ledger.append(*(Record("measured", trial.id, body, now) for body in bodies))

    def _of_attempt(self, trial: Trial, body: dict[str, Any]) -> dict[str, Any]:
        """The body of a fact about an attempt, with the attempt's name."""
        return body | self._attempts[trial.id]

    def _tell(self, kind: Kind, subject: str, body: Mapping[str, Any]) -> Verdict:
        """Record a fact, and let the searches take note of it."""
        fact = self._ledger.tell(kind, subject, body)
        return self._searching.follow(fact) if self._searching else Verdict()

    def _proposed(self) -> Trial | None:
        """The next proposal that can be trained, recorded as every one before it that cannot."""
        while self._searching and (proposed := self._searching.propose()) is not None:
            now, subject = round(time.time(), 3), proposed.subject
            said = Record("proposed", subject, proposed.body, now)
            if proposed.trial is not None:
                self._ledger.append(
                    said, Record("trial", subject, _trial_body(proposed.trial), now)
                )
                return proposed.trial
            end = _End(TrialState.FAILED, proposed.refused, "error")
            ended = Record("ended", subject, _end_body(end), now)
            self._ledger.append(said, ended)
            self._searching.follow(ended)
            self._confirm()
        return None

    def _confirm(self) -> None:
        """Line up the confirmations of arms whose search is over by now."""
        searching = self._searching
        if searching is None:
            return
        over = [arm for arm in self._undecided if searching.over(arm)]
        if not over:
            return
        self._undecided = [arm for arm in self._undecided if arm not in over]
        best = best_proposals(self._plan, self._ledger.records())
        tuned = confirmed(self._plan, {arm: best[arm] for arm in over if arm in best})
        _declare(tuned, self._ledger)
        new = [trial for trial in waiting(tuned, self._told) if trial.id not in self._begun]
        self._begun |= {trial.id for trial in new}
        names = [self._plan.arm_of[arm].name for arm in over]
        self._tell_watchers(lambda watcher: watcher.planned(tuned, names))
        self._confirming = deque(sorted([*self._confirming, *new], key=lambda t: t.replicate))

    def _grow(self) -> None:
        """Look, once nothing that was asked for waits or is under way; line up what is asked next.

        Trials that failed in this call are left to the next one: the look goes on without them.
        """
        if self._plan.study.sequential is None or self._written or self._under_way:
            return
        now = asked(self._plan, self._ledger.records())
        new = [trial for trial in waiting(now, self._told) if trial.id not in self._begun]
        if not new:
            return
        declare(now, self._ledger)
        self._begun |= {trial.id for trial in new}
        self._written.extend(new)
        self._tell_watchers(lambda watcher: watcher.planned(now, ()))

    def _judged(self, trial: Trial, ending: Ending) -> _End:
        diverged = self._diverged.pop(trial.id, "")
        if diverged:
            return _End(TrialState.FAILED, diverged, "diverged")
        misspelt = self._misspelt.pop(trial.id, "")
        if misspelt:
            return _End(TrialState.FAILED, misspelt, "no measurement")
        if ending.how == "stopped":
            return _End(TrialState.PRUNED, ending.sentence)
        if ending.how in ("raised", "lost"):
            failure = "lost" if ending.how == "lost" else ending.failure
            return _End(TrialState.FAILED, ending.sentence, failure, ending.traceback)
        spent, budget = self._spent.get(trial.id, 0), trial.budget
        if spent < budget.amount:
            return _End(
                TrialState.FAILED,
                f"the workload ended after {spent} of {budget.amount} {budget.unit}",
                "no measurement",
            )
        if trial.search and self._searching:
            lacking = self._searching.lacking(self._last.get(trial.id))
            if lacking:
                return _End(TrialState.FAILED, lacking, "no measurement")
        return _End(TrialState.COMPLETE)

    def _tell_watchers(self, tell: Callable[[Watcher], None]) -> None:
        for watcher in self._watchers:
            tell(watcher)


class Workers:
    """The workers that a ledger knows; a new one is recorded once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known = {fact.subject for fact in ledger.records(["worker"])}

    def id_of(self, body: Mapping[str, Any]) -> str:
        """The subject of the worker's fact, which is in the ledger when this returns."""
        worker = fingerprint(body)
        if worker not in self._known:
            self._ledger.tell("worker", worker, body)
            self._known.add(worker)
        return worker


def waiting(plan: Plan, told: Mapping[str, History]) -> list[Trial]:
    """The trials that running this plan now would start: its set minus what is settled.

    In the plan's order, but for trials that were under way at two deaths of their driver: they may
    be what killed it, and come last, so that the others are not held up for ever. One that got on
    from a checkpoint before its driver died again is as good as any.
    """
    new = History(trial="")
    left = [trial for trial in plan.trials if not told.get(trial.id, new).settled]
    return sorted(left, key=lambda trial: _suspect(told.get(trial.id, new)))


def _suspect(history: History) -> bool:
    got_on = 0 < history.reached < (history.last.spent if history.last else 0)
    return history.state is TrialState.RUNNING and history.attempts > 1 and not got_on


def declare(plan: Plan, ledger: Ledger) -> None:
    """Record what is planned: the study as it now stands, and arms and trials not yet known."""
    _declare(plan, ledger)
    study: dict[str, Any] = {
        "study": plan.study.model_dump(mode="json"),
        "folder": str(plan.study.folder.resolve()),
        "place": place(plan.study, ledger.path.parent),
        "trials": [trial.id for trial in plan.trials],
    }
    code = plan.description.code
    if code is not None and code.digest != plan.description.version:
        study |= {"code": code.digest, "version": plan.description.version}
    if plan.study.tune is not None:
        study["searches"] = {search.id: search.arm.id for search in searches(plan)}
    before = ledger.records(["study"], subject=plan.study.name)
    if not before or before[-1].body != study:
        ledger.tell("study", plan.study.name, study)


def _declare(plan: Plan, ledger: Ledger) -> None:
    """Record the arms and trials of a plan that the ledger does not know."""
    now = round(time.time(), 3)
    known: dict[Kind, set[str]] = {"arm": set(), "trial": set()}
    for fact in ledger.records(known):
        known[fact.kind].add(fact.subject)
    facts = [
        Record("arm", arm.id, _arm_body(plan, arm.id), now)
        for arm in plan.arms
        if arm.id not in known["arm"]
    ]
    facts += [
        Record("trial", trial.id, _trial_body(trial), now)
        for trial in plan.trials
        if trial.id not in known["trial"]
    ]
    ledger.append(*facts)


def _holds(history: History | None, spent: int) -> bool:
    """Whether a trial has a measurement after so much of its budget."""
    return history is not None and any(each.spent == spent for each in history.measurements)


def _resumable(trial: Trial, end: _End, ending: Ending, measured: bool) -> bool:
    """Whether a further attempt at an ended trial would go on from its checkpoint.

    A search goes on without its failed trials. And where the workload raised before it measured
    anything, the checkpoint may be why.
    """
    again = end.state is TrialState.FAILED and end.failure != "diverged" and not trial.search
    return again and (measured or ending.how == "lost")


def _arm_body(plan: Plan, arm_id: str) -> dict[str, Any]:
    arm = plan.arm_of[arm_id]
    return {
        "name": arm.name,
        "levels": dict(arm.levels),
        "config": dict(arm.config),
        "workload": plan.description.name,
        "version": plan.description.version,
        "data": plan.description.data(arm.config),
    }


def _trial_body(trial: Trial) -> dict[str, Any]:
    body = {
        "arm": trial.arm,
        "replicate": trial.replicate,
        "seed": trial.seed,
        "budget": {trial.budget.unit: trial.budget.amount},
    }
    return {**body, "search": trial.search} if trial.search else body


def _end_body(end: _End) -> dict[str, Any]:
    return {
        "state": end.state.value,
        "reason": end.reason,
        "failure": end.failure,
        "traceback": end.traceback,
    }


def _not_finite(measurement: Measurement, unit: str) -> str:
    """The sentence about a measurement with NaN or an infinity in it; empty if there is none."""
    for name, value in measurement.metrics.items():
        if not math.isfinite(value):
            return f"{name} is {value} after {measurement.spent} {unit}"
    for name, values in measurement.vectors.items():
        if not all(math.isfinite(value) for value in values):
            return f"{name} is not finite after {measurement.spent} {unit}"
    return ""
