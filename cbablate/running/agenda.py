"""`Agenda`: what is to be trained next; one small class for each way in which a study goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from cbablate.analysis.standing import Standing
from cbablate.fingerprint import fingerprint
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.planning.tuned_plan import confirmed
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.running.recorder import Recorder

if TYPE_CHECKING:
    from cbablate.searching.searches import Searching

__all__ = [
    "Agenda",
    "Alike",
    "Announce",
    "Growing",
    "InOrder",
    "Tuned",
    "Written",
    "agenda_of",
    "waiting",
]

Announce = Callable[[Plan, Sequence[str]], None]
"""Says that a plan has new trials: confirmations of what the searches with these ids chose, or,
without any, the replicates that a look asks for."""

Alike = Callable[[Trial], object]
"""What trials must have in common, as a value to compare, to be trained as a group."""


class Agenda(Protocol):
    """The trials of a study in the order in which they are to start, as far as that is known."""

    @property
    def exhausted(self) -> bool:
        """Whether no trial waits, and none can come of those that are under way."""
        ...

    def next(self, most: int = 1) -> Sequence[Trial]:
        """The next trial to start, with up to so many in all of those that wait and are like it;
        none if there is none, or none before a running one ends.
        """
        ...

    def ended(self, trial: Trial) -> None:
        """A trial ended, this agenda's or another's, and its end is recorded."""
        ...


class Written:
    """The trials of a plan as written, in its order."""

    def __init__(self, trials: Iterable[Trial], alike: Alike) -> None:
        self._waiting = deque(trials)
        self._alike = alike

    @property
    def exhausted(self) -> bool:
        """Whether no trial waits."""
        return not self._waiting

    def next(self, most: int = 1) -> Sequence[Trial]:
        """The first that waits, and those like it."""
        return _taken(self._waiting, most, self._alike)

    def ended(self, trial: Trial) -> None:
        """Nothing comes of it."""


class Growing:
    """The trials of a study whose number of replicates grows with what is found.

    There is a look once all that were asked for have ended, and the trials that it asks for come
    next: none is trained ahead of a look.
    """

    def __init__(
        self,
        plan: Plan,
        told: Mapping[str, History],
        recorder: Recorder,
        announce: Announce,
        alike: Alike,
    ) -> None:
        self._alike = alike
        self._plan = plan
        self._told = told
        self._recorder = recorder
        self._announce = announce
        self._waiting = deque(waiting(Standing(plan, recorder.book).asked, told))
        self._begun = {trial.id for trial in self._waiting}
        self._under_way: set[str] = set()

    @property
    def exhausted(self) -> bool:
        """Whether no trial waits or is under way: a look comes with the last one's end."""
        return not self._waiting and not self._under_way

    def next(self, most: int = 1) -> Sequence[Trial]:
        """The first that waits, and those like it."""
        trials = _taken(self._waiting, most, self._alike)
        self._under_way |= {trial.id for trial in trials}
        return trials

    def ended(self, trial: Trial) -> None:
        """Look, if it was the last one under way; line up what is asked next.

        Trials that failed in this call are left to the next one: the look goes on without them.
        """
        self._under_way.discard(trial.id)
        if self._waiting or self._under_way:
            return
        now = Standing(self._plan, self._recorder.book).asked
        new = [trial for trial in waiting(now, self._told) if trial.id not in self._begun]
        if not new:
            return
        self._recorder.declared(now, asked=True)
        self._begun |= {trial.id for trial in new}
        self._waiting.extend(new)
        self._announce(now, ())


