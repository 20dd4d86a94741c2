"""YAML files, read strictly into trees: the one module that imports PyYAML.

Only PyYAML's parser is used, event by event. Nothing is constructed, so nothing is executed; and
limits are judged while reading, before memory or time is spent on what exceeds them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.suggestion import did_you_mean
from cbablate.spec.yaml.syntax import explained, odd_character
from cbablate.spec.yaml.text_file import Flaw, Unreadable, read_text, unfit
from cbablate.spec.yaml.tree import FilePlace, KeyValue, ListNode, MapNode, Node, TextNode

__all__ = ["YamlFile", "read_value", "read_yaml"]

MAX_DEPTH = 32
MAX_NODES = 50_000
MAX_ALIASES = 100
MAX_KEY = 200

_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class YamlFile:
    """A mapping as a file spells it, and the flaws that did not keep it from being read."""

    root: MapNode
    flaws: tuple[Flaw, ...]


def read_yaml(path: Path) -> YamlFile:
    """The tree of a file that holds one YAML mapping.

    Raises:
        Unreadable: there is no such file, it is not a text, or no YAML.
    """
    return _Composer(read_text(path)).file()


def read_value(text: str) -> tuple[Node, tuple[Flaw, ...]]:
    """The tree of what could stand after a key, on its line; what is wrong with it.

    Raises:
        Unreadable: it is no YAML.
    """
    return _Composer(text).value()


@dataclass
class _Anchor:
    """A node that aliases may stand for; None while it is being read."""

    place: FilePlace
    node: Node | None = None
    nodes: int = 0
    depth: int = 0


@dataclass
class _Composer:
    """Makes one tree of the parser's events."""

    text: str
    flaws: list[Flaw] = field(default_factory=list)
    anchors: dict[str, _Anchor] = field(default_factory=dict)
    nodes: int = 0
    aliases: int = 0
    deepest: int = 0

    def file(self) -> YamlFile:
        """The whole file."""
        with self._parsing():
            return self._document()

    def value(self) -> tuple[Node, tuple[Flaw, ...]]:
        """The whole text as one value; without a word, the empty one."""
        with self._parsing():
            self._next()
            event = self._next()
            if isinstance(event, yaml.StreamEndEvent):
                return TextNode("", quoted=False, place=FilePlace(1, 1)), ()
            node = self._node(self._next(), 1)
            self._next()
            if not isinstance(event := self._next(), yaml.StreamEndEvent):
                self._flaw(event, "a second document begins here")
            return node, tuple(self.flaws)

    @contextmanager
    def _parsing(self) -> Iterator[None]:
        try:
            self._parser = yaml.SafeLoader(self.text)
        except yaml.YAMLError as error:
            sentence = f"this cannot be read as YAML: {scalar.shown(str(error))}"
            raise Unreadable(Flaw(FilePlace(1, 1), sentence)) from None
        try:
            yield
        finally:
            self._parser.dispose()

    def _document(self) -> YamlFile:
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            raise Unreadable(Flaw(FilePlace(1, 1), "the file is empty", _SKELETON))
        root = self._node(self._next(), 1)
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._flaw(event, "a second document begins here", "write one study a file")
        if isinstance(root, MapNode):
            return YamlFile(root, tuple(self.flaws))
        if isinstance(root, TextNode) and root.empty:
            raise Unreadable(*self.flaws, Flaw(FilePlace(1, 1), "the file is empty", _SKELETON))
        what = "a list" if isinstance(root, ListNode) else "one text"
        hint = odd_character(self.text, root.place.line - 1) or self._resembles()
        flaw = Flaw(root.place, f"the file is {what}; a mapping is wanted", hint)
        raise Unreadable(*self.flaws, flaw)

    def _resembles(self) -> str:
        return self._other_language() or _SKELETON

    def _other_language(self) -> str:
        if re.search(r"^\s*[\w.]+ *= *\S", self.text, re.MULTILINE):
            return "this looks like TOML or Python; YAML is written `key: value`"
        return ""

    def _next(self) -> yaml.Event:
        """The parser's next event; what it cannot parse ends the reading."""
        try:
            event: yaml.Event = self._parser.get_event()  # type: ignore[no-untyped-call]  # the stubs'
        except yaml.MarkedYAMLError as error:
            sentence, mark, hint = explained(error, self.text)
            hint = hint or self._other_language()
            place = _place(mark) if mark else FilePlace(1, 1)
            raise Unreadable(*self.flaws, Flaw(place, sentence, hint)) from None
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            place = FilePlace(self._parser.line + 1, self._parser.column + 1)
            sentence = f"this cannot be read as YAML: {scalar.shown(str(error))}"
            if isinstance(error, OverflowError) or "chr()" in str(error):
                sentence = "an escape that stands for no character"
            raise Unreadable(*self.flaws, Flaw(place, sentence)) from None
        return event

    def _flaw(self, event: yaml.Event, sentence: str, hint: str = "") -> None:
        self.flaws.append(Flaw(_place(event.start_mark), sentence, hint))

    def _stop(self, event: yaml.Event, sentence: str, hint: str = "") -> Unreadable:
        return Unreadable(*self.flaws, Flaw(_place(event.start_mark), sentence, hint))

    def _count(self, event: yaml.Event, nodes: int, depth: int) -> None:
        self.nodes += nodes
        self.deepest = max(self.deepest, depth)
        if self.nodes > MAX_NODES:
            raise self._stop(
                event, f"more than {MAX_NODES:,} values, aliases counted as written out"
            )
        if depth > MAX_DEPTH:
            raise self._stop(event, f"more than {MAX_DEPTH} levels of nesting")

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._count(event, 1, depth)
        assert isinstance(event, yaml.NodeEvent)  # the parser's grammar  # noqa: S101 - ours
        tagged = self._tag(event)
        anchor = self._anchor(event)
        nodes, deepest, self.deepest = self.nodes, self.deepest, depth
        node = self._read(event, depth, tagged)
        if anchor is not None:
            anchor.node = node
            anchor.nodes = self.nodes - nodes + 1
            anchor.depth = self.deepest - depth
        self.deepest = max(deepest, self.deepest)
        return node

    def _read(self, event: yaml.Event, depth: int, tagged: bool) -> Node:
        place = _place(event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            return self._text(event, tagged)
        node: Node
        if isinstance(event, yaml.SequenceStartEvent):
            node = ListNode(tuple(self._items(depth + 1)), place)
        else:
            node = self._mapping(place, depth)
        lost = isinstance(node, MapNode) and not node.whole and not node.entries
        if depth > 1 and (tagged or lost):
            return TextNode("", quoted=True, place=place, broken=True)
        return node

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            yield self._node(event, depth)

    def _text(self, event: yaml.ScalarEvent, tagged: bool) -> TextNode:
        value = event.value
        odd = next((c for c in value if unfit(c)), None)
        if odd is not None:
            self._flaw(event, f"the text holds {scalar.named(odd)}, which no study needs")
        elif event.style is None and len(value) > 1 and value[0] in _CURLY and value[-1] in _CURLY:
            self._flaw(
                event,
                f"{scalar.shown(value)} is set in {scalar.named(value[0])}, which is not a quote "
                "in YAML",
                "write straight quotes, \" or '",
            )
            odd = value[0]
        broken = tagged or odd is not None
        value = "".join("?" if unfit(c) else c for c in value)
        return TextNode(value, event.style is not None, _place(event.start_mark), broken)

    def _mapping(self, place: FilePlace, depth: int) -> MapNode:
        entries: dict[str, KeyValue] = {}
        whole = True
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            node = self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            key = self._key(event, node)
            if key is None:
                whole = False
            elif key in entries:
                first = entries[key].key
                self._flaw(
                    event,
                    f"the key {scalar.shown(key)} is given twice, first on line {first.line}",
                    "delete one of them",
                )
            else:
                entries[key] = KeyValue(_place(event.start_mark), value)
        return MapNode(entries, place, whole)

    def _key(self, event: yaml.Event, node: Node) -> str | None:
        """The key that a node is; None, with a flaw told, where it can be none."""
        if not isinstance(node, TextNode):
            what = "a list" if isinstance(node, ListNode) else "a mapping"
            braces = "text in `{{ }}` is not filled in; " if "{{" in self._line(event) else ""
            self._flaw(event, f"{what} is not a key", f"{braces}write `word: value`")
        elif node.text == "<<" and not node.quoted:
            self._flaw(event, "merge keys (`<<`) are not read", "write the keys out")
        elif not node.quoted and not isinstance(scalar.guess(node.text), str):
            self._flaw(event, f"the key {scalar.shown(node.text)} is not a word", "quote it")
        elif len(node.text) > MAX_KEY:
            self._flaw(event, f"a key of {len(node.text):,} characters; at most {MAX_KEY} are read")
        elif odd := next((c for c in node.text if _lookalike(c)), None):
            self._flaw(
                event,
                f"the key {scalar.shown(node.text)} holds {scalar.named(odd)}",
                "type it anew, in plain letters",
            )
        else:
            return node.text
        return None

    def _line(self, event: yaml.Event) -> str:
        return self._lines[min(_place(event.start_mark).line, len(self._lines)) - 1]

    @cached_property
    def _lines(self) -> list[str]:
        return _BREAK.split(self.text)

    def _tag(self, event: yaml.NodeEvent) -> bool:
        tag = getattr(event, "tag", None)
        if tag is None:
            return False
        spelt = tag.replace("tag:yaml.org,2002:", "!!")
        danger = "; this one asks for Python code to be run" if "python" in tag else ""
        self._flaw(
            event, f"{scalar.shown(spelt)} is a tag, and tags are not read{danger}", "delete it"
        )
        return True

    def _anchor(self, event: yaml.NodeEvent) -> _Anchor | None:
        if event.anchor is None:
            return None
        before = self.anchors.get(event.anchor)
        if before is not None:
            self._flaw(
                event,
                f"the anchor '&{event.anchor}' is given twice, first on line {before.place.line}",
            )
        self.anchors[event.anchor] = _Anchor(_place(event.start_mark))
        return self.anchors[event.anchor]

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise self._stop(event, f"more than {MAX_ALIASES} aliases")
        name = str(event.anchor)
        anchor = self.anchors.get(name)
        if anchor is not None and anchor.node is not None:
            self._count(event, anchor.nodes, depth + anchor.depth)
            return anchor.node
        if anchor is None:
            hint = did_you_mean(name, self.anchors)
            self._flaw(event, f"the alias '*{name}' stands for no anchor above it", hint)
        else:
            self._flaw(event, f"the alias '*{name}' stands within what it stands for")
        return TextNode(name, quoted=True, place=_place(event.start_mark), broken=True)


_CURLY = frozenset("\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\xab\xbb")
_SKELETON = (
    "a study has the keys question, workload, baseline, budget, replicates, objective, report"
)


def _place(mark: Any) -> FilePlace:
    return FilePlace(mark.line + 1, mark.column + 1)


def _lookalike(character: str) -> bool:
    """Whether a key cannot hold it, for it looks like something else or like nothing."""
    if character == " ":
        return False
    category = unicodedata.category(character)
    return category in ("Zs", "Cc", "Cf", "Cs", "Pd", "Pi", "Pf") and not character.isascii()
