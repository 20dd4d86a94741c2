"""Rules: what a study may not say of metrics, and which of them may decide."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from cbablate.spec.constraint import parsed
from cbablate.spec.description import Description
from cbablate.spec.fault import Fault, Path
from cbablate.spec.loading.scalar_reading import settle
from cbablate.spec.loading.validation import MOST_SUGGESTED
from cbablate.spec.metric import DeclaredMetric, Direction, Metric, Objective, split_in
from cbablate.spec.split import other_split, twins
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.suggestion import did_you_mean
from cbablate.spec.yaml.tree import ListNode, MapNode, Node, TextNode, walk

__all__ = ["in_study", "metric_faults", "metrics_path", "objective_faults", "split_faults", "timed"]

_TEST_SPLIT = (
    "is of the test split, which selection must not see: what is chosen by it looks better there "
    "than it is"
)
_AGREE = "two splits of one quantity have one direction: change one of the two"
_OWN = ("better", "split", "per", "timing")
"""What a workload that ships says of its metrics itself."""


def in_study(description: Description | None, root: MapNode) -> Description | None:
    """The workload as the study of this tree has it; what cannot be read there is passed by."""
    if description is None:
        return None
    name, direction = _text(root, "objective", "metric"), _text(root, "objective", "direction")
    objectives = []
    if name is not None and direction in get_args(Direction):
        objectives.append(Objective.model_validate({"metric": name, "direction": direction}))
    report = walk(root, metrics_path(root)).node
    items = report.items if isinstance(report, ListNode) else ()
    asked = [text for item in items if (text := _text(item)) is not None]
    return description.in_study(_said(root), objectives=objectives, report=asked)


def metric_faults(root: MapNode, description: Description | None) -> Iterator[Fault]:
    """What is wrong with the metrics that a study declares, decides on and reports."""
    metrics = description.metrics if description else {}
    closed = description is not None and description.closed
    if description is not None and closed:
        yield from _said_anew(root, description)
    yield from objective_faults(root, ("objective",), metrics, closed=closed)
    yield from _declared_faults(root, metrics)
    yield from _report(root, metrics if closed else {})
    yield from _labels(root, metrics)


def objective_faults(
    root: MapNode, way: Path, metrics: Mapping[str, Metric], *, closed: bool = False
) -> Iterator[Fault]:
    """What is wrong with the objective that a file's tree has at `way`.

    These `metrics` are known; where they are `closed` there are no others.
    """
    name = _text(root, *way, "metric")
    if name is None:
        return
    path = (*way, "metric")
    if split_in(metrics, name) == "test":
        instead = other_split(name)
        there = instead in metrics and instead != name
        hint = f"did you mean '{instead}'?" if there else "name a validation metric"
        yield Fault(path, f"{scalar.shown(name)} {_TEST_SPLIT}", hint)
    elif closed and name not in metrics:
        decides = [one for one in metrics if split_in(metrics, one) != "test"]
        yield _unknown(path, name, decides)
    elif name in metrics and metrics[name].source == "timing":
        yield Fault(path, timed(metrics[name], "be decided on"), "name a validation metric")
    direction = _text(root, *way, "direction")
    best = metrics[name].direction if name in metrics else None
    if best is not None and direction in ("maximize", "minimize") and direction != best:
        better = "greater" if best == "maximize" else "less"
        sentence = f"'{name}' is better the {better} it is, so '{direction}' cannot be meant"
        yield Fault((*way, "direction"), sentence, f"write {best}")
    elif (  # a workload that ships says directions itself, which is told where they are declared
        not closed
        and direction in get_args(Direction)
        and (twin := _opposed(metrics, name, direction))
    ):
        path = (*way, "direction")
        yield Fault(path, f"'{name}' is to {direction}, and {_turned(twin)}", _AGREE)


def metrics_path(root: MapNode) -> Path:
    """Where a file lists the reported metrics: `report` itself, or a key below it."""
    whole = isinstance(walk(root, ("report",)).node, MapNode)
    return ("report", "metrics") if whole else ("report",)


def split_faults(
    root: MapNode, metrics: Mapping[str, Metric], keys: Collection[str] | None = None
) -> Iterator[Fault]:
    """Objectives and constraints of a sweep's tree that look at the test split.

    `keys` are those of the config, which are no metrics; None where they are not known: names
    with a slash are metrics then.
    """
    objectives = walk(root, ("objectives",))
    if objectives.there and isinstance(objectives.node, ListNode):
        for index in range(len(objectives.node.items)):
            name = _text(root, "objectives", index, "metric")
            if name is not None and split_in(metrics, name) == "test":
                yield from objective_faults(root, ("objectives", index), metrics)
    constraints = walk(root, ("constraints",))
    if not constraints.there or not isinstance(constraints.node, ListNode):
        return
    for index, item in enumerate(constraints.node.items):
        for name in _names(_text(item)):
            metric = "/" in name if keys is None else name not in keys
            if metric and split_in(metrics, name) == "test":
                sentence = f"{scalar.shown(name)} {_TEST_SPLIT}"
                yield Fault(("constraints", index), sentence, "name a validation metric")


def timed(metric: Metric, what: str) -> str:
    """Why nothing can be done with a timing before all training is over."""
    if metric.beside:
        return f"'{metric.name}' is a timing, which other trials disturb, so nothing can {what} it"
    return f"'{metric.name}' is timed after all training, so nothing can {what} it"


def _names(constraint: str | None) -> frozenset[str]:
    try:
        return frozenset(parsed(constraint).names) if constraint is not None else frozenset()
    except ValueError:
        return frozenset()  # told with the sweep's own faults


def _said(root: MapNode) -> dict[str, DeclaredMetric]:
    """What a tree says of metrics, as far as it can be read."""
    found: dict[str, DeclaredMetric] = {}

    def judge(value: Any) -> tuple[Any, ValidationError | None]:
        try:
            return DeclaredMetric.model_validate(value), None
        except ValidationError as error:
            return value, error

    for name, node in _declared(root):
        settled = settle(node, judge)
        if isinstance(settled.value, DeclaredMetric):
            found[name] = settled.value
    return found


def _declared(root: MapNode) -> Iterator[tuple[str, MapNode]]:
    metrics = walk(root, ("metrics",))
    if metrics.there and isinstance(metrics.node, MapNode):
        for name, entry in metrics.node.entries.items():
            if isinstance(entry.node, MapNode):
                yield name, entry.node


def _declared_faults(root: MapNode, metrics: Mapping[str, Metric]) -> Iterator[Fault]:
    """Metrics of a study without a name, and directions that their other split contradicts."""
    objective = _text(root, "objective", "metric")
    for name, node in _declared(root):
        path: Path = ("metrics", name)
        if not name.strip():
            yield Fault(path, "a metric without a name", "write the name it is reported by", True)
        direction = metrics[name].direction if name in metrics else None
        twin = _opposed(metrics, name, direction) if "better" in node.entries else None
        if twin and objective not in (name, twin.name):  # told at the objective otherwise
            sentence = f"'{name}' is better {_which(direction)}, and {_turned(twin)}"
            yield Fault((*path, "better"), sentence, _AGREE)


def _opposed(metrics: Mapping[str, Metric], name: str, direction: str | None) -> Metric | None:
    """The same quantity on the other split, if its direction is the other one."""
    for other in metrics.values():
        if direction and other.direction not in (None, direction) and twins(name, other.name):
            return other
    return None


def _turned(metric: Metric) -> str:
    return f"'{metric.name}', the same on other data, is better {_which(metric.direction)}"


def _which(direction: str | None) -> str:
    return f"the {'greater' if direction == 'maximize' else 'less'} it is"


def _labels(root: MapNode, metrics: Mapping[str, Metric]) -> Iterator[Fault]:
    """Reported metrics that a reader of the table could not tell apart."""
    way = metrics_path(root)
    report = walk(root, way).node
    declared, heads = dict(_declared(root)), dict[str, str]()
    for index, item in enumerate(report.items if isinstance(report, ListNode) else ()):
        name = _text(item)
        if name is None or name not in metrics:
            continue
        label = metrics[name].label
        first = heads.setdefault(label, name)
        if first != name:
            own = next((one for one in (name, first) if _says_label(declared.get(one))), None)
            path: Path = ("metrics", own, "label") if own else (*way, index)
            sentence = f"'{first}' and '{name}' are both labelled {scalar.shown(label)}"
            yield Fault(path, sentence, "give each a label of its own")


def _says_label(node: MapNode | None) -> bool:
    return node is not None and "label" in node.entries


def _said_anew(root: MapNode, description: Description) -> Iterator[Fault]:
    """What a study cannot say of the metrics of a workload that describes them all."""
    whose = f"workload {description.name}"
    for number, (name, node) in enumerate(_declared(root)):
        path: Path = ("metrics", name)
        if name not in description.metrics:
            known = [*description.metrics] if number < MOST_SUGGESTED else []
            yield _unknown(path, name, known, at_key=True)
            continue
        for key in _OWN:
            if key in node.entries:
                sentence = f"{whose} says itself what '{key}' of '{name}' is"
                hint = "delete it; label, unit, scale and digits can be said here"
                yield Fault((*path, key), sentence, hint, at_key=True)


def _text(node: Node, *path: str | int) -> str | None:
    found = walk(node, path)
    if not found.there or not isinstance(found.node, TextNode) or found.node.empty:
        return None
    return found.node.text


def _report(root: MapNode, metrics: Mapping[str, Metric]) -> Iterator[Fault]:
    way = metrics_path(root)
    report = walk(root, way)
    if not report.there or not isinstance(report.node, ListNode):
        return
    seen: set[str] = set()
    for index, item in enumerate(report.node.items):
        name = _text(item)
        if name is None:
            continue
        if name in seen:
            yield Fault((*way, index), f"{scalar.shown(name)} is listed twice", "delete one")
        elif metrics and name not in metrics:
            yield _unknown((*way, index), name, [*metrics] if index < MOST_SUGGESTED else [])
        seen.add(name)


def _unknown(path: Path, name: str, metrics: list[str], *, at_key: bool = False) -> Fault:
    """The fault of a metric that the workload does not have."""
    sentence = f"this workload has no metric {scalar.shown(name)}"
    there = f"there are {', '.join(metrics)}" if metrics else ""
    return Fault(path, sentence, did_you_mean(name, metrics) or there, at_key)
