"""Rules: what a study may not say though its types would allow it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from cbablate.spec.description import Description
from cbablate.spec.fault import Fault, Path
from cbablate.spec.loading.metric_rule import metric_faults
from cbablate.spec.loading.own_config import dotted_keys, undecided
from cbablate.spec.loading.validation import MOST_SUGGESTED
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.suggestion import did_you_mean
from cbablate.spec.yaml.tree import ListNode, MapNode, Node, TextNode, walk

__all__ = [
    "Prefixes",
    "broken_rules",
    "changed_keys",
    "changes_of",
    "ill_formed_changes",
    "is_seed",
    "nearest_key",
    "unknown_changes",
]

_SEED = re.compile(r"seeds?", re.IGNORECASE)
_DEEPEST = 32
_NO_FACTOR = (
    "a seed is not a factor: replicates repeat every arm, from seeds that all arms share, so that "
    "arms can be compared in pairs"
)


def broken_rules(root: MapNode, description: Description | None) -> Iterator[Fault]:
    """The faults of a file's tree that no type catches; metrics only where they are known."""
    if "name" in root.entries:
        yield Fault(
            ("name",), "a file's stem is the study's name; 'name' is not written", "delete it", True
        )
    if "folder" in root.entries:
        yield Fault(("folder",), "'folder' is not a key of a study", "", True)
    if "overrides" in root.entries:
        hint = "overrides are words of the command line: cbablate run STUDY budget.epochs=2"
        yield Fault(("overrides",), "'overrides' is not a key of a study", hint, True)
    if "typesetting" in root.entries:
        hint = "how tables are set is said under report"
        yield Fault(("typesetting",), "'typesetting' is not a key of a study", hint, True)
    yield from _twice_named(root)
    yield from _seeds(root)
    for path, changes in changes_of(root):
        yield from _said_twice(changes, path)
    yield from metric_faults(root, description)


def changes_of(root: MapNode) -> Iterator[tuple[Path, MapNode]]:
    """Each level's changes, with the path to them; levels without any are left out."""
    for path, level in _levels(root):
        changes = walk(level, ("changes",))
        if changes.there and isinstance(changes.node, MapNode):
            yield (*path, "changes"), changes.node


def changed_keys(root: MapNode) -> Iterator[tuple[Path, str]]:
    """Every key that a level changes, dotted, with the path to where the file says so."""
    for path, changes in changes_of(root):
        for way, _ in _leaves(changes):
            yield (*path, *way), ".".join(map(str, way))


def ill_formed_changes(root: MapNode) -> Iterator[Fault]:
    """Dotted keys with nothing between two dots, or with more dots than any config is deep.

    Changes with such keys are not fit to be merged into a config.
    """
    for path, changes in changes_of(root):
        for way, _ in _leaves(changes):
            parts = ".".join(map(str, way)).split(".")
            if not all(parts):
                sentence = f"{scalar.shown(str(way[-1]))} has a dot with no word beside it"
                yield Fault((*path, *way), sentence, at_key=True)
            elif len(parts) > _DEEPEST:
                sentence = f"a key of {len(parts)} parts; at most {_DEEPEST} are read"
                yield Fault((*path, *way), sentence, at_key=True)


def unknown_changes(root: MapNode) -> Iterator[Fault]:
    """Changes of keys that the baseline does not have, and scalars that no schema can decide.

    For workloads of a user's own: the baseline is their schema.
    """
    baseline = walk(root, ("baseline",))
    if not baseline.there or not isinstance(baseline.node, MapNode):
        return
    yield from undecided(baseline.node, ("baseline",))
    yield from dotted_keys(baseline.node, ("baseline",))
    known = [".".join(map(str, path)) for path, _ in _leaves(baseline.node)]
    all_known, told = f"the baseline has {', '.join(known)}", 0
    for path, changes in changes_of(root):
        yield from undecided(changes, path)
        for key, entry in changes.entries.items():  # here alone a dotted key is a way down
            yield from dotted_keys(entry.node, (*path, key))
        for way, _ in _leaves(changes):
            key = ".".join(map(str, way))
            found = walk(baseline.node, tuple(key.split(".")))
            if isinstance(found.node, MapNode) and (found.rest or not found.exact):
                sentence = f"'{key}' is not a key of the baseline"
                hint = nearest_key(key, known) if told < MOST_SUGGESTED else ""
                hint, told = hint or all_known, told + 1
                yield Fault((*path, *way), sentence, hint, at_key=True)


