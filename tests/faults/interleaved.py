"""Campaign `interleaved`: a ledger in which two drivers wrote at once.

Two runs of one study are shuffled into one ledger, each in its own order, as if nothing had kept
one of them out; that one is cut off somewhere. Whoever reads the ledger takes each fact for its own
attempt, or refuses: no trial counts as complete with part of a curve.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from cbablate.records.place import Place
from cbablate.records.record import Record
from tests.faults.bench import Bench, bench
from tests.faults.judge import Round, facts_in
from tests.faults.warm import Order, Warm

__all__ = ["Pair", "pair", "rounds", "shuffled"]

STUDY = "small"


@dataclass
class Pair:
    """The facts of two runs of one study, and the bench to shuffle them on."""

    bench: Bench
    first: list[Record]
    second: list[Record]


@contextmanager
def pair(warm: Warm) -> Iterator[Pair]:
    """Two runs, each in a folder of its own."""
    with bench(STUDY, 0) as at:
        runs = []
        for name in ("a", "b"):
            folder = at.folder / name
            code, words = warm.run(at, at.words("local", results=folder))
            if code != 0:
                raise RuntimeError(f"the run to shuffle ended with {code}: {words}")
            runs.append(facts_in(folder))
        yield Pair(at, *runs)


def rounds(warm: Warm, two: Pair, seed: int, *, blind: str = "") -> Iterator[Round]:
    """Rounds for ever, each another shuffle."""
    while True:
        yield shuffled(warm, two, seed, blind=blind)
        seed += 1


def shuffled(warm: Warm, two: Pair, seed: int, *, blind: str = "") -> Round:
    """One round: the shuffled ledger, run on."""
    draw, at = random.Random(seed), two.bench
    done = Round("two drivers, interleaved", seed, blows=1)
    at.remove_results()
    with Place(at.results).writing() as ledger:
        for fact in _shuffle(two, draw):
            ledger.append(Record(fact.kind, fact.subject, fact.body, fact.at))
    code, words = warm.run(at, at.words("local"), Order(blind=blind))
    done.windows[f"exit {code}"] += 1
    done.ended(code, words, allowed=(0, 5))
    if code == 0:
        done.judge_tables(at)
    return done


def _shuffle(two: Pair, draw: random.Random) -> list[Record]:
    """Both in lockstep, each in its own order; the second is cut off within some trial.

    It comes to what the first has planned; arms and trials are told once. Its last start falls half
    of the time just before the first driver ends that trial, which is where a mistake would show.
    """
    start = next(i for i, fact in enumerate(two.first) if fact.kind == "started")
    told = list(two.first[:start]) + [fact for fact in two.second if fact.kind == "session"]
    trials = [fact.subject for fact in two.first if fact.kind == "started"]
    last = draw.randrange(len(trials))
    for number, trial in enumerate(trials):
        ours = [fact for fact in two.first[start:] if fact.subject == trial]
        theirs = [fact for fact in two.second if fact.subject == trial and fact.kind != "trial"]
        if number < last:
            told += _merged(ours, theirs, draw)
        elif number == last:
            before = len(ours) - 1 if draw.random() < 0.5 else draw.randrange(len(ours))
            theirs = theirs[: draw.randint(1, len(theirs))]
            told += [*ours[:before], *_merged(ours[before:], theirs, draw)]
        else:
            told += ours
    return told


def _merged(
    first: Sequence[Record], second: Sequence[Record], draw: random.Random
) -> Iterator[Record]:
    """Two rows as one, each in its own order."""
    rows = [list(first), list(second)]
    while any(rows):
        yield draw.choice([row for row in rows if row]).pop(0)
