"""`Tasks`: what a study can be summarised over: kinds of corruption, or data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cbablate.analysis.summary import Summary, metric_of
from cbablate.errors import CbablateError
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.spec.metric import Metric

__all__ = ["FEWEST_TASKS", "Group", "Tasks", "tasks"]

FEWEST_TASKS = 3
"""Over fewer there is no middle half worth the name: they can be read one by one."""


@dataclass(frozen=True)
class Group:
    """What is compared over the tasks: one arm, or of several data sets one arm of each.

    `arm` is the id of the arm, "" where there are several; `against` the name of the group that it
    is compared with, "" of a reference.
    """

    name: str
    arm: str
    against: str


@dataclass(frozen=True)
class Tasks:
    """Values by task, group and replicate, greater being better (`sign` -1 undoes that).

    `of` says what the tasks are. `metric` tells label and unit. `left_out` are tasks of which some
    group has no value yet.
    """

    of: str
    metric: Metric
    sign: int
    groups: tuple[Group, ...]
    matrix: Mapping[str, Mapping[str, Mapping[int, float]]]
    left_out: tuple[str, ...] = ()


def tasks(plan: Plan, summary: Summary) -> Tasks:
    """The data sets of a study that has them as a factor, or else a family of its metrics: those
    that it reports and whose names differ behind the last underscore only, as do
    `robust/corruption_noise` and `robust/corruption_blur`.

    Raises:
        CbablateError: there is neither, or too little was trained.
    """
    data = _data_factor(plan)
    found = _data_sets(plan, summary, data) if data else _family(plan, summary)
    if found is None:
        raise CbablateError(
            f"study '{plan.study.name}' has nothing to summarise over: that needs {FEWEST_TASKS} "
            "data sets or more as the levels of a factor (in a factorial), or as many reported "
            "metrics of one family with a direction, such as those of `probes: [corruption]` "
            "(robust/corruption_noise, robust/corruption_blur, ...)"
        )
    whole = {
        task: by_group
        for task, by_group in found.matrix.items()
        if all(by_group.get(group.name) for group in found.groups)
    }
    left_out = tuple(task for task in found.matrix if task not in whole)
    if len(whole) < FEWEST_TASKS:
        raise CbablateError(
            f"no robust summary of study '{plan.study.name}' yet: all arms have completed "
            f"{len(whole)} of its {len(found.matrix)} tasks, and {FEWEST_TASKS} are the fewest"
        )
    return Tasks(found.of, found.metric, found.sign, found.groups, whole, left_out)


def _data_factor(plan: Plan) -> str:
    """The factor whose every level has a data set of its own; "" if there is none."""
    for factor in plan.study.factors:
        names = {arm.levels[factor.name]: _data_of(arm) for arm in plan.arms}
        of_level = {arm.levels[factor.name] for arm in plan.arms}
        if len({*names.values()} - {""}) == len(of_level) >= FEWEST_TASKS:
            return factor.name
    return ""


def _data_of(arm: Arm) -> str:
    data = arm.config.get("data")
    return str(data.get("name", "")) if isinstance(data, Mapping) else ""


def _data_sets(plan: Plan, summary: Summary, factor: str) -> Tasks | None:
    """The primary metric by data set; the other factors' combinations are the groups."""
    metric = metric_of(plan, summary.primary)
    others = [other.name for other in plan.study.factors if other.name != factor]
    if plan.study.design != "factorial" or metric.direction is None or not others:
        return None
    sign = 1 if metric.direction == "maximize" else -1
    values = summary.replicates.of(metric.name)
    matrix: dict[str, dict[str, dict[int, float]]] = {}
    groups: dict[str, Group] = {}
    for arm in plan.arms:
        name = ", ".join(arm.levels[other] for other in others)
        against = _reference(plan, arm, others)
        groups.setdefault(name, Group(name, "", "" if against == name else against))
        by_group = matrix.setdefault(arm.levels[factor], {})
        by_group[name] = {r: sign * value for r, value in values[arm.id].items()}
    return Tasks("data sets", metric, sign, tuple(groups.values()), matrix)


def _reference(plan: Plan, arm: Arm, others: list[str]) -> str:
    """The group an arm's group is compared with: it has the first level of what is compared."""
    first = {factor.name: factor.levels[0].name for factor in plan.study.factors}
    compared = [plan.study.contrast] if plan.study.contrast in others else others
    return ", ".join(first[o] if o in compared else arm.levels[o] for o in others)


def _family(plan: Plan, summary: Summary) -> Tasks | None:
    """The largest family of reported metrics, an arm a group."""
    families: dict[tuple[str, str, str], list[Metric]] = {}
    for name in dict.fromkeys(plan.study.report):
        metric = metric_of(plan, name)
        stem, underscore, _ = name.rpartition("_")
        if underscore and metric.direction is not None and metric.source == "trial":
            families.setdefault((stem, metric.unit, metric.direction), []).append(metric)
    family = max(families.values(), key=len, default=[])
    if len(family) < FEWEST_TASKS:
        return None
    sign = 1 if family[0].direction == "maximize" else -1
    values = {metric.label: summary.replicates.of(metric.name) for metric in family}
    matrix = {
        label: {
            arm.name: {r: sign * value for r, value in found[arm.id].items()} for arm in plan.arms
        }
        for label, found in values.items()
    }
    groups = tuple(
        Group(arm.name, arm.id, plan.arm_of[arm.against].name if arm.against else "")
        for arm in plan.arms
    )
    stem = family[0].name.rpartition("_")[0].rpartition("/")[2]
    kind = "corruptions" if stem == "corruption" else f"metrics {stem}_*"
    return Tasks(kind, family[0], sign, groups, matrix)
