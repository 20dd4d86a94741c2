"""A driver of a tuned toy study, to be killed. Its words: RESULTS local|ray SECONDS."""

from __future__ import annotations

import sys
from pathlib import Path

from cbablate.api import Resources
from cbablate.planning.plan import Plan
from cbablate.running.drive import drive
from cbablate.spec.sweep import Pruner
from tests.toys import tuned_plan


def study(seconds: float) -> Plan:
    return tuned_plan(
        {"ceiling": 2.0},
        trials=8,
        epochs=4,
        replicates=2,
        seconds=seconds,
        pruner=Pruner(name="successive_halving", options={"first_rung": 1, "reduction": 2}),
    )


if __name__ == "__main__":
    results, on, seconds = sys.argv[1:]
    resources = Resources(on=on, slots=None if on == "local" else 2)
    done = drive(
        study(float(seconds)),
        results=Path(results),
        executor=resources.executor,
        publish=lambda facts: [],
    )
    sys.exit(done.exit_code)
