"""`Recorder`: writes down what becomes of trials, and knows how each of these facts is spelled."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cbablate.analysis.provenance.timing import device_of
from cbablate.fingerprint import fingerprint
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.planning.search import searches
from cbablate.planning.trial import Trial
from cbablate.records.book import Book
from cbablate.records.facts import (
    ArmFact,
    Fact,
    Measured,
    Started,
    StudyFact,
    Timed,
    TrialFact,
    WorkerFact,
)
from cbablate.records.history import History
from cbablate.records.ledger import Ledger
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.records.state import TrialState, Verdict
from cbablate.running.checkpoints import CheckpointOrigin, Checkpoints
from cbablate.running.executors.port import Ending
from cbablate.running.expectation import Expectation
from cbablate.running.same_name import place
from cbablate.running.trial_end import End, end_of, not_finite
from cbablate.spec.needs import Needs

if TYPE_CHECKING:
    from cbablate.searching.searches import Candidate, Searching

__all__ = ["Recorder", "declare"]


@dataclass
class _Attempt:
    """An attempt under way: its number, how far it is, and its end if that is decided before."""

    number: int
    spent: int
    last: Measurement | None = None
    decided: End | None = None


class Recorder:
    """The one who writes a driver's facts; a fact is in the ledger when its method returns.

    A measurement that holds NaN or an infinity stops its trial, which is then FAILED as `diverged`;
    its numbers are not recorded. A checkpoint that no trial needs any more is removed.

    Args:
        ledger: what is written.
        book: what it says, which is told of every fact that is appended.
        told: histories of what it held at first.
        session: id of this driver's `session` fact.
        executor: name of what runs the trials.
        needs_of: what is reserved for a trial.
        expected: the metrics that trials must report.
        searching: the study's searches, which follow every fact; None for a study without.
        checkpoints: what trials go on from; None where nothing is kept.
        ran: the digest of the code that trials run, where their version does not tell.
    """

    def __init__(
        self,
        ledger: Ledger,
        book: Book,
        told: Mapping[str, History],
        *,
        session: str,
        executor: str,
        needs_of: Callable[[Trial], Needs],
        expected: Expectation,
        searching: Searching | None,
        checkpoints: Checkpoints | None,
        ran: str = "",
    ) -> None:
        self._ledger = ledger
        self.book = book
        self._told = told
        self._session = session
        self._executor = executor
        self._needs_of = needs_of
        self._expected = expected
        self._searching = searching
        self._checkpoints = checkpoints
        self._ran = ran
        self._attempts: dict[str, _Attempt] = {}
        self._begun: dict[str, int] = {}

    def declared(self, plan: Plan, *, asked: bool = False) -> None:
        """Record the arms and trials of a plan that are new; if it is `asked`, the study, too."""
        (declare if asked else _declare_trials)(plan, self._ledger, self.book)

    def proposed(self, proposed: Candidate) -> None:
        """Record what a search proposes; what cannot be trained has failed at once."""
        now, subject = round(time.time(), 3), proposed.subject
        proposal = proposed.fact.record(subject, now)
        if proposed.trial is not None:
            self._ledger.append(proposal, _trial_fact(proposed.trial).record(subject, now))
            return
        ended = End.failed(proposed.refused, "error").fact().record(subject, now)
        self._ledger.append(proposal, ended)
        self._followed(ended)

    def started(self, trial: Trial, worker: Mapping[str, Any]) -> None:
        """Record that an attempt began, by which worker and from which checkpoint."""
        before = self._told.get(trial.id)
        origin = self._checkpoints.offered(trial.id) if self._checkpoints else CheckpointOrigin(0)
        number = self._begun.get(trial.id, before.attempts if before else 0) + 1
        self._begun[trial.id] = number
        self._attempts[trial.id] = _Attempt(number, origin.spent)
        shorter = self._told.get(origin.shorter)
        start = Started(
            attempt=number,
            session=self._session,
            executor=self._executor,
            worker=self._worker(worker) if worker else "",
            gpus=self._needs_of(trial).reserved_gpus,
            reached=origin.spent,
            shorter=shorter.trial if shorter else "",
            sessions=shorter.sessions if shorter else (),
            workers=shorter.workers if shorter else (),
            code=self._ran,
        )
        self._expected.began(trial, str(worker.get("node", "")))
        self._tell(trial.id, start)
        if shorter is not None and not _holds(before, origin.spent):
            now, shared = round(time.time(), 3), _shared(shorter, origin.spent)
            facts = (Measured(each, number, self._session) for each in shared)
            self._ledger.append(*(fact.record(trial.id, now) for fact in facts))

    def attempt_at(self, trial: Trial) -> int:
        """The number of the attempt at a trial that is under way."""
        return self._attempts[trial.id].number

    def refused(self, trial: Trial, measurement: Measurement) -> str:
        """Why a measurement cannot be recorded, which is then why its trial failed; "" if it can.

        One that is not finite cannot, nor a trial's first that lacks what the study asks for.
        """
        attempt = self._attempts[trial.id]
        fault, failure = not_finite(measurement, trial.budget.unit), "diverged"
        if not fault and attempt.last is None:
            fault, failure = self._expected.first(trial, measurement), "no measurement"
        if fault:
            attempt.decided = End.failed(fault, failure)
        return fault

    def measured(self, trial: Trial, measurement: Measurement) -> Verdict:
        """Record a measurement; what its search says to it."""
        attempt = self._attempts[trial.id]
        verdict = self._tell(trial.id, Measured(measurement, attempt.number, self._session))
        attempt.spent, attempt.last = measurement.spent, measurement
        return verdict

    def ended(self, trial: Trial, ending: Ending) -> End:
        """Record the end of an attempt, whose state follows from how it ended."""
        attempt = self._attempts.pop(trial.id)
        spent, last = attempt.spent, attempt.last
        end = attempt.decided or end_of(
            trial, ending, spent=spent, last=last, lacking=self._lacking
        )
        if end.failure == "other code":
            self._expected.halt(trial, end.reason)
        elif last is not None and spent == trial.budget.amount:
            self._expected.ended(trial, last)
        elif ending.how == "raised" and end.failure == "no measurement":
            self._expected.unusable(trial, end.reason)
        self._expected.came_to(trial, end, measured=last is not None)
        self._tell(trial.id, end.fact(attempt.number, self._session))
        if self._checkpoints and not _resumable(trial, end, ending, measured=last is not None):
            self._checkpoints.drop(trial.id)
        return end

    def timed(self, worker: Mapping[str, Any], timings: Mapping[str, Any]) -> None:
        """Record what the arms so named took when each was timed alone, under one batch."""
        batch, ran, now = secrets.token_hex(6), self._worker(worker), round(time.time(), 3)
        device = device_of(_worker_fact(worker).host)
        self._ledger.append(
            *(
                Timed(batch, metrics, device, self._session, ran).record(arm, now)
                for arm, metrics in timings.items()
            )
        )

    def _lacking(self, last: Measurement | None) -> str:
        return self._searching.lacking(last) if self._searching else ""

    def _worker(self, body: Mapping[str, Any]) -> str:
        """The subject of a worker's fact, which is recorded once."""
        worker = fingerprint(body)
        if worker not in self.book.subjects("worker"):
            self._ledger.append(_worker_fact(body).record(worker))
        return worker

    def _tell(self, subject: str, fact: Fact) -> Verdict:
        record = fact.record(subject)
        self._ledger.append(record)
        return self._followed(record)

    def _followed(self, fact: Record) -> Verdict:
        """What the searches say to a fact that was recorded just now."""
        return self._searching.follow(fact) if self._searching else Verdict()