class Tuned:
    """The trials of a study's searches, and the confirmations that follow them.

    A confirmation at what a search that is over chose comes first, all arms of one replicate
    before the next; then a tuning trial that an earlier driver left; then a proposal, searches
    taking turns.

    Args:
        plan: of a study that tunes.
        told: histories of what the ledger holds already.
        searching: its searches.
        recorder: writes down what is proposed and confirmed.
        announce: called with each plan of confirmations.
        alike: what makes trials a group. A proposal is one of its own, since the next is made with
            what is known of it.
        others: ids of trials that another agenda has, which need no confirmation of their own.
    """

    def __init__(
        self,
        plan: Plan,
        told: Mapping[str, History],
        searching: Searching,
        recorder: Recorder,
        announce: Announce,
        alike: Alike,
        *,
        others: Iterable[str] = (),
    ) -> None:
        self._alike = alike
        self._plan = plan
        self._told = told
        self._searching = searching
        self._recorder = recorder
        self._announce = announce
        self._begun = set(others)
        self._again = deque(searching.left())
        self._confirming: deque[Trial] = deque()
        self._undecided = [search.id for search in searching.searches]
        for trial in self._again:
            searching.reopen(trial)
        self._confirm()

    @property
    def exhausted(self) -> bool:
        """Whether all searches are over and nothing waits."""
        return not (self._undecided or self._confirming or self._again)

    def next(self, most: int = 1) -> Sequence[Trial]:
        """What waits, else a proposal."""
        for queue in (self._confirming, self._again):
            if queue:
                return _taken(queue, most, self._alike)
        proposed = self._proposed()
        if proposed is not None:
            return (proposed,)
        return _taken(self._confirming, most, self._alike)  # the last proposals were refused

    def ended(self, trial: Trial) -> None:
        """Its search may be over by that."""
        if trial.search:
            self._confirm()

    def _proposed(self) -> Trial | None:
        """The next proposal that can be trained, recorded as every one before it that cannot."""
        while (proposed := self._searching.propose()) is not None:
            self._recorder.proposed(proposed)
            if proposed.trial is not None:
                return proposed.trial
            self._confirm()
        return None

    def _confirm(self) -> None:
        """Line up the confirmations of what searches chose that are over by now."""
        over = [search for search in self._undecided if self._searching.over(search)]
        if not over:
            return
        self._undecided = [search for search in self._undecided if search not in over]
        best = Standing(self._plan, self._recorder.book).proposals
        tuned = confirmed(self._plan, {one: best[one] for one in over if one in best})
        self._recorder.declared(tuned)
        new = [trial for trial in waiting(tuned, self._told) if trial.id not in self._begun]
        self._begun |= {trial.id for trial in new}
        self._announce(tuned, over)
        self._confirming = deque(sorted([*self._confirming, *new], key=lambda t: t.replicate))


class InOrder:
    """One agenda after another: a later one fills the slots that no earlier one can use yet."""

    def __init__(self, *agendas: Agenda) -> None:
        self._agendas = agendas

    @property
    def exhausted(self) -> bool:
        """Whether all of them are."""
        return all(agenda.exhausted for agenda in self._agendas)

    def next(self, most: int = 1) -> Sequence[Trial]:
        """The next trials of the first that has any now."""
        return next((trials for each in self._agendas if (trials := each.next(most))), ())

    def ended(self, trial: Trial) -> None:
        """Each hears of it."""
        for agenda in self._agendas:
            agenda.ended(trial)


def agenda_of(
    plan: Plan,
    told: Mapping[str, History],
    recorder: Recorder,
    *,
    searching: Searching | None,
    announce: Announce,
) -> Agenda:
    """The agenda of a study, from what its ledger holds already.

    Without searches it is the plan's trials. With them, a trial of the plan as written waits for
    nothing, and comes where no search has one to start.
    """
    alike = _alike_in(plan, told)
    if searching is None and plan.study.sequential is not None:
        return Growing(plan, told, recorder, announce, alike)
    trials = waiting(plan, told)
    written = Written(trials, alike)
    if searching is None:
        return written
    others = [trial.id for trial in trials]
    return InOrder(Tuned(plan, told, searching, recorder, announce, alike, others=others), written)


def _alike_in(plan: Plan, told: Mapping[str, History]) -> Alike:
    """What trials of this plan must have in common to be trained together."""
    together = plan.description.together
    shapes: dict[str, str] = {}

    def alike(trial: Trial) -> object:
        if together is None or _suspect(told.get(trial.id, History(trial=""))):
            return trial.id  # what may have killed its driver is trained alone
        if trial.arm not in shapes:
            shapes[trial.arm] = fingerprint(together.alike(trial.config))
        return shapes[trial.arm], trial.budget, trial.needs

    return alike


def _taken(waiting: deque[Trial], most: int, alike: Alike) -> Sequence[Trial]:
    """The first of a queue, and the next ones like it, taken out of the queue."""
    if not waiting:
        return ()
    first = waiting.popleft()
    if most == 1:
        return (first,)
    same = alike(first)
    others = list(islice((trial for trial in waiting if alike(trial) == same), most - 1))
    for trial in others:
        waiting.remove(trial)
    return first, *others


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
