"""Probing: a few steps of each shape of a plan's arms, in a child process, and what they told."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from cbablate.analysis.forecast import ArmShape, CostSample
from cbablate.errors import EnvironmentFault, in_a_line
from cbablate.planning.plan import Plan
from cbablate.running.verification import entry
from cbablate.spec.budget import Budget
from cbablate.workloads.catalog import SHIPPED
from cbablate.workloads.own_code.entry import Entry

__all__ = ["costs"]


def costs(
    plan: Plan, shapes: Sequence[ArmShape], *, tell: Callable[[str], None] = lambda _text: None
) -> Iterator[tuple[ArmShape, CostSample]]:
    """Each shape with its measured cost; one process for all, and another after one that died.

    Nothing is recorded. What the workload prints goes to stderr.

    Raises:
        EnvironmentFault: the workload cannot be probed.
    """
    if plan.description.cost is None:
        raise EnvironmentFault(
            f"workload {plan.description.name} cannot be probed: only the workloads that ship "
            f"({', '.join(sorted(SHIPPED))}) tell what a trial costs from a few of its steps. Run "
            "the study: after its first trial, `cbablate plan` tells from that how long the rest "
            "takes"
        )
    asked = entry(plan, plan.description.cost)
    pool = _pool()
    try:
        for number, shape in enumerate(shapes, start=1):
            tell(f"probing shape {number} of {len(shapes)}: {shape.arms[0].name}")
            config, budget = dict(shape.arms[0].config), plan.study.budget
            try:
                told = pool.submit(_cost, asked, config, budget).result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = _pool()
                told = {
                    "failure": "the process that probed it died, as one does that the system "
                    "stops for want of memory"
                }
            yield shape, _sample(told)
    finally:
        pool.shutdown(cancel_futures=True)


def _pool() -> ProcessPoolExecutor:
    """One process, started afresh: a GPU must not be held in the process that forks."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=_quiet)


def _quiet() -> None:
    """In the child: stdout is the product of the command, and not the workload's to write to."""
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), 1)


def _cost(asked: Entry, config: dict[str, Any], budget: Budget) -> dict[str, Any]:
    """In the child: what was measured, or why it cannot."""
    try:
        told: dict[str, Any] = asked.load()(config, budget=budget)
    except Exception as error:  # noqa: BLE001 - whatever the workload raises is told of its shape
        return {"failure": f"{type(error).__name__}: {in_a_line(error)}"}
    return told


def _sample(told: dict[str, Any]) -> CostSample:
    if told.get("failure"):
        return CostSample(failure=str(told["failure"]))
    return CostSample(
        setup=float(told["setup"]),
        units=tuple(map(float, told["units"])),
        end=float(told["end"]),
        memory=int(told["memory"]),
        device=str(told["device"]),
    )
