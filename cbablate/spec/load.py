"""`read_study`: a study file as a value, or all that is wrong with it at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cbablate.errors import StudyError
from cbablate.spec import scalar
from cbablate.spec.changes import apply
from cbablate.spec.complaint import Wording, complaints
from cbablate.spec.description import Describe, Description
from cbablate.spec.fault import Fault, dotted
from cbablate.spec.fault import Path as Way
from cbablate.spec.reading import Settled, settle
from cbablate.spec.rule import broken_rules, changes_of, ill_formed_changes, unknown_changes
from cbablate.spec.schema import with_baseline, written_schema
from cbablate.spec.study import Study
from cbablate.spec.suggestion import did_you_mean
from cbablate.spec.text_file import Flaw, Unreadable
from cbablate.spec.tree import Found, MapNode, Place, TextNode, plain, walk
from cbablate.spec.yaml_file import read_yaml

__all__ = ["StudyFile", "read_study"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST = 100


@dataclass(frozen=True)
class StudyFile:
    """A study, the file that says it, and the description of its workload.

    `written` is what the file says, as plain values, before any default is filled in.
    """

    study: Study
    description: Description
    path: Path
    written: Mapping[str, Any]
    root: MapNode = field(repr=False)

    def located(self, error: StudyError) -> StudyError:
        """The error with its faults placed in this file; one that has no faults, as it is."""
        if not error.faults:
            return error
        return StudyError(_told(self.path, [_placed(self.root, fault) for fault in error.faults]))


def read_study(path: Path | str, describe: Describe) -> StudyFile:
    """The study that a file says.

    Raises:
        StudyError: it says none; the message has a line for each fault, `file:line:column: path:
            sentence`, some with a hint on an indented line below.
    """
    path = Path(path)
    try:
        file = read_yaml(path)
    except Unreadable as error:
        told = [(flaw.place, flaw) for flaw in error.flaws]
        hint = f"\n    {error.hint}" if error.hint else ""
        raise StudyError(_told(path, told) if told else f"{path}: {error}{hint}") from None
    root = file.root
    description, faults = _described(root, path.parent, describe)
    ill_formed = [*ill_formed_changes(root)]
    faults += [*ill_formed, *broken_rules(root, description)]
    readings: dict[Way, Any] = {}
    if description is not None and not ill_formed:
        readings, found = _configs(root, description)
        faults += found
    settled, study = _study(root, path, readings)
    faults += complaints(settled.problems, _study_wording(root, description))
    told = [(flaw.place, flaw) for flaw in file.flaws]
    told += [(Place(1, 1), Flaw(Place(1, 1), *_misnamed(path)))] if not _named(path) else []
    told += [_placed(root, fault) for fault in _first_of_each(faults)]
    if told or study is None or description is None:
        raise StudyError(_told(path, told))
    return StudyFile(study, description, path, plain(root, settled.readings), root)


def _described(
    root: MapNode, folder: Path, describe: Describe
) -> tuple[Description | None, list[Fault]]:
    found = walk(root, ("workload",))
    if not found.there or not isinstance(found.node, TextNode) or found.node.broken:
        return None, []
    name = found.node.text
    if not name or found.node.empty:
        return None, []
    try:
        return describe(name, folder), []
    except LookupError as error:
        sentence = str(error.args[0] if error.args else f"{scalar.shown(name)} is no workload")
        sentence = sentence.replace(f"'{name}'", scalar.shown(name))
        words = [] if ":" in name else re.findall(r"\w+", sentence.replace(scalar.shown(name), ""))
        return None, [Fault(("workload",), sentence, did_you_mean(name, set(words)))]


def _configs(root: MapNode, description: Description) -> tuple[dict[Way, Any], list[Fault]]:
    """How the baseline and all changes are read, and what the workload has against them."""
    found = walk(root, ("baseline",))
    if not found.there or not isinstance(found.node, MapNode):
        return {}, []
    if description.schema is None:
        return {}, [*unknown_changes(root)]
    baseline = settle(found.node, lambda value: _judged(description, value))
    readings = {("baseline", *path): value for path, value in baseline.readings.items()}
    told = complaints(baseline.problems, _config_wording(root, description, ("baseline",)))
    faults = [_beneath(fault, ("baseline",)) for fault in told]
    known = {(problem.path, problem.kind, problem.message) for problem in baseline.problems}
    for path, node in changes_of(root):
        level = settle(node, _level_judge(description, baseline.value))
        readings |= {(*path, *way): value for way, value in level.readings.items()}
        fresh = [
            problem
            for problem in level.problems
            if (problem.path, problem.kind, problem.message) not in known
            or _is_leaf(walk(node, problem.path))
        ]
        told = complaints(fresh, _config_wording(root, description, path))
        faults += [_in_changes(fault, path, node) for fault in told]
    return readings, faults


def _level_judge(
    description: Description, baseline: Mapping[str, Any]
) -> Callable[[Any], tuple[Any, ValidationError | None]]:
    return lambda changes: _judged(description, apply(baseline, changes))


def _judged(description: Description, config: Any) -> tuple[Any, ValidationError | None]:
    try:
        description.resolve(config)
    except ValidationError as error:
        return config, error
    return config, None


def _is_leaf(found: Found) -> bool:
    return found.there and not isinstance(found.node, MapNode)


def _beneath(fault: Fault, way: Way) -> Fault:
    return Fault((*way, *fault.path), fault.sentence, fault.hint, fault.at_key)


def _in_changes(fault: Fault, way: Way, changes: MapNode) -> Fault:
    """A fault of a level's whole config, told of that part of it which the level changes."""
    found = walk(changes, fault.path)
    path, name = (*way, *found.path), dotted(fault.path)
    if not found.rest:
        return Fault(path, fault.sentence, fault.hint, fault.at_key)
    if fault.at_key:
        return Fault(path, f"the baseline's '{name}' cannot stay where this is changed")
    return Fault(path, f"{name}: {fault.sentence}", fault.hint)


