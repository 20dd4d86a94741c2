"""`Origin`: where numbers come from, so that a table that mixes origins can say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cbablate.analysis.provenance.timing import Timing
from cbablate.records.facts import SessionFact, WorkerFact
from cbablate.records.history import History
from cbablate.records.record import Record
from cbablate.spec.loading.changes import flatten

__all__ = ["Origin", "origin", "origin_of_timings"]

_PLACES = frozenset({"host", "hostname", "name", "node", "pid", "process", "user"})
"""Keys of a host's description that tell where it stands, not what it computes."""

_REMARKS = frozenset({"checkpoint"})
"""Notes that tell what happened on the way and decide no number."""


@dataclass(frozen=True)
class Origin:
    """What the trials that entered were made with: each trait with all values it had, sorted.

    Traits are `commit`, `versions.<library>`, `host.<part>` and `numerics.<note>` (device,
    precision, whatever the workload noted).
    """

    traits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def mixed(self) -> dict[str, tuple[str, ...]]:
        """The traits that differ between trials."""
        return {trait: values for trait, values in self.traits.items() if len(values) > 1}


def origin(entered: Iterable[History], facts: Iterable[Record]) -> Origin:
    """The origin of these trials: commits from their sessions, hosts and versions from their
    workers. A trial whose worker is not known (of a ledger of 0.1.0) has its session's.
    """
    traits = _traits_by_subject(facts)
    seen: dict[str, set[str]] = {}
    for history in entered:
        for session, worker in zip(history.sessions, history.workers, strict=True):
            _add(seen, traits.get(session, {}), traits.get(worker))
        for measurement in history.measurements:
            for key, said in measurement.notes.items():
                if key not in _REMARKS:
                    seen.setdefault(f"numerics.{key}", set()).add(str(said))
    return _origin(seen)


def origin_of_timings(timed: Iterable[Timing], facts: Iterable[Record]) -> Origin:
    """The origin of these timings, likewise; their device is told with them."""
    traits = _traits_by_subject(facts)
    seen: dict[str, set[str]] = {}
    for timing in timed:
        _add(seen, traits.get(timing.session, {}), traits.get(timing.worker))
    return _origin({trait: said for trait, said in seen.items() if not trait.startswith("host.")})


def _add(
    seen: dict[str, set[str]], session: Mapping[str, str], worker: Mapping[str, str] | None
) -> None:
    if worker is not None:
        commit = {trait: value for trait, value in session.items() if trait == "commit"}
        session = {**commit, **worker}
    for trait, value in session.items():
        seen.setdefault(trait, set()).add(value)


def _origin(seen: Mapping[str, set[str]]) -> Origin:
    return Origin({trait: tuple(sorted(seen[trait])) for trait in sorted(seen)})


def _traits_by_subject(facts: Iterable[Record]) -> dict[str, dict[str, str]]:
    """What sessions and workers say of themselves, by their ids."""
    found: dict[str, dict[str, str]] = {}
    for fact in facts:
        if fact.kind == "session":
            session = SessionFact.of(fact)
            found[fact.subject] = _traits(session.versions, session.host)
            if session.commit:
                found[fact.subject]["commit"] = f"{str(session.commit)[:12]}{session.edits}"
        elif fact.kind == "worker":
            worker = WorkerFact.of(fact)
            found[fact.subject] = _traits(worker.versions, worker.host)
    return found


def _traits(versions: Any, host: Any) -> dict[str, str]:
    traits: dict[str, str] = {}
    for group, told in (("versions", versions), ("host", host)):
        if isinstance(told, Mapping):
            traits |= {
                f"{group}.{key}": _word(value) for key, value in flatten(told) if key not in _PLACES
            }
        elif group == "versions" and told is not None:
            traits["versions"] = str(told)
    return traits


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
