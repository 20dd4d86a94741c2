"""Every statistic of the product against something that does not share its code.

    python -m benchmarks statistics [--quick] [--only WORD]

prints a table: what, against what, over how many cases, how far apart or how often, and what was
allowed. Exits with 1 where a bound is broken. `--quick` makes a tenth of the simulations.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version

from benchmarks.statistics_checks import (
    associations,
    designs,
    differences,
    looks,
    searches,
    summaries,
    tables,
)
from benchmarks.statistics_checks.check import Size

ROOMS = (differences, designs, summaries, associations, searches, looks, tables)


def main() -> int:
    """Run all checks, or those whose room or name has a word in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="differences, designs, summaries, ...")
    asked = parser.parse_args()
    began, broken, count = time.perf_counter(), 0, 0
    print(_made_with(), "\n")
    print("| what | against | n | found | allowed | |\n|---|---|---:|---|---|---|", flush=True)
    for room in ROOMS:
        if asked.only not in room.__name__:
            continue
        for one in room.checks(Size(asked.quick)):
            cells = (one.what, one.against, one.n, one.result, one.bound, one.verdict)
            print(f"| {' | '.join(cells)} |", flush=True)
            broken += one.holds is False
            count += 1
    print(f"\n{count} checks, {broken} broken; {time.perf_counter() - began:.0f} s")
    return 1 if broken else 0


def _made_with() -> str:
    """Python and the libraries that are compared with."""
    found = [f"Python {platform.python_version()}"]
    for name in ("numpy", "scipy", "statsmodels", "optuna"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


if __name__ == "__main__":
    sys.exit(main())