def _config_wording(root: MapNode, description: Description, way: Way) -> Wording:
    node = walk(root, way).node
    in_changes = way != ("baseline",)

    def spelt(path: Way) -> str:
        found = walk(node, path)
        return str(found.path[-1] if found.path and in_changes else path[-1])

    own = written_schema()["properties"]
    return Wording(
        schema=description.schema or {},
        whose=f"workload {description.name}",
        node_at=lambda path: walk(node, path).node if walk(node, path).there else None,
        spelt=spelt,
        dotted=in_changes,
        hints=dict.fromkeys(own, "it belongs to the study itself, not to its config"),
    )


def _study_wording(root: MapNode, description: Description | None) -> Wording:
    return Wording(
        schema=with_baseline(description) if description is not None else written_schema(),
        node_at=lambda path: walk(root, path).node if walk(root, path).there else None,
    )


def _study(root: MapNode, path: Path, readings: Mapping[Way, Any]) -> tuple[Settled, Study | None]:
    studies: list[Study] = []

    def judge(value: Any) -> tuple[Any, ValidationError | None]:
        own = {"name": path.stem if _named(path) else "unnamed", "folder": str(path.parent)}
        try:
            studies.append(Study.model_validate_json(json.dumps({**value, **own})))
        except ValidationError as error:
            return value, error
        return value, None

    settled = settle(root, judge, readings=readings)
    return settled, studies[-1] if studies else None


def _named(path: Path) -> bool:
    return _NAME.fullmatch(path.stem) is not None


def _misnamed(path: Path) -> tuple[str, str]:
    return (
        f"the file's stem is the study's name, and {scalar.shown(path.stem)} cannot be one",
        "rename the file: letters, digits, '.', '_' and '-', at most 64, a letter or digit first",
    )


def _first_of_each(faults: Iterable[Fault]) -> list[Fault]:
    """One fault for each key that is wrong: the rule that forbids it, before the type."""
    keys: set[Way] = set()
    kept: list[Fault] = []
    for fault in dict.fromkeys(faults):
        if fault.at_key and fault.path in keys:
            continue
        if fault.at_key:
            keys.add(fault.path)
        kept.append(fault)
    return kept


def _placed(root: MapNode, fault: Fault) -> tuple[Place, Flaw]:
    """Where in the file a fault is, and its text with its path before it."""
    found = walk(root, fault.path)
    empty = isinstance(found.node, TextNode) and not found.node.quoted and not found.node.text
    at_key = found.key is not None and not found.rest and (fault.at_key or empty)
    place = found.key if at_key and found.key is not None else found.node.place
    way = (*found.path, *found.rest)
    shown = dotted(way[:-1] if fault.at_key else way)
    return place, Flaw(place, f"{shown}: {fault.sentence}" if shown else fault.sentence, fault.hint)


def _told(path: Path, told: Iterable[tuple[Place, Flaw]]) -> str:
    """All faults of a file, in the file's order."""
    ordered = list(dict.fromkeys(sorted(told, key=lambda each: each[0])))
    lines = [
        f"{path}:{place.line}:{place.column}: {scalar.printable(flaw.sentence)}"
        + (f"\n    {scalar.printable(flaw.hint)}" if flaw.hint else "")
        for place, flaw in ordered[:_MOST]
    ]
    if len(ordered) > _MOST:
        lines.append(f"{path}: and {len(ordered) - _MOST:,} more")
    return "\n".join(lines)
