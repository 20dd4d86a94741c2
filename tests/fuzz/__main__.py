"""`python -m tests.fuzz [--seconds N] [TARGET...]`: by default ten minutes a target."""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.fuzzing import fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Fuzz the targets one after another; 1 if any failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, metavar="N", help="a target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    asked = parser.parse_args()
    unknown = {*asked.targets} - {*TARGETS}
    if unknown:
        parser.error(
            f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}"
        )
    faults = 0
    for name in asked.targets or TARGETS:
        tried, said = fuzz(name, asked.seconds)
        print(f"{name}: {tried:,} inputs, {'a fault, ' + said if said else 'no fault'}", flush=True)
        faults += bool(said)
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
