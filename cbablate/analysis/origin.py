"""`Origin`: where numbers come from, so that a table that mixes origins can say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cbablate.analysis.timing import Timing
from cbablate.records.history import History
from cbablate.records.record import Record
from cbablate.spec.changes import flatten

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
    """The origin of these trials, from the sessions that the facts tell of."""
    sessions = {
        fact.subject: _session_traits(fact.body) for fact in facts if fact.kind == "session"
    }
    seen: dict[str, set[str]] = {}
    for history in entered:
        _add(seen, (sessions.get(session, {}) for session in history.sessions))
        for measurement in history.measurements:
            for key, said in measurement.notes.items():
                if key not in _REMARKS:
                    seen.setdefault(f"numerics.{key}", set()).add(str(said))
    return _origin(seen)


def origin_of_timings(timed: Iterable[Timing], facts: Iterable[Record]) -> Origin:
    """The origin of these timings, likewise; their device is told with them."""
    used = {timing.session for timing in timed}
    sessions = (fact.body for fact in facts if fact.kind == "session" and fact.subject in used)
    seen: dict[str, set[str]] = {}
    _add(seen, map(_session_traits, sessions))
    return _origin({trait: said for trait, said in seen.items() if not trait.startswith("host.")})


def _add(seen: dict[str, set[str]], sessions: Iterable[Mapping[str, str]]) -> None:
    for traits in sessions:
        for trait, value in traits.items():
            seen.setdefault(trait, set()).add(value)


def _origin(seen: Mapping[str, set[str]]) -> Origin:
    return Origin({trait: tuple(sorted(seen[trait])) for trait in sorted(seen)})


def _session_traits(body: Mapping[str, Any]) -> dict[str, str]:
    traits: dict[str, str] = {}
    if body.get("commit"):
        edited = " with uncommitted changes" if body.get("dirty") else ""
        traits["commit"] = f"{str(body['commit'])[:12]}{edited}"
    for group in ("versions", "host"):
        told = body.get(group, {})
        if isinstance(told, Mapping):
            traits |= {
                f"{group}.{key}": _word(value) for key, value in flatten(told) if key not in _PLACES
            }
        elif group == "versions":
            traits["versions"] = str(told)
    return traits


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