def declare(plan: Plan, ledger: Ledger, book: Book) -> None:
    """Record what is planned: the study as it now stands, and arms and trials not yet known."""
    _declare_trials(plan, ledger, book)
    named, version = plan.description.named_version, plan.description.version
    code = named if named != version else ""
    study = StudyFact(
        study=plan.study.model_dump(mode="json"),
        folder=str(plan.study.folder.resolve()),
        place=place(plan.study, ledger.folder),
        trials=[trial.id for trial in plan.trials],
        code=code,
        version=version if code else "",
        searches={search.id: search.arm.id for search in searches(plan)},
    )
    before = book.last("study", plan.study.name)
    if before is None or StudyFact.of(before) != study:
        ledger.append(study.record(plan.study.name))


def _declare_trials(plan: Plan, ledger: Ledger, book: Book) -> None:
    """Record the arms and trials of a plan that the ledger does not know."""
    now = round(time.time(), 3)
    arms, trials = book.subjects("arm"), book.subjects("trial")
    facts = [_arm_fact(plan, arm).record(arm.id, now) for arm in plan.arms if arm.id not in arms]
    facts += [
        _trial_fact(trial).record(trial.id, now) for trial in plan.trials if trial.id not in trials
    ]
    ledger.append(*facts)


def _arm_fact(plan: Plan, arm: Arm) -> ArmFact:
    return ArmFact(
        name=arm.name,
        levels=arm.levels,
        config=arm.config,
        workload=plan.description.name,
        version=plan.description.version,
        data=plan.description.data(arm.config),
    )


def _trial_fact(trial: Trial) -> TrialFact:
    return TrialFact(
        arm=trial.arm,
        replicate=trial.replicate,
        seed=trial.seed,
        budget={trial.budget.unit: trial.budget.amount},
        search=trial.search,
    )


def _holds(history: History | None, spent: int) -> bool:
    """Whether a trial has a measurement after so much of its budget."""
    return history is not None and any(each.spent == spent for each in history.measurements)


def _shared(shorter: History, reached: int) -> list[Measurement]:
    """What a shorter trial measured on the way that it shares with a longer one.

    What is measured only at the end of a training is not part of that; of a training that
    measured once, its end, nothing is known to be.
    """
    if len(shorter.measurements) == 1:
        return []
    first = shorter.measurements[0]
    return [
        replace(
            each,
            metrics={name: value for name, value in each.metrics.items() if name in first.metrics},
            vectors={name: value for name, value in each.vectors.items() if name in first.vectors},
            sketches={},
        )
        for each in shorter.measurements
        if each.spent <= reached
    ]


def _resumable(trial: Trial, end: End, ending: Ending, *, measured: bool) -> bool:
    """Whether a further attempt at an ended trial would go on from its checkpoint.

    A search goes on without its failed trials. And where the workload raised before it measured
    anything, the checkpoint may be why.
    """
    again = end.state is TrialState.FAILED and end.failure != "diverged" and not trial.search
    return again and (measured or ending.how == "lost")


def _worker_fact(body: Mapping[str, Any]) -> WorkerFact:
    """The fact of what a worker says of itself; a stranger's executor may say more than it has."""
    return WorkerFact.of(Record("worker", "", body, 0.0))
