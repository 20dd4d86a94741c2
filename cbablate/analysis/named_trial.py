"""`NamedTrial`: a trial of a study as a person names it: by its arm and replicate, or by its id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cbablate.analysis.standing import Standing
from cbablate.errors import UsageError
from cbablate.records.history import History

__all__ = ["NamedTrial", "named_trial", "trials_of"]

_MOST = 20


@dataclass(frozen=True)
class NamedTrial:
    """A trial, its arm's name and its replicate; of a search's trial, its number there.

    `state` is a word of `TrialState`, `attempts` how often it was begun.
    """

    id: str
    arm: str
    replicate: int
    state: str
    attempts: int
    tuning: bool = False

    @property
    def tried_as(self) -> tuple[str, ...]:
        """What `run` calls a search's trial, of one search or of several."""
        return f"{self.arm} search {self.replicate}", f"{self.arm} trial {self.replicate}"

    def __str__(self) -> str:
        kind = " tuning" if self.tuning else ""
        return f"{self.id[:12]}  {self.arm}/{self.replicate}{kind}  {self.state}"


def trials_of(standing: Standing) -> Sequence[NamedTrial]:
    """The trials that a study asks for by now, and those that its searches have trained."""
    plan, histories = standing.whole, standing.histories
    names = {arm.id: arm.name for arm in plan.arms}
    waiting = History(trial="")
    found: dict[str, NamedTrial] = {}
    for trial in plan.trials:
        history = histories.get(trial.id, waiting)
        name = names[trial.arm]
        found[trial.id] = _named(trial.id, name, trial.replicate, history)
    for tuning in standing.tunings:
        for each in tuning.attempts:
            history = histories.get(each.trial, waiting)
            name = tuning.search.arm.name
            found[each.trial] = _named(each.trial, name, each.number, history, tuning=True)
    return tuple(found.values())


def _named(
    trial: str, arm: str, replicate: int, history: History, *, tuning: bool = False
) -> NamedTrial:
    state = history.state.value
    return NamedTrial(trial, arm, replicate, state, history.attempts, tuning=tuning)


def named_trial(
    trials: Sequence[NamedTrial], word: str, *, replicate: int | None = None
) -> NamedTrial:
    """The only trial that a word names: `MLP end/3` or `MLP end #3`, an arm, or how an id begins.

    An arm's name alone is its replicate 0, unless another is asked for.

    Raises:
        UsageError: none is called so, or several are; with those that there are.
    """
    of_arm = [each for each in trials if each.arm == word and not each.tuning]
    for sign in ("/", " tuned #", " #"):  # as listed below, and as `run` and `status` say it
        name, _, number = word.rpartition(sign)
        if not of_arm and number.isdecimal():
            of_arm = [each for each in trials if each.arm == name and not each.tuning]
            replicate = int(number) if of_arm else replicate
    wanted = replicate or 0
    found = [each for each in of_arm if each.replicate == wanted]
    found = found or [each for each in trials if each.tuning and word in each.tried_as]
    found = found or [each for each in trials if not of_arm and word and each.id.startswith(word)]
    if len(found) == 1:
        return found[0]
    if of_arm:
        raise UsageError(f"'{of_arm[0].arm}' has no replicate {wanted}.\n{_listed(of_arm)}")
    if found:
        raise UsageError(f"several trials are called '{word}', or so begin.\n{_listed(found)}")
    raise UsageError(f"there is no trial '{word}'.\n{_listed(trials)}")


def _listed(trials: Iterable[NamedTrial]) -> str:
    lines = [f"  {each}" for each in trials]
    more = [f"  and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return "\n".join(["There are:", *lines[:_MOST], *more])
