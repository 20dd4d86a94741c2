"""`as_recorded`: a plan under the version that its code has in a ledger.

An own workload's version is the digest of its code. Releases before 0.2 digested the text of its
files, so the same code has another version in their ledgers. There it goes on under that one:
its trials count, and what is trained anew stands beside them. Likewise a version that the user
vouches for, from the day on that it is written: trials of the code as it was on that day go on
counting. A `study` fact then says what goes by which version, so that this holds when the code
is edited later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cbablate.errors import UsageError
from cbablate.planning import plan as planning
from cbablate.planning.plan import Plan
from cbablate.records.facts import ArmFact, StudyFact
from cbablate.records.record import Record
from cbablate.spec.description import Description
from cbablate.spec.yaml import scalar

__all__ = ["as_recorded", "gap_lines", "under_version"]


def as_recorded(plan: Plan, facts: Iterable[Record]) -> Plan:
    """The plan with the version under which these facts know its workload's code, if they do."""
    version = _version(plan.description, facts)
    if version == plan.description.version:
        return plan
    return planning.plan(plan.study, replace(plan.description, version=version))


def under_version(plan: Plan, facts: Iterable[Record], digits: str) -> Plan:
    """The plan as that version of its workload made it which begins with these digits.

    Raises:
        UsageError: these facts have no such version, or several.
    """
    arms = [ArmFact.of(fact) for fact in facts if fact.kind == "arm"]
    known = dict.fromkeys(arm.version for arm in arms if arm.workload == plan.description.name)
    found = [version for version in known if version.startswith(digits)]
    if len(found) != 1:
        there = ", ".join(version[:8] for version in known) or "none"
        which = "several versions" if found else "no version"
        raise UsageError(
            f"{which} of {plan.description.name} in these results begin{'s' * (not found)} with "
            f"{scalar.shown(digits)}; there are {there}"
        )
    return planning.plan(plan.study, replace(plan.description, version=found[0]))


def gap_lines(plan: Plan) -> tuple[str, ...]:
    """The sentence about files that nobody looked at when a plan's trials were made, if any.

    It is about a plan `as_recorded`, under the version of an earlier release.
    """
    described = plan.description
    if described.version not in described.former_versions or not described.former_gaps:
        return ()
    files = ", ".join(described.former_gaps[:3])
    more = f" and {len(described.former_gaps) - 3} more" if described.former_gaps[3:] else ""
    return (
        "Trials of this ledger count under the version that cbablate 0.1 gave to the code, which "
        f"did not look at {files}{more}. If they were edited after these trials, the trials are "
        "of other code: then run the study into another results folder.",
    )


def _version(described: Description, facts: Iterable[Record]) -> str:
    if described.own is None:
        return described.version
    known, named = set[str](), dict[str, str]()
    for fact in facts:
        if fact.kind == "arm" and (arm := ArmFact.of(fact)).workload == described.name:
            known.add(arm.version)
        elif fact.kind == "study" and (study := StudyFact.of(fact)).code:
            named[study.code] = study.version
    its_own = described.named_version
    for version in dict.fromkeys([its_own, described.own.digest]):
        for called in (version, named.get(version)):
            if called in known:
                return called
    return next((former for former in described.former_versions if former in known), its_own)
