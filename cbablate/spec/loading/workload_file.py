"""`read_workload`: a workload file as a value, or all that is wrong with it at once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cbablate.errors import StudyError
from cbablate.spec.description import Describe, Description, Undescribed
from cbablate.spec.fault import Fault
from cbablate.spec.loading.scalar_reading import Settled, settle
from cbablate.spec.loading.validation import Wording, complaints
from cbablate.spec.loading.workload_rule import (
    clashing_keys,
    ill_said,
    ill_spelt,
    strange_fields,
)
from cbablate.spec.outline import Outline
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.fault_text import Told, misnamed, named, placed, spoken, unread
from cbablate.spec.yaml.suggestion import did_you_mean
from cbablate.spec.yaml.text_file import Unreadable
from cbablate.spec.yaml.tree import MapNode, TextNode, plain, walk
from cbablate.spec.yaml.yaml_file import read_yaml

__all__ = ["Asked", "WorkloadFile", "asked_by", "is_workload", "read_workload"]

_ITS_KEYS = {"command", "function"}
_OTHERS_KEYS = {"question", "baseline", "factors", "workload", "space", "sampler"}
_WAY = ("workload",)


@dataclass(frozen=True)
class WorkloadFile:
    """What could be read of a workload file, and what is wrong with it by itself.

    `said` is None where a type is wrong. `plain` is what the file says.
    """

    path: Path
    root: MapNode = field(repr=False)
    told: tuple[Told, ...] = ()
    said: OwnWorkload | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What a study says of its workload, in its own file or in another that it names.

    `said` is None where that cannot be read. `faults` are about the study's file, `told` about the
    other one, `unreadable` is the text of one that is no YAML.
    """

    said: str | OwnWorkload | None
    folder: Path
    file: WorkloadFile | None = None
    faults: tuple[Fault, ...] = ()
    told: tuple[Told, ...] = ()
    unreadable: str = ""

    def described(self, root: MapNode, describe: Describe) -> tuple[Asked, Description | None]:
        """The description of the workload, and this with what is wrong with describing it."""
        if self.said is None:
            return self, None
        if isinstance(self.said, str):
            return self._looked_for(self.said, describe)
        faults = [*strange_fields(self.said, root)]
        if self.file is None:
            faults += ill_said(self.said)
        asked = self.with_faults(*faults, own=clashing_keys(self.said, root))
        try:
            return asked, describe(self.said, self.folder)
        except Undescribed as error:
            return asked.with_faults(*error.faults), None
        except LookupError as error:
            key = ("function",) if self.said.function else ("command",)
            return asked.with_faults(Fault(key, _sentence(error))), None

    def with_faults(self, *faults: Fault, own: Sequence[Fault] | Any = ()) -> Asked:
        """This with further faults, at paths in the workload's mapping; `own` at the study's."""
        if self.file is not None:
            told = tuple(placed(self.file.root, fault) for fault in faults)
            return replace(self, told=self.told + told, faults=self.faults + tuple(own))
        within = tuple(replace(fault, path=(*_WAY, *fault.path)) for fault in faults)
        return replace(self, faults=self.faults + within + tuple(own))

    def _looked_for(self, name: str, describe: Describe) -> tuple[Asked, Description | None]:
        try:
            return self, describe(name, self.folder)
        except LookupError as error:
            bare = _sentence(error) or f"there is no workload '{name}'"
            sentence = bare.replace(f"'{name}'", scalar.shown(name))
            rest = sentence.replace(scalar.shown(name), "")
            words = [] if ":" in name else re.findall(r"\w+", rest)
            fault = Fault(_WAY, sentence, did_you_mean(name, set(words)))
            return replace(self, faults=(*self.faults, fault)), None


def read_workload(path: Path | str, describe: Describe) -> tuple[OwnWorkload, Description]:
    """The workload that a file says, without a study, and its description.

    Raises:
        StudyError: it says none; the message has a line for each fault.
    """
    path = Path(path)
    try:
        file = _reading(path)
    except Unreadable as error:
        raise StudyError(unread(path, error)) from None
    asked = Asked(file.said, path.parent, file, told=file.told)
    asked, description = asked.described(file.root, describe)
    if asked.told or file.said is None or description is None:
        raise StudyError(spoken(path, asked.told))
    return file.said, description


def is_workload(root: MapNode) -> bool:
    """Whether a file is meant for a workload, by its keys."""
    keys = {*root.entries}
    return bool(keys & _ITS_KEYS) and not keys & _OTHERS_KEYS


def asked_by(root: MapNode, path: Path) -> Asked:
    """What the study at `path` says of its workload.

    A text that ends as a YAML file's name does is the path of one. Faults of types in the study's
    own mapping are left to whoever reads the whole study.
    """
    here, node = path.parent, walk(root, _WAY).node
    if "workload" not in root.entries:
        return Asked(None, here)
    if isinstance(node, MapNode):
        return Asked(_settled(node)[1], here, faults=(*ill_spelt(root, _WAY),))
    if not isinstance(node, TextNode) or node.broken or node.empty or not node.text:
        return Asked(None, here)
    if not node.text.lower().endswith((".yaml", ".yml")):
        return Asked(node.text, here)
    target = Path(os.path.normpath(here / node.text))
    try:
        file = _reading(target)
    except Unreadable as error:
        if error.flaws:
            return Asked(None, here, unreadable=unread(target, error))
        fault = Fault(_WAY, f"{scalar.shown(node.text)}: {error}", error.hint)
        return Asked(None, here, faults=(fault,))
    others = _OTHERS_KEYS & {*file.root.entries}
    if others and not is_workload(file.root):
        what = "sweep" if others & {"space", "sampler"} else "study"
        sentence = f"{scalar.shown(node.text)} is a {what}, and a workload is wanted"
        return Asked(None, here, faults=(Fault(_WAY, sentence, "its keys are command, code, ..."),))
    return Asked(file.said, target.parent, file, told=file.told)


def _reading(path: Path) -> WorkloadFile:
    """What a workload file says, and all that is wrong with it by itself.

    Raises:
        Unreadable: there is no such file, it is not a text, or no YAML.
    """
    file = read_yaml(path)
    settled, said = _settled(file.root)
    wording = Wording(
        Outline(OwnWorkload.model_json_schema()),
        node_at=lambda way: walk(file.root, way).node if walk(file.root, way).there else None,
    )
    faults = [*ill_spelt(file.root, ())]
    known = {fault.path for fault in faults}
    faults += [one for one in complaints(settled.problems, wording) if one.path not in known]
    faults += [*(ill_said(said) if said is not None else ())]
    told = [(flaw.place, flaw) for flaw in file.flaws]
    told += [] if named(path) else [misnamed(path, "workload")]
    told += [placed(file.root, fault) for fault in dict.fromkeys(faults)]
    return WorkloadFile(path, file.root, tuple(told), said, plain(file.root, settled.readings))


def _settled(node: MapNode) -> tuple[Settled, OwnWorkload | None]:
    found: list[OwnWorkload] = []

    def judge(value: Any) -> tuple[Any, ValidationError | None]:
        found.clear()
        try:
            found.append(OwnWorkload.model_validate_json(json.dumps(value)))
        except ValidationError as error:
            return value, error
        return value, None

    return settle(node, judge), (found[-1] if found else None)


def _sentence(error: LookupError) -> str:
    return str(error.args[0]) if error.args else ""
