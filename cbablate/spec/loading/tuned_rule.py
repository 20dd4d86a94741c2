"""Rules: what a sweep may not say to a certain study, and the study not beside its sweep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cbablate.spec.constraint import parsed
from cbablate.spec.description import Description
from cbablate.spec.fault import Fault, Path, dotted
from cbablate.spec.loading.metric_rule import objective_faults, split_faults, timed
from cbablate.spec.loading.own_config import dotted_keys, undecided
from cbablate.spec.loading.study_rule import changed_keys, is_seed, nearest_key
from cbablate.spec.loading.sweep_file import SweepFile
from cbablate.spec.metric import split_in
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.suggestion import did_you_mean
from cbablate.spec.yaml.tree import ListNode, MapNode, walk

__all__ = ["changed_and_tuned", "unknown_to_workload"]


def changed_and_tuned(root: MapNode, sweep: SweepFile) -> Iterator[Fault]:
    """Keys that a level changes though the sweep tunes them; faults of the study's file.

    Tuning would undo what the level says, or the level what was tuned.
    """
    if sweep.written is None:
        return
    for path, key in changed_keys(root):
        clash = next((one for one in sweep.written.space if _overlap(key, one)), None)
        if clash is not None:
            what = f"'{key}'" if clash == key else f"'{clash}', which overlaps '{key}',"
            yield Fault(
                path,
                f"{what} is tuned by {sweep.path.name}, so no level can change it",
                "delete it from the sweep's space, or from the factor",
                at_key=True,
            )


def unknown_to_workload(
    root: MapNode, sweep: SweepFile, description: Description | None
) -> Iterator[Fault]:
    """Keys and metrics of the sweep that the workload does not have, or must not look at; faults of
    the sweep's file.
    """
    written = sweep.written
    if description is None:
        yield from split_faults(sweep.root, {})
    if written is None or description is None:
        return
    metrics = description.metrics
    for index, one in enumerate(written.objectives or ()):
        if split_in(metrics, one.metric) != "test":
            way: Path = ("objectives", index)
            yield from objective_faults(sweep.root, way, metrics, closed=description.closed)
    known = _config_keys(root, description)
    yield from split_faults(sweep.root, metrics, {*known, *written.space})
    for key in written.space:
        ill = not all(key.split(".")) or any(map(is_seed, key.split(".")))  # told likewise
        if key not in known and not ill:
            whose = f"workload {description.name}" if description.schema else "the study's baseline"
            sentence = f"{scalar.shown(key)} is not a key of {whose}"
            hint = nearest_key(key, known) or _siblings(key, known)
            yield Fault(("space", key), sentence, hint, at_key=True)
    if description.schema is None:
        yield from _undecided_choices(sweep.root)
    yield from _constraint_names(written.constraints, {*known, *written.space}, description)


def _undecided_choices(root: MapNode) -> Iterator[Fault]:
    """Choices that no schema decides, and keys in them that would be taken apart."""
    space = walk(root, ("space",))
    if not space.there or not isinstance(space.node, MapNode):
        return
    for key, entry in space.node.entries.items():
        choices = walk(entry.node, ("choice",))
        if choices.there and isinstance(choices.node, ListNode):
            for index, item in enumerate(choices.node.items):
                path: Path = ("space", key, "choice", index)
                yield from undecided(item, path)
                yield from dotted_keys(item, path)


def _constraint_names(
    texts: Iterable[str], keys: set[str], description: Description
) -> Iterator[Fault]:
    for index, text in enumerate(texts):
        try:
            names = parsed(text).names
        except ValueError:
            continue  # told with the sweep's own faults
        path: Path = ("constraints", index)
        for name in names:
            if name in keys or split_in(description.metrics, name) == "test":
                continue
            metric = description.metrics.get(name)
            if metric is not None and metric.source == "timing":
                hint = "constrain params, or a metric that trials report"
                yield Fault(path, timed(metric, "depend on"), hint)
            elif metric is None and (description.closed or "/" not in name):
                sentence = f"{scalar.shown(name)} is neither a key nor a metric of this workload"
                yield Fault(path, sentence, did_you_mean(name, [*keys, *description.metrics]))


def _siblings(key: str, known: Iterable[str]) -> str:
    """The keys there are where one was looked for."""
    parent = key.rpartition(".")[0]
    beside = [one for one in known if one.rpartition(".")[0] == parent]
    return f"there are {', '.join(beside)}" if beside else ""


def _config_keys(root: MapNode, description: Description) -> list[str]:
    """Every dotted key that a config may have: the schema's, or else the baseline's."""
    if description.schema is not None:
        return [".".join(path) for path in description.outline.paths()]
    baseline = walk(root, ("baseline",))
    if not baseline.there or not isinstance(baseline.node, MapNode):
        return []
    return [dotted(path) for path in _paths(baseline.node)]


def _paths(node: MapNode, path: Path = ()) -> Iterator[Path]:
    for key, entry in node.entries.items():
        yield (*path, key)
        if isinstance(entry.node, MapNode):
            yield from _paths(entry.node, (*path, key))


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
