"""Verification: what only a workload's libraries know of a plan's arms, before any is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cbablate.errors import EnvironmentFault, StudyError
from cbablate.planning.arm import Arm
from cbablate.planning.chosen_configs import chosen_configs
from cbablate.planning.plan import Plan
from cbablate.running.executors.port import Executor, Grouping
from cbablate.spec.program import ProgramFile
from cbablate.workloads.own_code.entry import Entry
from cbablate.workloads.own_code.import_check import refusal
from cbablate.workloads.own_code.program_check import changed_files
from cbablate.workloads.own_code.source import file_digest

__all__ = ["entry", "grouping_of", "observe", "verify"]

_CHECK = "cbablate.workloads.own_code.import_check:check_import"


def entry(plan: Plan, name: str) -> Entry:
    """One of the workload's entries (`run`, `verify`, `throughput`), to be loaded elsewhere.

    Raises:
        EnvironmentFault: a file of the user's has been edited since it was planned.
    """
    code, program = plan.description.code, plan.description.program
    own = plan.description.own
    edited = "" if own is None else changed_files(own)
    if edited:
        raise EnvironmentFault(edited)
    if program is not None:
        return Entry(name, program=replace(program, chosen=_chosen(plan)))
    if code is None:
        return Entry(name)
    for one in code.modules:
        now = file_digest(Path(one.path)) if one.text is not None else one.digest
        if now not in ("", one.digest):
            raise EnvironmentFault(
                f"{one.path} was edited after the study was read: load and plan the study again"
            )
    return Entry(name, code)


def _chosen(plan: Plan) -> tuple[ProgramFile, ...]:
    """The files of a command that any config names which the plan's trials may have."""
    found: dict[ProgramFile, None] = {}
    for arm in plan.arms:
        for config in chosen_configs(arm, plan.study.tune, plan.description):
            found.update(dict.fromkeys(plan.description.chosen(config)))
    return tuple(found)


def grouping_of(plan: Plan) -> Grouping | None:
    """How the workload trains several trials at once; None if it does not.

    Raises:
        EnvironmentFault: as `entry` says.
    """
    together = plan.description.together
    if together is None:
        return None
    return Grouping(entry(plan, together.entry), together.most)


def verify(plan: Plan, executor: Executor, *, arms: Iterable[Arm] | None = None) -> None:
    """Ask the workload about configs what only its libraries know, for all arms at once.

    A user's own workload is imported, and its function looked at.

    Raises:
        StudyError: one sentence or more about arms that cannot be, or about the user's file.
        EnvironmentFault: a package that the user's file imports is not installed.
    """
    if plan.description.code is not None:
        workload = entry(plan, plan.description.run)
        sentence, whose = executor.call(Entry(_CHECK), workload.name, workload.code)
        if sentence:
            raise refusal(f"{plan.study.name}: {sentence}", whose)
    if plan.description.verify is None:
        return
    configs = {arm.name: arm.config for arm in (plan.arms if arms is None else arms)}
    found: Mapping[str, Sequence[str]] = executor.call(
        entry(plan, plan.description.verify), configs, budget=plan.study.budget
    )
    concerned: dict[str, list[str]] = {}
    for name, texts in found.items():
        for text in texts:
            concerned.setdefault(text, []).append(f"'{name}'")
    if concerned:
        raise StudyError(
            "\n".join(
                f"{plan.study.name}: "
                f"{'every arm' if len(names) == len(configs) > 1 else 'arm ' + ', '.join(names)}: "
                f"{text}"
                for text, names in concerned.items()
            )
        )


def observe(plan: Plan, executor: Executor) -> dict[str, list[str]]:
    """What the workload says that a person should know, by arm name; nothing of most."""
    if plan.description.observe is None:
        return {}
    configs = {arm.name: arm.config for arm in plan.arms}
    found: dict[str, list[str]] = executor.call(entry(plan, plan.description.observe), configs)
    return found
