"""`read_sweep`: a sweep file as a value, or all that is wrong with it at once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cbablate.errors import StudyError
from cbablate.spec.fault import Fault
from cbablate.spec.loading.metric_rule import split_faults
from cbablate.spec.loading.scalar_reading import settle
from cbablate.spec.loading.sweep_rule import broken_sweep_rules
from cbablate.spec.loading.validation import Wording, complaints
from cbablate.spec.loading.written_sweep import WrittenSweep, made
from cbablate.spec.outline import Outline
from cbablate.spec.sweep import Sweep
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.fault_text import Told, misnamed, named, placed, spoken, unread
from cbablate.spec.yaml.text_file import Unreadable
from cbablate.spec.yaml.tree import MapNode, TextNode, plain, walk
from cbablate.spec.yaml.yaml_file import read_yaml

__all__ = ["SweepFile", "is_sweep", "read_sweep", "sweep_named_by", "sweep_reading"]

_ITS_KEYS = {"space", "sampler", "pruner", "trials"}
_STUDYS_KEYS = {"question", "workload", "baseline", "factors"}
_HINTS = {
    **dict.fromkeys(
        ("baseline", "budget", "factors", "replicates", "report", "seed", "design"),
        "it belongs to the study that names this sweep",
    ),
    "objective": "the study has it; here stand `objectives`, if there are several",
    "name": "a file's stem is the sweep's name",
}


@dataclass(frozen=True)
class SweepFile:
    """What could be read of a sweep file, and what is wrong with it.

    `written` is None where a type is wrong, and `sweep` where anything is. `plain` is what the
    file says.
    """

    path: Path
    root: MapNode = field(repr=False)
    told: tuple[Told, ...] = ()
    written: WrittenSweep | None = None
    sweep: Sweep | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)


def read_sweep(path: Path | str) -> SweepFile:
    """The sweep that a file says, without a study.

    Raises:
        StudyError: it says none; the message has a line for each fault.
    """
    path = Path(path)
    try:
        found = sweep_reading(path)
    except Unreadable as error:
        raise StudyError(unread(path, error)) from None
    told = [*found.told, *(placed(found.root, fault) for fault in split_faults(found.root, {}))]
    if told:
        raise StudyError(spoken(path, told))
    return found


def is_sweep(root: MapNode) -> bool:
    """Whether a file is meant for a sweep, by its keys."""
    keys = {*root.entries}
    return bool(keys & _ITS_KEYS) and not keys & _STUDYS_KEYS


def sweep_named_by(root: MapNode, path: Path) -> tuple[SweepFile | None, list[Fault], str]:
    """The sweep that the study at `path` names; what is wrong with naming it; what with reading it.

    The last is the text of an unreadable sweep file.
    """
    found = walk(root, ("tune",))
    if "tune" not in root.entries:
        return None, [], ""
    node = found.node
    if isinstance(node, TextNode) and node.broken:
        return None, [], ""
    if not isinstance(node, TextNode) or node.empty:
        hint = (
            "write tune: ../sweeps/recipe-quick.yaml, say; the file has the space and the sampler"
        )
        return None, [Fault(("tune",), "a path of a sweep file is wanted", hint)], ""
    target = Path(os.path.normpath(path.parent / node.text))
    try:
        sweep = sweep_reading(target)
    except Unreadable as error:
        if error.flaws:
            return None, [], unread(target, error)
        return None, [Fault(("tune",), f"{scalar.shown(node.text)}: {error}", error.hint)], ""
    if not is_sweep(sweep.root) and _STUDYS_KEYS & {*sweep.root.entries}:
        sentence = f"{scalar.shown(node.text)} is a study, and a sweep is wanted"
        hint = "a sweep has the keys space, sampler, trials; those of this project are in sweeps/"
        return None, [Fault(("tune",), sentence, hint)], ""
    return sweep, [], ""


def sweep_reading(path: Path) -> SweepFile:
    """What a sweep file says, and all its faults.

    Raises:
        Unreadable: there is no such file, it is not a text, or no YAML.
    """
    file = read_yaml(path)
    root = file.root
    written: list[WrittenSweep] = []

    def judge(value: Any) -> tuple[Any, ValidationError | None]:
        written.clear()
        try:
            written.append(WrittenSweep.model_validate_json(json.dumps(value)))
        except ValidationError as error:
            return value, error
        return value, None

    settled = settle(root, judge)
    wording = Wording(
        Outline(WrittenSweep.model_json_schema()),
        node_at=lambda way: walk(root, way).node if walk(root, way).there else None,
        hints=_HINTS,
    )
    faults = complaints(settled.problems, wording)
    if written:
        faults += broken_sweep_rules(written[0])
    told = [(flaw.place, flaw) for flaw in file.flaws]
    told += [] if named(path) else [misnamed(path, "sweep")]
    told += [placed(root, fault) for fault in dict.fromkeys(faults)]
    return SweepFile(
        path=path,
        root=root,
        told=tuple(told),
        written=written[0] if written else None,
        sweep=made(written[0], path.stem) if written and not told else None,
        plain=plain(root, settled.readings),
    )
