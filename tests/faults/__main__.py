"""The command: campaigns of faults against `cbablate`, and what came of them as a table.

    python -m tests.faults [CAMPAIGN ...] [--kills N] [--seconds S] [--seed N]

Each round is repeated by its campaign, `--seed` as printed, and `--kills 1`.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tests.faults import damage, disk, driver, drivers, interleaved, power, under_ray
from tests.faults.judge import FAULTS, Round
from tests.faults.warm import warm

__all__ = ["CAMPAIGNS", "campaign", "table"]

Start = Callable[[int, ExitStack], Iterator[Round]]
"""Rounds from a seed on; what they share is opened on the stack."""


def _damage(seed: int, stack: ExitStack) -> Iterator[Round]:
    """Half-way and complete results, with mirrors and without, taking turns."""
    one = stack.enter_context(warm(mirrors=True))
    kinds = [(False, False), (True, False), (True, True)]
    specimens = [
        stack.enter_context(damage.specimen(one, ended=ended, mirrors=mirrors))
        for ended, mirrors in kinds
    ]
    turns = [damage.rounds(one, specimen, seed) for specimen in specimens]
    return itertools.chain.from_iterable(zip(*turns, strict=True))


def _power(seed: int, stack: ExitStack) -> Iterator[Round]:
    one = stack.enter_context(warm())
    return power.rounds(one, stack.enter_context(power.recording(one)), seed)


def _interleaved(seed: int, stack: ExitStack) -> Iterator[Round]:
    one = stack.enter_context(warm())
    return interleaved.rounds(one, stack.enter_context(interleaved.pair(one)), seed)


CAMPAIGNS: dict[str, Start] = {
    "driver": lambda seed, _: driver.rounds("local", seed),
    "points": lambda seed, _: driver.point_rounds(seed),
    "ray": lambda seed, _: driver.rounds("ray", seed),
    "worker": lambda seed, _: under_ray.rounds("worker", seed),
    "raylet": lambda seed, _: under_ray.rounds("raylet", seed),
    "gcs": lambda seed, _: under_ray.rounds("gcs", seed),
    "damage": _damage,
    "power": _power,
    "disk": lambda seed, stack: disk.rounds(stack.enter_context(warm()), seed),
    "drivers": lambda seed, _: drivers.rounds(seed),
    "interleaved": _interleaved,
}


@contextmanager
def _started(name: str, seed: int) -> Iterator[Iterator[Round]]:
    with ExitStack() as stack:
        yield CAMPAIGNS[name](seed, stack)


def campaign(name: str, *, kills: int, seconds: float, seed: int) -> list[Round]:
    """Rounds until there were so many blows, or the time is up; each is said as it ends."""
    done: list[Round] = []
    until = time.monotonic() + seconds
    with _started(name, seed) as rounds:
        for one in rounds:
            done.append(one)
            for kind, sentence in one.faults:
                print(f"{name}: seed {one.seed}: {kind}: {sentence}", file=sys.stderr, flush=True)
            if sum(each.blows for each in done) >= kills or time.monotonic() > until:
                break
    return done


def table(rounds: list[Round]) -> str:
    """What came of rounds, as a table in Markdown: a row for each campaign or file."""
    lines = [f"| campaign | blows | rounds | {' | '.join(FAULTS)} | where they fell |"]
    lines.append("|---|---:|---:|" + "---:|" * len(FAULTS) + "---|")
    for name in dict.fromkeys(each.campaign for each in rounds):
        ours = [each for each in rounds if each.campaign == name]
        faults = Counter(kind for each in ours for kind in {kind for kind, _ in each.faults})
        windows = sum((each.windows for each in ours), Counter[str]())
        where = ", ".join(f"{count} {window}" for window, count in windows.most_common())
        cells = [name, sum(each.blows for each in ours), len(ours)]
        cells += [faults[kind] for kind in FAULTS]
        lines.append(f"| {' | '.join(map(str, cells))} | {where} |")
    return "\n".join(lines)


def main() -> int:
    """Run what the words ask for; 1 if anything did not hold."""
    words = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    words.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help=", ".join(CAMPAIGNS))
    words.add_argument("--kills", type=int, default=20, help="blows of each campaign [20]")
    words.add_argument("--seconds", type=float, default=600, help="at most, of each [600]")
    words.add_argument("--seed", type=int, default=20260101, help="of the first round")
    asked = words.parse_args()
    unknown = set(asked.campaigns) - set(CAMPAIGNS)
    if unknown:
        words.error(f"there is no campaign {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that benches are cleared
    rounds: list[Round] = []
    for name in asked.campaigns or CAMPAIGNS:
        print(f"{name}: from seed {asked.seed}", file=sys.stderr, flush=True)
        rounds += campaign(name, kills=asked.kills, seconds=asked.seconds, seed=asked.seed)
    print(table(rounds))
    return int(any(one.faults for one in rounds))


if __name__ == "__main__":
    sys.exit(main())
