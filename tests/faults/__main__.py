"""The command: campaigns of faults against `cbablate`, and what came of them as a table.

    python -m tests.faults [CAMPAIGN ...] [--kills N] [--seconds S] [--seed N]

Each round is repeated by its campaign, `--seed` as printed, and `--kills 1`.
"""

from __future__ import annotations

import argparse
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
    """Results half-way, complete, and complete with mirrors."""
    one = stack.enter_context(warm(mirrors=True))
    specimens = [
        stack.enter_context(damage.specimen(one, ended=ended, mirrors=mirrors))
        for ended, mirrors in ((False, False), (True, False), (True, True))
    ]
    return damage.rounds(one, specimens, seed)


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

LONG = {
    "driver": 200,
    "points": 10_000,
    "ray": 60,
    "worker": 60,
    "raylet": 10,
    "gcs": 10,
    "damage": 500 * 26,
    "power": 1000,
    "disk": 90,
    "drivers": 42,
    "interleaved": 100,
}
"""How many blows make a long campaign; of named points, all there are."""


@contextmanager
def _started(name: str, seed: int) -> Iterator[Iterator[Round]]:
    with ExitStack() as stack:
        yield CAMPAIGNS[name](seed, stack)


def campaign(name: str, *, kills: int, seconds: float, seed: int) -> Iterator[Round]:
    """Rounds until there were so many blows, or the time is up; their faults are said at once."""
    blows = 0
    with _started(name, seed) as rounds:
        until = time.monotonic() + seconds  # from here: what rounds share takes a while
        for one in rounds:
            for kind, sentence in one.faults:
                print(f"{name}: seed {one.seed}: {kind}: {sentence}", file=sys.stderr, flush=True)
            yield one
            blows += one.blows
            if blows >= kills or time.monotonic() > until:
                break


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
    words.add_argument("--kills", type=int, help="blows of each campaign [20]")
    words.add_argument("--seconds", type=float, help="at most, of each [600; --long: 7200]")
    words.add_argument("--long", action="store_true", help="as many blows as docs/reliability.md")
    words.add_argument("--seed", type=int, default=20260101, help="of the first round")
    asked = words.parse_args()
    unknown = set(asked.campaigns) - set(CAMPAIGNS)
    if unknown:
        words.error(f"there is no campaign {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that benches are cleared
    rounds: list[Round] = []
    try:
        for name in asked.campaigns or CAMPAIGNS:
            print(f"{name}: from seed {asked.seed}", file=sys.stderr, flush=True)
            kills = asked.kills or (LONG[name] if asked.long else 20)
            seconds = asked.seconds or (7200 if asked.long else 600)
            rounds.extend(campaign(name, kills=kills, seconds=seconds, seed=asked.seed))
    finally:  # what came of those that were run, however it ends
        print(table(rounds))
    return int(any(one.faults for one in rounds))


if __name__ == "__main__":
    sys.exit(main())
