"""`vouched_for`: which code made the trials of a version that the user vouches for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cbablate.phrases import counted, first_few
from cbablate.planning.plan import Plan
from cbablate.records.facts import Started
from cbablate.records.history import History
from cbablate.records.record import Record
from cbablate.records.state import TrialState

__all__ = ["vouched_for"]


def vouched_for(
    plan: Plan, facts: Iterable[Record], told: Mapping[str, History]
) -> tuple[str, ...]:
    """The sentence about the code behind a plan's complete trials; none where nobody vouches, or
    none is complete. `told` are the histories of all trials in the ledger.
    """
    described = plan.description
    if not described.vouched or described.own is None:
        return ()
    complete = {
        trial.id: told[trial.id]
        for trial in plan.trials
        if trial.id in told and told[trial.id].state is TrialState.COMPLETE
    }
    codes: dict[str, None] = {}
    for fact in facts:
        if fact.kind == "started" and fact.subject in complete:
            start = Started.of(fact)
            if start.session in complete[fact.subject].sessions:
                codes[start.code or _unsaid(plan)] = None
    if not codes:
        return ()
    made = f"{counted(len(codes), 'version')} of {described.own.file}"
    which = first_few(code[:8] for code in codes).replace("; ", ", ")
    now = described.own.digest
    unlike = "" if now in codes else f"; what is here now is another ({now[:8]})"
    return (f"Vouched for as version {described.vouched}: made by {made} ({which}){unlike}.",)


def _unsaid(plan: Plan) -> str:
    """The code of a trial whose start does not tell it: its arm's version is then its digest."""
    known = plan.description.version
    return known if known != plan.description.named_version else "unknown"
