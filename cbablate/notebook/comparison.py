"""`sides`: two studies, each as its ledger has it, to be compared."""

from __future__ import annotations

from pathlib import Path

from cbablate.analysis.outcome import outcome
from cbablate.analysis.provenance.recorded_version import under_version
from cbablate.api import recorded
from cbablate.planning.plan import Plan
from cbablate.reporting.pages import difference
from cbablate.reporting.pages.difference import Side

__all__ = ["sides"]


def sides(
    plan: Plan,
    other: Plan,
    *,
    results: str | Path,
    other_results: str | Path,
    until: str | None = None,
    code: str | None = None,
    names: tuple[str, str] | None = None,
) -> tuple[Side, Side]:
    """Two studies as their ledgers have them, to be compared: see `diff`."""
    one, before = recorded(plan, results)
    two, after = recorded(other, other_results)
    one = under_version(one, before, code) if code else one
    before = difference.until(before, until) if until else before
    first, last = names or (plan.study.name, other.study.name)
    when = (f", until {until}" if until else "") + (f", code {code}" if code else "")
    return (
        difference.Side(f"{first}, {results}{when}", outcome(one, before).plan, before),
        difference.Side(f"{last}, {other_results}", outcome(two, after).plan, after),
    )
