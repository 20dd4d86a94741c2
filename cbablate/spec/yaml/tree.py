"""The tree of a file: what is written where, before a schema decides what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from cbablate.spec.fault import Path
from cbablate.spec.yaml import scalar

__all__ = [
    "FilePlace",
    "Found",
    "KeyValue",
    "ListNode",
    "MapNode",
    "Node",
    "Readings",
    "TextNode",
    "plain",
    "walk",
]


@dataclass(frozen=True, order=True)
class FilePlace:
    """A line and a column of a file, both counted from 1, in characters.

    What the command line says in the place of the file has its words as `override`; the line is
    the number of it among them then.
    """

    line: int
    column: int
    override: str = ""

    @property
    def shown(self) -> str:
        """It as a message has it after the file's name."""
        if self.override:
            return f", override {self.line}, {scalar.shown(self.override)}"
        return f":{self.line}:{self.column}"


@dataclass(frozen=True)
class TextNode:
    """A scalar: its text, and whether it stood in quotes (or in a block, `|` or `>`).

    `broken` says that the reader has told a fault of it already, so nobody else needs to.
    """

    text: str
    quoted: bool
    place: FilePlace
    broken: bool = False

    @property
    def empty(self) -> bool:
        """Whether it says nothing: no text, `~` or `null`, without quotes."""
        return not self.quoted and scalar.guess(self.text) is None


@dataclass(frozen=True)
class ListNode:
    """A sequence."""

    items: tuple[Node, ...]
    place: FilePlace


@dataclass(frozen=True)
class KeyValue:
    """A key's place and its value."""

    key: FilePlace
    node: Node


@dataclass(frozen=True)
class MapNode:
    """A mapping. It is not `whole` where the reader had to leave an entry out."""

    entries: Mapping[str, KeyValue]
    place: FilePlace
    whole: bool = True

    @cached_property
    def order(self) -> Mapping[str, int]:
        """The position of each key."""
        return {key: position for position, key in enumerate(self.entries)}

    @cached_property
    def openings(self) -> Mapping[str, str]:
        """The last dotted key that begins with a word or with dotted words: `a` of `a.b.c`."""
        return {key[: dot.start()]: key for key in self.entries for dot in _DOT.finditer(key)}


Node = TextNode | ListNode | MapNode
Readings = Mapping[Path, Any]
"""What scalars mean where the schema wants something else than their looks, by path."""

_DOT = re.compile(r"\.")
_AS_THEY_LOOK: Readings = MappingProxyType({})


def plain(node: Node, readings: Readings = _AS_THEY_LOOK, *, path: Path = ()) -> Any:
    """The node as mappings, lists and scalars; an unquoted scalar is what YAML 1.2 makes of it."""
    if isinstance(node, TextNode):
        if path in readings:
            return readings[path]
        return node.text if node.quoted else scalar.guess(node.text)
    if isinstance(node, ListNode):
        return [plain(item, readings, path=(*path, i)) for i, item in enumerate(node.items)]
    return {key: plain(e.node, readings, path=(*path, key)) for key, e in node.entries.items()}


@dataclass(frozen=True)
class Found:
    """How far a path leads into a tree.

    `node` is the last one reached, `path` the way to it as the file spells it, `key` the place
    of the last key on that way, `rest` what the file does not have. It is not `exact` where a
    dotted key of the file says more than was asked (`model.depth`, asked for `model`).
    """

    node: Node
    path: Path = ()
    key: FilePlace | None = None
    rest: Path = ()
    exact: bool = True

    @property
    def there(self) -> bool:
        """Whether the file has all of the path, and the node is what stands there."""
        return not self.rest and self.exact


def walk(root: Node, path: Path) -> Found:
    """Follow `path` from `root` as far as it goes.

    Dotted keys count as the nested ones they stand for. An index into what is not a list is passed
    over: a schema may have made a list of one mapping.
    """
    return _walk(Found(root, rest=path))


def _walk(found: Found) -> Found:
    if not found.rest or not found.exact:
        return found
    ends = [_walk(step) for step in _steps(found)]
    return min(ends, key=lambda end: (len(end.rest), not end.exact), default=found)


def _steps(found: Found) -> Iterator[Found]:
    node, rest = found.node, found.rest
    head = rest[0]
    if isinstance(node, ListNode):
        if isinstance(head, int) and 0 <= head < len(node.items):
            yield Found(node.items[head], (*found.path, head), found.key, rest[1:])
        return
    if isinstance(head, int):
        yield Found(node, found.path, found.key, rest[1:])
        return
    if isinstance(node, TextNode):
        return
    for key, shared, exact in sorted(_spellings(node, rest), key=lambda s: -node.order[s[0]]):
        entry = node.entries[key]
        yield Found(entry.node, (*found.path, key), entry.key, rest[shared:], exact)


def _spellings(node: MapNode, rest: Path) -> Iterator[tuple[str, int, bool]]:
    """The keys that say the beginning of `rest`: how much of it, and whether nothing more."""
    spelt = ""
    for count, part in enumerate(rest, 1):
        if not isinstance(part, str) or (count > 1 and "." in part):
            return
        spelt = f"{spelt}.{part}" if count > 1 else part
        if spelt in node.entries:
            yield spelt, count, True
        if "." in str(rest[0]):
            return
    if spelt in node.openings:
        yield node.openings[spelt], len(rest), False
