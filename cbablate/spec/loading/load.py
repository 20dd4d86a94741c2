"""`read_study`: a study file as a value, or all that is wrong with it at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cbablate.errors import StudyError
from cbablate.shown import Shown
from cbablate.spec.description import Describe, Description
from cbablate.spec.fault import Fault, dotted
from cbablate.spec.fault import Path as Way
from cbablate.spec.loading.changes import apply
from cbablate.spec.loading.metric_rule import in_study, metrics_path
from cbablate.spec.loading.overrides import overridden, variant_name
from cbablate.spec.loading.scalar_reading import Settled, settle
from cbablate.spec.loading.schema import with_baseline, written_schema
from cbablate.spec.loading.study_rule import (
    broken_rules,
    changes_of,
    ill_formed_changes,
    unknown_changes,
)
from cbablate.spec.loading.sweep_file import SweepFile, is_sweep, sweep_named_by
from cbablate.spec.loading.tuned_rule import changed_and_tuned, unknown_to_workload
from cbablate.spec.loading.validation import Wording, complaints
from cbablate.spec.loading.workload_file import Asked, WorkloadFile, asked_by
from cbablate.spec.loading.written_study import WrittenStudy
from cbablate.spec.outline import Outline
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.study import Study
from cbablate.spec.yaml.fault_text import Told, misnamed, named, placed, spoken, unread
from cbablate.spec.yaml.text_file import Flaw, Unreadable
from cbablate.spec.yaml.tree import Found, MapNode, plain, walk
from cbablate.spec.yaml.yaml_file import read_yaml

__all__ = ["StudyFile", "read_study"]


@dataclass(frozen=True)
class StudyFile(Shown):
    """A study, the files that say it, and the description of its workload.

    `written` is what the file says, as plain values, before any default is filled in.
    """

    study: Study
    description: Description
    path: Path
    written: Mapping[str, Any]
    root: MapNode = field(repr=False)
    sweep: SweepFile | None = None
    workload: WorkloadFile | None = None
    """The file that says its workload; None where the study says it."""

    def __repr__(self) -> str:
        return f"<StudyFile {self.study.name}: {self.study.question}>"

    def located(self, error: StudyError) -> StudyError:
        """The error with its faults placed in their file; one that has no faults, as it is.

        What lies below `tune` is placed in the sweep's file, what lies below `workload` in that
        of the workload, if there is one.
        """
        if not error.faults:
            return error
        others = {"tune": self.sweep, "workload": self.workload}
        told: dict[Path, list[Told]] = {self.path: []}
        for fault in error.faults:
            other = others.get(str(fault.path[0])) if len(fault.path) > 1 else None
            if other is not None:
                inner = placed(other.root, replace(fault, path=fault.path[1:]))
                told.setdefault(other.path, []).append(inner)
            else:
                told[self.path].append(placed(self.root, _as_written(self.root, fault)))
        return _refused(told)


def read_study(path: Path | str, describe: Describe, *, overrides: Sequence[str] = ()) -> StudyFile:
    """The study that a file says, or the variant of it that overrides make, `budget.epochs=2`.

    A variant has a name of its own.

    Raises:
        UsageError: a word is no override.
        StudyError: it says none; the message has a line for each fault, `file:line:column: path:
            sentence`, some with a hint on an indented line below.
    """
    path = Path(path)
    try:
        file = overridden(read_yaml(path), overrides)
    except Unreadable as error:
        raise StudyError(unread(path, error)) from None
    root = file.root
    if is_sweep(root):
        flaw = Flaw(root.place, "this is a sweep, and a study is wanted", "a study names it: tune")
        raise StudyError(spoken(path, [(root.place, flaw)]))
    asked, alone = asked_by(root, path).described(root, describe)
    description = in_study(alone, root)
    sweep, misnaming, unreadable = sweep_named_by(root, path)
    faults = [*asked.faults, *misnaming]
    ill_formed = [*ill_formed_changes(root)]
    faults += [*ill_formed, *broken_rules(root, description)]
    readings: dict[Way, Any] = {}
    if description is None and isinstance(asked.said, OwnWorkload) and not ill_formed:
        faults += unknown_changes(root)
    if description is not None and not ill_formed:
        readings, found = _configs(root, description)
        faults += found
    tuned = _tuned(root, sweep, description) if sweep else []
    faults += changed_and_tuned(root, sweep) if sweep else ()
    elsewhere = {"tune": sweep.sweep if sweep else None} | _file_said(asked)
    settled, study = _study(root, path, readings, elsewhere=elsewhere, overrides=overrides)
    known = {fault.path for fault in asked.faults}
    wrong = complaints(settled.problems, _study_wording(root, description))
    faults += [fault for fault in wrong if fault.path not in known]
    told = [(flaw.place, flaw) for flaw in file.flaws]
    told += [] if named(path) else [misnamed(path, "study")]
    told += [placed(root, fault) for fault in _first_of_each(faults)]
    told_in = {path: told}
    told_in |= {asked.file.path: [*asked.told]} if asked.file else {}
    told_in |= {sweep.path: tuned} if sweep else {}
    unread_ones = [text for text in (asked.unreadable, unreadable) if text]
    if any(told_in.values()) or unread_ones or study is None or description is None:
        raise _refused(told_in, *unread_ones)
    written = plain(root, settled.readings)
    return StudyFile(study, description, path, written, root, sweep, asked.file)


def _tuned(root: MapNode, sweep: SweepFile, description: Description | None) -> list[Told]:
    """What is wrong with a sweep, by itself and for this study's workload."""
    strange = unknown_to_workload(root, sweep, description)
    return [*sweep.told, *(placed(sweep.root, fault) for fault in strange)]


