"""`vouched_for`: which code made the trials of a version that the user vouches for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cbablate.phrases import counted, first_few
from cbablate.planning.plan import Plan
from cbablate.records.history import History
from cbablate.records.state import TrialState
from cbablate.spec.code import Code
from cbablate.spec.program import Program

__all__ = ["vouched_for"]


def vouched_for(plan: Plan, told: Mapping[str, History]) -> tuple[str, ...]:
    """The sentence about the code behind a plan's complete trials; none where nobody vouches or has
    vouched, or none is complete. `told` are the histories of all trials in the ledger.
    """
    described = plan.description
    if described.own is None:
        return ()
    past = [told[trial.id] for trial in plan.trials if trial.id in told]
    complete = [history for history in past if history.state is TrialState.COMPLETE]
    in_order = sorted(complete, key=lambda history: history.ended)
    codes = dict.fromkeys(code or _unsaid(plan) for history in in_order for code in history.codes)
    if not described.vouched:
        return tuple(_once_vouched(described.own, complete))
    if not codes:
        return ()
    made = f"{counted(len(codes), 'version')} of {described.own.file}"
    which = first_few(code[:8] for code in codes).replace("; ", ", ")
    now = described.own.digest
    unlike = "" if now in codes else f"; what is here now is another ({now[:8]})"
    return (f"Vouched for as version {described.vouched}: made by {made} ({which}){unlike}.",)


def _once_vouched(own: Code | Program, complete: list[History]) -> Iterator[str]:
    """The sentence about trials of other code that count because it was vouched for once."""
    others = [{*history.codes} - {"", own.digest} for history in complete]
    number = sum(map(bool, others))
    if number:
        which = ", ".join(code[:8] for code in sorted(set[str]().union(*others)))
        were = "1 trial was" if number == 1 else f"{number} trials were"
        yield (
            f"{were} made by another version of {own.file} ({which}), which was vouched for as the "
            "same then."
        )


def _unsaid(plan: Plan) -> str:
    """The code of a trial whose start does not tell it: its arm's version is then its digest."""
    known = plan.description.version
    return known if known != plan.description.named_version else "unknown"