def is_seed(word: str) -> bool:
    """Whether a name or a key is that of a seed."""
    return _SEED.fullmatch(word) is not None


class Prefixes:
    """Dotted keys, to find the first of them that is the beginning of another key."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._position = {key: position for position, key in enumerate(keys)}

    def of(self, key: str) -> str:
        """The key of which `key` is a part, `optimizer` of `optimizer.lr`; '' if there is none."""
        wholes = (key[: dot.start()] for dot in re.finditer(r"\.", key))
        there = [whole for whole in wholes if whole in self._position]
        return min(there, key=self._position.__getitem__, default="")


def nearest_key(key: str, known: Iterable[str]) -> str:
    """Which dotted key was meant: a sibling, or one of that name elsewhere."""
    parent, _, name = key.rpartition(".")
    siblings = {k.rpartition(".")[2]: k for k in known if k.rpartition(".")[0] == parent}
    anywhere = {k.rpartition(".")[2]: k for k in known}
    return did_you_mean(name, siblings, spelt=siblings.__getitem__) or did_you_mean(
        name, anywhere, spelt=anywhere.__getitem__
    )


def _levels(root: MapNode) -> Iterator[tuple[Path, MapNode]]:
    for path, factor in _factors(root):
        levels = walk(factor, ("levels",))
        if levels.there and isinstance(levels.node, ListNode):
            for j, level in enumerate(levels.node.items):
                if isinstance(level, MapNode):
                    yield (*path, "levels", j), level


def _factors(root: MapNode) -> Iterator[tuple[Path, MapNode]]:
    factors = walk(root, ("factors",))
    if factors.there and isinstance(factors.node, ListNode):
        for i, factor in enumerate(factors.node.items):
            if isinstance(factor, MapNode):
                yield ("factors", i), factor


def _text(node: Node, *path: str | int) -> str | None:
    found = walk(node, path)
    if not found.there or not isinstance(found.node, TextNode) or found.node.empty:
        return None
    return found.node.text


def _line(node: Node, *path: str | int) -> int:
    return walk(node, path).node.place.line


def _twice_named(root: MapNode) -> Iterator[Fault]:
    seen: dict[tuple[Path, str], int] = {}
    named: list[tuple[Path, Path, MapNode]]
    named = [(("factors",), path, node) for path, node in _factors(root)]
    named += [(path[:2], path, node) for path, node in _levels(root)]
    for group, path, node in named:
        name = _text(node, "name")
        if name is None:
            continue
        if (group, name) in seen:
            what = "factor" if len(path) == 2 else "level of this factor"
            line = seen[group, name]
            sentence = f"another {what}, on line {line}, is called {scalar.shown(name)} too"
            yield Fault((*path, "name"), sentence)
        seen.setdefault((group, name), _line(node, "name"))


def _seeds(root: MapNode) -> Iterator[Fault]:
    for path, factor in _factors(root):
        name = _text(factor, "name")
        if name is not None and _SEED.fullmatch(name):
            yield Fault((*path, "name"), _NO_FACTOR)
    for path, node in [*_factors(root), *_levels(root), *changes_of(root)]:
        for key in node.entries:
            if _SEED.fullmatch(key):
                yield Fault((*path, key), _NO_FACTOR, "say `replicates:` instead", at_key=True)


def _said_twice(changes: MapNode, path: Path) -> Iterator[Fault]:
    """A dotted key and a nested one that change the same thing."""
    counted = Counter(".".join(map(str, way)) for way, _ in _leaves(changes))
    wholes = Prefixes(counted)
    for way, _ in reversed([*_leaves(changes)]):
        key = ".".join(map(str, way))
        if counted[key] > 1:
            counted[key] = 1
            yield Fault((*path, *way), f"'{key}' is changed twice here", "delete one", at_key=True)
        elif whole := wholes.of(key):
            sentence = f"'{whole}' as a whole is changed here, too"
            yield Fault((*path, *way), sentence, "delete one of the two", at_key=True)


def _leaves(node: MapNode, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """What has no mapping below it, with its path as written."""
    for key, entry in node.entries.items():
        if isinstance(entry.node, MapNode) and entry.node.entries:
            yield from _leaves(entry.node, (*path, key))
        else:
            yield (*path, key), entry.node