def _refused(told: Mapping[Path, Sequence[Told]], *unreadable: str) -> StudyError:
    """The faults of a study, then those of the files that it names."""
    parts = [*(spoken(path, faults) for path, faults in told.items()), *unreadable]
    return StudyError("\n".join(part for part in parts if part))


def _as_written(root: MapNode, fault: Fault) -> Fault:
    """A fault of a reported metric, where the file has the metrics below a key of their own."""
    numbered = fault.path[:1] == ("report",) and isinstance(fault.path[-1], int)
    if numbered and isinstance(walk(root, ("report",)).node, MapNode):
        return replace(fault, path=(*metrics_path(root), *fault.path[1:]))
    return fault


def _file_said(asked: Asked) -> dict[str, Any]:
    """What another file says of the workload, or that a file does which cannot be read."""
    if asked.file is not None:
        return {"workload": asked.said}
    return {"workload": None} if asked.unreadable else {}


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
        description.outline,
        whose=f"workload {description.name}",
        node_at=lambda path: walk(node, path).node if walk(node, path).there else None,
        spelt=spelt,
        dotted=in_changes,
        hints=dict.fromkeys(own, "it belongs to the study itself, not to its config"),
    )


def _study_wording(root: MapNode, description: Description | None) -> Wording:
    return Wording(
        Outline(with_baseline(description) if description is not None else written_schema()),
        node_at=lambda path: walk(root, path).node if walk(root, path).there else None,
    )


def _study(
    root: MapNode,
    path: Path,
    readings: Mapping[Way, Any],
    *,
    elsewhere: Mapping[str, Any],
    overrides: Sequence[str],
) -> tuple[Settled, Study | None]:
    """The study, some of whose keys name files: what these say is `elsewhere`."""
    studies: list[Study] = []

    def judge(value: Any) -> tuple[Any, ValidationError | None]:
        own: dict[str, Any] = {
            "name": variant_name(path.stem, overrides) if named(path) else "unnamed",
            "folder": str(path.parent),
            "overrides": list(overrides),
            "typesetting": {},
        }
        own |= dict.fromkeys(elsewhere)  # the file has paths there, whose faults are told already
        own |= {"workload": "a file"} if "workload" in elsewhere else {}
        try:
            read = WrittenStudy.model_validate_json(json.dumps({**value, **own})).read()
            studies.append(read.model_copy(update=elsewhere))
        except ValidationError as error:
            return value, error
        return value, None

    settled = settle(root, judge, readings=readings)
    return settled, studies[-1] if studies else None


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
