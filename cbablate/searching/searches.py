"""`Searching`: the searches of a study under way: what they propose, and what becomes of it.

The ledger is where a search lives. A search that is taken up again is told the recorded facts in
their order, and its sampler then is what it was: with one slot it goes on to propose what it would
have proposed had nothing happened; with several, the order in which trials reported is replayed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from cbablate.errors import EnvironmentFault
from cbablate.fingerprint import fingerprint
from cbablate.planning.plan import Plan
from cbablate.planning.search import Search, searches
from cbablate.planning.search_turns import turn, wanted
from cbablate.planning.trial import Trial
from cbablate.records.facts import Proposed, Started
from cbablate.records.history import TRIAL_KINDS, History, fold
from cbablate.records.measurement import Measurement
from cbablate.records.record import Record
from cbablate.records.state import TrialState, Verdict
from cbablate.spec.sweep import Proposal, Sweep

try:
    from cbablate.searching.optuna_sampler import OptunaSampler
    from cbablate.searching.optuna_space import typed
except ImportError as error:
    raise EnvironmentFault(
        f"A study that tunes needs Optuna, which cannot be imported ({error}). Install it with "
        "`pip install optuna`, or leave `tune:` out."
    ) from error

__all__ = ["Candidate", "Searching"]


@dataclass(frozen=True)
class Candidate:
    """What a search proposed as its trial of this number; `trial` is None if it was `refused`."""

    search: Search
    number: int
    proposal: Proposal
    rejected: int
    refused: str
    trial: Trial | None

    @property
    def subject(self) -> str:
        """The trial's id, or what stands for it where there can be no trial."""
        if self.trial is not None:
            return self.trial.id
        return fingerprint({"search": self.search.id, "number": self.number})

    @property
    def fact(self) -> Proposed:
        """What is recorded of it."""
        return Proposed(self.search.id, self.number, self.proposal, self.rejected, self.refused)


