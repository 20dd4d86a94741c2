"""The timing stage: each arm alone on the device, after all trials, with nothing beside it."""

from __future__ import annotations

from collections.abc import Mapping

from cbablate.analysis.summary import metric_of
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.records.book import Book
from cbablate.records.facts import Timed
from cbablate.records.state import TrialState
from cbablate.running.executors.port import Executor
from cbablate.running.executors.worker import MEASURED_HERE
from cbablate.running.recorder import Recorder
from cbablate.running.verification import entry
from cbablate.workloads.own_code.entry import Entry

__all__ = ["TIMING_ROUNDS", "time_arms", "untimed"]

TIMING_ROUNDS = 5
"""How often each arm is timed; rounds are interleaved over the arms, so that drift hits all."""


def untimed(plan: Plan, book: Book) -> dict[str, Arm]:
    """The arms to time, by id: all that a trial has completed, unless one stage covered them.

    Empty where the study reports no timing. Arms are timed together or not at all, because only
    numbers of one stage compare; an arm that cannot be trained is not waited for.
    """
    asked = [metric_of(plan, name) for name in plan.study.report]
    reported = any(metric.source == "timing" and not metric.beside for metric in asked)
    if not reported or plan.description.throughput is None:
        return {}
    past = book.histories
    trained = {
        trial.arm: plan.arm_of[trial.arm]
        for trial in plan.trials
        if (history := past.get(trial.id)) and history.state is TrialState.COMPLETE
    }
    covered: dict[str, set[str]] = {}
    for fact in book.facts:
        if fact.kind == "timed":
            covered.setdefault(Timed.of(fact).batch, set()).add(fact.subject)
    if any(arms >= trained.keys() for arms in covered.values()):
        return {}
    return trained


def time_arms(
    plan: Plan, arms: Mapping[str, Arm], *, executor: Executor, recorder: Recorder
) -> None:
    """Time these arms, each alone, and record what came out."""
    configs = {name: arm.config for name, arm in arms.items()}
    worker, timings = executor.call(
        Entry(MEASURED_HERE),
        entry(plan, str(plan.description.throughput)),
        configs,
        rounds=TIMING_ROUNDS,
    )
    recorder.timed(worker, timings)
