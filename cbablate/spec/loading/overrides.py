"""`overridden`: a study's tree with what the command line says in the place of its file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cbablate.errors import UsageError
from cbablate.fingerprint import fingerprint
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.text_file import Flaw, Unreadable
from cbablate.spec.yaml.tree import FilePlace, KeyValue, ListNode, MapNode, Node, TextNode, plain
from cbablate.spec.yaml.yaml_file import YamlFile, read_value

__all__ = ["file_name", "is_override", "overridden", "variant_name"]

_OVERRIDE = re.compile(r"[A-Za-z_][^=\s]*=.*", re.DOTALL)
_DIGITS = 8
_LONGEST_NAME = 64


def is_override(word: str) -> bool:
    """Whether a word is meant for one, `budget.epochs=2`."""
    return _OVERRIDE.fullmatch(word) is not None


def variant_name(stem: str, overrides: Sequence[str]) -> str:
    """The name of a study under these overrides: its own, and eight digits of what they say.

    The order of the words does not matter, nor how a value is spelled.
    """
    if not overrides:
        return stem
    said = sorted((one.key, _plain(one)) for one in map(_Override.of, overrides))
    digits = fingerprint([[key, value] for key, value in said])[:_DIGITS]
    return f"{stem[: _LONGEST_NAME - _DIGITS - 1]}-{digits}"


def file_name(name: str, overrides: Sequence[str]) -> str:
    """The stem of the file that a study of this name was read from."""
    return name[: -_DIGITS - 1] if overrides else name


def overridden(file: YamlFile, overrides: Sequence[str]) -> YamlFile:
    """The file with each value that an override gives in the place of its own, or added to it.

    `a.b=1` means the key `b` of `a`, and `a.0` the first item of a list; the value is read as it
    would be read in the file. A schema judges the whole afterwards.

    Raises:
        UsageError: a word is no override.

    Two that overlap are a flaw: which of them holds would hang on their order.
    """
    root, flaws, seen = file.root, [*file.flaws], dict[str, int]()
    for number, words in enumerate(overrides, 1):
        one = _Override.of(words)
        place = FilePlace(number, 1, words)
        if one.key in seen:
            flaws.append(
                Flaw(place, f"{one.key} is given twice, first by override {seen[one.key]}")
            )
            continue
        seen[one.key] = number
        around = next((key for key in seen if _holds(key, one.key) or _holds(one.key, key)), None)
        if around is not None:
            flaws.append(
                Flaw(
                    place,
                    f"{one.key} and {around} of override {seen[around]} overlap: one is a part of "
                    "the other",
                    f"say it at once, as {min(one.key, around, key=len)}={{...}}",
                )
            )
            continue
        try:
            value, found = read_value(one.value)
            changed = _with(root, one.path, _moved(value, place))
        except Unreadable as error:
            found = error.flaws
        except _InTheWay as error:
            flaws.append(Flaw(place, f"{one.key}: {error}", error.hint))
            continue
        else:
            assert isinstance(changed, MapNode)  # a key leads below the root  # noqa: S101 - ours
            root = changed
        flaws += [replace(flaw, place=place) for flaw in found]
    return YamlFile(root, tuple(flaws))


@dataclass(frozen=True)
class _Override:
    """`key=value`, taken apart."""

    key: str
    value: str

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.key.split("."))

    @classmethod
    def of(cls, words: str) -> _Override:
        key, sign, value = words.partition("=")
        if not sign or not is_override(words) or not all(key.split(".")):
            raise UsageError(
                f"{scalar.shown(words)} changes nothing of a study: write KEY=VALUE, "
                "budget.epochs=2 for example"
            )
        return cls(key, value)


def _holds(key: str, inner: str) -> bool:
    """Whether one key is a part of what another one gives."""
    return inner.startswith(f"{key}.")


class _InTheWay(Exception):
    """Something on the way to a key has no keys."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint


def _plain(one: _Override) -> str:
    """What an override gives, in one spelling; what cannot be read, as it stands."""
    try:
        return fingerprint(plain(read_value(one.value)[0]))
    except (Unreadable, ValueError, TypeError):
        return one.value


def _with(node: Node, path: tuple[str, ...], value: Node, done: tuple[str, ...] = ()) -> Node:
    """The node with `value` at `path` below it."""
    if not path:
        return value
    if isinstance(node, ListNode):
        return _with_item(node, path, value, done)
    if isinstance(node, TextNode):
        if not node.empty:
            way, rest = ".".join(done), ".".join(path)
            raise _InTheWay(
                f"{way} is {scalar.shown(node.text)} in the file, which has no key {rest}",
                f"give all of it: {way}={{{rest}: ...}}",
            )
        node = MapNode({}, value.place)
    known = (count for count in range(len(path), 0, -1) if ".".join(path[:count]) in node.entries)
    count = next(known, 1)
    key, rest_of = ".".join(path[:count]), path[count:]
    entry = node.entries.get(key, KeyValue(value.place, TextNode("", False, value.place)))
    below = _with(entry.node, rest_of, value, (*done, key))
    at = value.place if key not in node.entries or not rest_of else entry.key
    return replace(node, entries={**node.entries, key: KeyValue(at, below)})


def _with_item(
    node: ListNode, path: tuple[str, ...], value: Node, done: tuple[str, ...]
) -> ListNode:
    head, *rest = path
    way, last = ".".join(done), len(node.items) - 1
    if not (head.isdecimal() and head == str(int(head)) and int(head) <= last):
        raise _InTheWay(
            f"{way} is a list in the file, and {scalar.shown(head)} none of its items",
            f"its items are {way}.0 to {way}.{last}" if node.items else "",
        )
    items = list(node.items)
    items[int(head)] = _with(items[int(head)], tuple(rest), value, (*done, head))
    return replace(node, items=tuple(items))


def _moved(node: Node, place: FilePlace) -> Node:
    """The node as one that an override says."""
    if isinstance(node, ListNode):
        return ListNode(tuple(_moved(item, place) for item in node.items), place)
    if isinstance(node, MapNode):
        entries = {
            key: KeyValue(place, _moved(entry.node, place)) for key, entry in node.entries.items()
        }
        return replace(node, entries=entries, place=place)
    return replace(node, place=place)