class Searching:
    """All searches of a study, fed with facts in the order in which they are recorded.

    `remarks` are sentences for the person who runs the study.

    Args:
        plan: of a study that tunes.
        facts: what the ledger holds already.

    Raises:
        EnvironmentFault: a sampler needs a library that is not there.
        StudyError: Optuna refuses the sweep.
    """

    def __init__(self, plan: Plan, facts: Iterable[Record]) -> None:
        assert plan.study.tune is not None  # noqa: S101 - of a study that tunes: our own callers
        self._plan = plan
        self._sweep: Sweep = plan.study.tune
        self.searches = searches(plan)
        self._by_id = {search.id: search for search in self.searches}
        self._samplers = {search.id: OptunaSampler(search) for search in self.searches}
        self._proposed: dict[str, list[str]] = {search.id: [] for search in self.searches}
        self._of: dict[str, tuple[str, int, Proposal]] = {}
        self._open: dict[str, set[str]] = {search.id: set() for search in self.searches}
        self._told: dict[str, History] = {}
        self._hours: dict[str, float] = {}
        self._gpus: dict[str, float] = {}
        self._differing: set[str] = set()
        self.remarks: list[str] = []
        self._backlog: dict[str, list[Callable[[OptunaSampler], object]]] = {}
        for search in self.searches:
            self._backlog[search.id] = []
        for fact in facts:
            self._retold(fact)
        for search in self.searches:
            if not self.over(search.id):
                self._sampler(search.id)

    def propose(self) -> Candidate | None:
        """The next proposal, of the search whose turn it is; None if there is none to make now."""
        counts = [len(self._proposed[search.id]) for search in self.searches]
        index = turn(self._sweep, counts, **self._spent())
        if index is None:
            return None
        search = self.searches[index]
        asked = self._sampler(search.id).ask()
        trial, refused = None, asked.refused
        if not refused:
            try:
                trial = search.trial(asked.number, asked.proposal, self._plan.description)
            except ValidationError as error:
                refused = _told(error)
        proposed = Candidate(search, asked.number, asked.proposal, asked.rejected, refused, trial)
        self._enter(search.id, proposed.subject, asked.number, asked.proposal)
        return proposed

    def follow(self, fact: Record) -> Verdict:
        """Take note of a fact that was recorded just now; of a measurement, the verdict."""
        if fact.kind not in TRIAL_KINDS or fact.subject not in self._of:
            return Verdict()
        tell = self._noted(fact)
        if tell is None:
            return Verdict()
        reason = tell(self._sampler(self._of[fact.subject][0]))
        return Verdict(stop=bool(reason), reason=reason)

    def left(self) -> list[Trial]:
        """Trials that were proposed and are to be run now, in the order they were proposed.

        Those that had not ended when their driver died. A failed one was told to the sampler,
        which went on from there, and is left alone; but where no trial of a search was ever
        complete, the fault is hardly the proposals', and all but diverged ones are run again.
        """
        found: list[Trial] = []
        most = self._wanted()
        for subject, (search, number, proposal) in self._of.items():
            if number >= most:
                continue  # the sweep has been shortened since
            history = self._told.get(subject)
            if history is None or not history.state.ended or self._hopeful(search, history):
                trial = self._trial(search, number, proposal)
                if trial is not None and trial.id == subject:  # else it was refused
                    found.append(trial)
        return found

    def reopen(self, trial: Trial) -> None:
        """A trial that is left is to be run now: its search is not over before it has ended."""
        self._open[trial.search].add(trial.id)

    def over(self, search: str) -> bool:
        """Whether the search of this id has ended all trials it is to have."""
        most = self._wanted()
        still = any(self._of[subject][1] < most for subject in self._open[search])
        return len(self._proposed[search]) >= most and not still

    def lacking(self, last: Measurement | None) -> str:
        """What a trial's last measurement must tell its search and does not; "" if it tells all."""
        asked = [objective.metric for objective in self.searches[0].objectives]
        missing = [name for name in asked if last is None or name not in last.metrics]
        return f"no {', '.join(missing)} was measured at the end" if missing else ""

    def arm_of(self, trial: Trial) -> str:
        """The id of the planned arm that a tuning trial belongs to."""
        return self._by_id[trial.search].arm.id

    def _retold(self, fact: Record) -> None:
        """Take note of a fact that was recorded earlier; its sampler is told when it is needed."""
        if fact.kind == "proposed":
            said = Proposed.of(fact)
            search, number = said.search, said.number
            if search not in self._backlog:
                return
            proposal = typed(self._sweep, said.proposal)
            self._enter(search, fact.subject, number, proposal)
            self._backlog[search].append(lambda told: self._replay(told, search, number, proposal))
        elif fact.kind in TRIAL_KINDS and fact.subject in self._of:
            tell = self._noted(fact)
            if tell is not None:
                self._backlog[self._of[fact.subject][0]].append(tell)

    def _noted(self, fact: Record) -> Callable[[OptunaSampler], str] | None:
        """Take note of a fact about one of our trials; what its sampler must be told of it."""
        if not fold(self._told, fact):
            return None
        search, number, proposal = self._of[fact.subject]
        history = self._told[fact.subject]
        last, state = history.last, history.state
        if fact.kind == "started":
            self._open[search].add(fact.subject)
            self._gpus[fact.subject] = Started.of(fact).gpus
            return None
        if fact.kind == "measured":
            return lambda sampler: "" if last is None else sampler.report(number, last)
        self._open[search].discard(fact.subject)
        taken = max(0.0, history.ended - history.began) / 3600 if history.began else 0.0
        self._hours[fact.subject] = self._hours.get(fact.subject, 0.0) + taken
        history.measurements, history.times = [], []  # of thousands of trials, `last` is told

        def end(sampler: OptunaSampler) -> str:
            sampler.tell(number, state, last, proposal)
            return ""

        return end

    def _sampler(self, search: str) -> OptunaSampler:
        """The sampler of a search, told all that was recorded. One that is over may never be."""
        backlog, self._backlog[search] = self._backlog[search], []
        for tell in backlog:
            tell(self._samplers[search])
        return self._samplers[search]

    def _replay(self, sampler: OptunaSampler, search: str, number: int, proposal: Proposal) -> None:
        if not sampler.replay(number, proposal) and search not in self._differing:
            self._differing.add(search)
            self.remarks.append(
                f"The search of arm '{self._by_id[search].name}' would propose otherwise today "
                f"than was recorded, from trial {number} on (another version of Optuna, or another "
                "processor); what is recorded stands."
            )

    def _enter(self, search: str, subject: str, number: int, proposal: Proposal) -> None:
        self._proposed[search].append(subject)
        self._of[subject] = (search, number, proposal)
        self._open[search].add(subject)

    def _hopeful(self, search: str, history: History) -> bool:
        return (
            history.state is TrialState.FAILED
            and not history.settled
            and not any(
                self._told[one].state is TrialState.COMPLETE
                for one in self._proposed[search]
                if one in self._told
            )
        )

    def _trial(self, search: str, number: int, proposal: Proposal) -> Trial | None:
        try:
            return self._by_id[search].trial(number, proposal, self._plan.description)
        except ValidationError:
            return None

    def _wanted(self) -> int:
        """How many trials each search is to have, as things stand."""
        counts = [len(self._proposed[one.id]) for one in self.searches]
        return wanted(self._sweep, counts, **self._spent())

    def _spent(self) -> Mapping[str, float]:
        stop = self._sweep.stop
        if stop is None or (stop.hours is None and stop.gpu_hours is None):
            return {}
        return {
            "hours": math.fsum(self._hours.values()),
            "gpu_hours": math.fsum(h * self._gpus.get(t, 0.0) for t, h in self._hours.items()),
        }


def _told(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"the workload refuses {where}: {first['msg']}" if where else str(first["msg"])
