"""What must hold after a round, whatever disturbed it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cbablate.errors import CbablateError
from cbablate.records.place import Place
from cbablate.records.record import Record
from tests.faults.bench import Bench, Driver, undisturbed

__all__ = ["CODES", "FAULTS", "Round", "acknowledged", "facts_in", "labels_of"]

FAULTS = ("lost", "repeated", "bytes", "left", "traceback", "code")
"""Kinds of fault: a finished trial lost; one trained again; other bytes in a table; something left
behind; a traceback; an exit code that is not of the list, or 0 for less than was asked."""
CODES = (0, 2, 3, 4, 5, 6, 75, 130)

_ENDED = re.compile(r"^\d+/\d+(?: \(at most \d+\))? (?P<trial>.+?): (?:complete|pruned)\b", re.M)
_DONE = ("complete", "pruned")


@dataclass
class Round:
    """One round of a campaign: what was done to a study, and what did not hold.

    `blows` counts what was done: kills, damages, full disks. `windows` counts them by where they
    fell. A fault is its kind with a sentence.
    """

    campaign: str
    seed: int
    blows: int = 0
    windows: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, str]] = field(default_factory=list)
    _acknowledged: set[str] = field(default_factory=set, repr=False)
    _known: list[tuple[int, str]] = field(default_factory=list, repr=False)

    def fault(self, kind: str, sentence: str) -> None:
        """Something did not hold."""
        self.faults.append((kind, sentence))

    def ended(self, code: int | None, words: str, *, allowed: Iterable[int] = CODES) -> None:
        """A driver ended so: it says no traceback, and its code is one that it may end with."""
        if "Traceback (most recent call last)" in words:
            self.fault("traceback", words.strip().splitlines()[-1][:300])
        if code is None:
            self.fault("code", f"it did not end: {_last(words)}")
        elif code not in allowed:
            self.fault("code", f"exit code {code}: {_last(words)}")

    def heard(self, bench: Bench, words: str, results: Path | None = None) -> list[Record]:
        """What the ledger holds now: nothing that was there before or that a driver said is gone.

        `words` are a driver's, on stderr. Gives the facts.
        """
        self._acknowledged |= acknowledged(words)
        try:
            facts = facts_in(results or bench.results)
        except CbablateError as error:
            self.fault("lost", f"the ledger cannot be read: {str(error)[:200]}")
            return []
        now = [(fact.sequence, fact.digest()) for fact in facts]
        if now[: len(self._known)] != self._known:
            self.fault("lost", f"{len(self._known)} facts were there, and not all are now")
        self._known = now
        missing = self._acknowledged - labels_of(facts)
        if missing:
            self.fault("lost", f"said to be finished, and not in the ledger: {sorted(missing)[:4]}")
        return facts

    def finished(
        self, bench: Bench, driver: Driver, code: int | None, results: Path | None = None
    ) -> None:
        """The last run of a round: complete, each trial trained once, the tables as undisturbed."""
        self.ended(code, driver.words, allowed=(0,))
        self.judge_facts(self.heard(bench, driver.words, results))
        self.judge_tables(bench, results)

    def judge_tables(self, bench: Bench, results: Path | None = None) -> None:
        """The published tables have the bytes of the undisturbed run's."""
        expected, found = undisturbed(bench.study), bench.products(results)
        for form, content in expected.items():
            if found.get(form) != content:
                self.fault("bytes", f"{bench.study}.{form} is not the undisturbed run's")

    def judge_facts(self, facts: Sequence[Record]) -> None:
        """No trial is begun or measured again once it is over, and none is left open."""
        over: set[str] = set()
        open_: dict[str, str] = {}
        for fact in facts:
            trial = fact.subject
            if trial in over and fact.kind in ("started", "measured", "ended"):
                self.fault("repeated", f"trial {trial}: {fact.kind} after its end")
            elif fact.kind == "started":
                open_[trial] = str(fact.body.get("session", ""))
            elif fact.kind == "ended":
                open_.pop(trial, None)
                if fact.body["state"] in _DONE:
                    over.add(trial)
        if open_:
            self.fault("code", f"{len(open_)} trials are still under way after the end")

    def judge_leftovers(self, bench: Bench) -> None:
        """Nothing runs and nothing temporary lies about, 15 seconds after the end."""
        for sentence in bench.left_behind():
            self.fault("left", sentence)
        for path in bench.results.rglob("*.new"):
            self.fault("left", f"half written {path.name}")


def facts_in(results: Path) -> list[Record]:
    """All facts of a results folder, in order."""
    with Place(results).reading() as ledger:
        return ledger.records()


def acknowledged(words: str) -> set[str]:
    """The trials of which a driver said that they are complete or pruned, by their labels."""
    return {found["trial"] for found in _ENDED.finditer(words)}


def labels_of(facts: Sequence[Record]) -> set[str]:
    """What drivers call the trials that are complete or pruned by these facts."""
    names = {fact.subject: str(fact.body["name"]) for fact in facts if fact.kind == "arm"}
    searches: Mapping[str, str] = {}
    written: set[str] = set()
    bodies: dict[str, Mapping[str, object]] = {}
    for fact in facts:
        if fact.kind == "study":
            searches = fact.body.get("searches", {})
            written = set(fact.body["trials"])
        elif fact.kind == "trial":
            bodies[fact.subject] = fact.body
    found = set()
    for fact in facts:
        if fact.kind != "ended" or fact.body["state"] not in _DONE:
            continue
        body = bodies[fact.subject]
        if "search" in body:
            arm = names.get(searches.get(str(body["search"]), ""), "")
            found.add(f"{arm} search {body['replicate']}")
        else:
            name = names.get(str(body["arm"]), "")
            found.add(f"{name} #{body['replicate']}")
            if searches and fact.subject not in written:
                found.add(f"{name} tuned #{body['replicate']}")
    return found


def _last(words: str) -> str:
    return (words.strip().splitlines() or ["it said nothing"])[-1][:200]
