"""Rules for the config of a user's own workload, which has no schema to decide what is meant."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.spec.fault import Fault, Path
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.tree import ListNode, MapNode, Node

__all__ = ["dotted_keys", "undecided"]


def dotted_keys(node: Node, path: Path) -> Iterator[Fault]:
    """Keys with a dot in them, in a mapping that is not in a list.

    In changes and in a space `optimizer.lr` is the key `lr` below `optimizer`. Were it a key of
    its own elsewhere, a change of it would leave it as it is and add another one beside it.
    """
    if not isinstance(node, MapNode):
        return
    for key, entry in node.entries.items():
        if "." in key:
            sentence = (
                f"{scalar.shown(key)} has a dot in it, which stands between a key and the one "
                "below it"
            )
            yield Fault((*path, key), sentence, _instead(key), at_key=True)
        else:
            yield from dotted_keys(entry.node, (*path, key))


def undecided(node: Node, path: Path) -> Iterator[Fault]:
    """Unquoted scalars that could be a number, a truth value or nothing as well as a word."""
    if isinstance(node, MapNode):
        for key, entry in node.entries.items():
            yield from undecided(entry.node, (*path, key))
    elif isinstance(node, ListNode):
        for index, item in enumerate(node.items):
            yield from undecided(item, (*path, index))
    elif not node.quoted and not node.broken:
        misread = scalar.misread(node.text)
        told = (f"{misread[0]}, so it is not a number", misread[1]) if misread else None
        told = told or scalar.ambiguous(node.text)
        if told is not None:
            sentence, hint = told
            hint = f"{hint}, or put it in quotes if it is a word".removeprefix(", or ")
            yield Fault(path, sentence, hint)


def _instead(key: str) -> str:
    """What to write for a dotted key."""
    parts = key.split(".")
    if not all(part.isidentifier() for part in parts):
        return "give it a name without a dot; names with dots can stand in a list"
    opening = "".join(f"{part}: {{" for part in parts[:-1])
    written = f"{opening}{parts[-1]}: ...{'}' * (len(parts) - 1)}"
    return f"write {written}; names that have dots, as those of modules, can stand in a list"
