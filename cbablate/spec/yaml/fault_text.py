"""Telling: faults as text, each with its place in a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from cbablate.character import brief
from cbablate.spec.fault import Fault, dotted
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.text_file import Flaw, Unreadable
from cbablate.spec.yaml.tree import FilePlace, MapNode, TextNode, walk

__all__ = ["Told", "misnamed", "named", "placed", "spoken", "unread"]

Told = tuple[FilePlace, Flaw]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST = 50
_LONGEST = 1_000
"""The length at which a sentence is cut, in characters: some list all names that a file has."""


def named(path: Path) -> bool:
    """Whether a file's stem can be a name."""
    return _NAME.fullmatch(path.stem) is not None


def misnamed(path: Path, what: str) -> Told:
    """What is wrong with the stem of a file that holds a study or a sweep."""
    sentence = f"the file's stem is the {what}'s name, and {scalar.shown(path.stem)} cannot be one"
    hint = "rename the file: letters, digits, '.', '_' and '-', at most 64, a letter or digit first"
    return FilePlace(1, 1), Flaw(FilePlace(1, 1), sentence, hint)


def placed(root: MapNode, fault: Fault) -> Told:
    """Where in the file a fault is, and its text with its path before it."""
    found = walk(root, fault.path)
    empty = isinstance(found.node, TextNode) and not found.node.quoted and not found.node.text
    at_key = found.key is not None and not found.rest and (fault.at_key or empty)
    place = found.key if at_key and found.key is not None else found.node.place
    way = (*found.path, *found.rest)
    shown = dotted(way[:-1] if fault.at_key else way)
    return place, Flaw(place, f"{shown}: {fault.sentence}" if shown else fault.sentence, fault.hint)


def unread(path: Path, error: Unreadable) -> str:
    """What kept a file from being read."""
    if error.flaws:
        return spoken(path, [(flaw.place, flaw) for flaw in error.flaws])
    return f"{path}: {error}" + (f"\n    {error.hint}" if error.hint else "")


def spoken(path: Path, told: Iterable[Told]) -> str:
    """All faults of a file, in the file's order."""
    ordered = list(dict.fromkeys(sorted(told, key=lambda each: (each[0].override != "", each[0]))))
    lines = [
        f"{path}{place.shown}: {_brief(flaw.sentence)}"
        + (f"\n    {_brief(flaw.hint)}" if flaw.hint else "")
        for place, flaw in ordered[:_MOST]
    ]
    if len(ordered) > _MOST:
        lines.append(f"{path}: and {len(ordered) - _MOST:,} more")
    return "\n".join(lines)


def _brief(text: str) -> str:
    """A sentence on one line, cut where it is very long."""
    return scalar.printable(brief(text, _LONGEST))
