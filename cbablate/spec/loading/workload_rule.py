"""Rules of own workloads: what a mapping may not say though its types would allow it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from cbablate.spec.command_words import OF_THE_TRIAL, is_switch, keys_in, takes_all
from cbablate.spec.fault import Fault, Path
from cbablate.spec.loading.study_rule import nearest_key
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.yaml.tree import ListNode, MapNode, Node, TextNode, walk

__all__ = ["clashing_keys", "ill_said", "ill_spelt", "strange_fields"]

_OF_COMMANDS = ("code", "reads", "runs_in")


def ill_said(said: OwnWorkload) -> Iterator[Fault]:
    """What is wrong with an own workload by itself, by paths in its mapping."""
    if said.command is None:
        for key in _OF_COMMANDS:
            if key in said.model_fields_set:
                sentence = f"'{key}' is of a command"
                hint = "the code of a function is what it imports; delete it"
                yield Fault((key,), sentence, hint if key == "code" else "delete it", at_key=True)
        return
    for index, word in enumerate(said.command):
        way = ("command", index)
        try:
            keys_in(word)
        except ValueError as error:
            yield Fault(way, str(error))
        if "\0" in word:
            yield Fault(way, "no word of a command can hold a NUL")
    first = said.command[0]
    if not first.strip() or takes_all(first) or is_switch(first):
        yield Fault(("command", 0), "the first word is the program", "write python, say")


def ill_spelt(node: Node, way: Path) -> Iterator[Fault]:
    """A command as one text, and words such as {lr} without quotes, in a workload at `way`."""
    command = walk(node, (*way, "command"))
    if not command.there:
        return
    if isinstance(command.node, TextNode) and command.node.text and not command.node.broken:
        words = ", ".join(f'"{word}"' if "{" in word else word for word in _split(command.node))
        sentence = "a list of words is wanted, as no shell is between to split a text"
        yield Fault((*way, "command"), sentence, f"write [{words}]")
    if not isinstance(command.node, ListNode):
        return
    for index, word in enumerate(command.node.items):
        if isinstance(word, MapNode):
            keys = ", ".join(word.entries)
            sentence = "a word is wanted, and braces without quotes are a mapping"
            yield Fault((*way, "command", index), sentence, f'put it in quotes: "{{{keys}}}"')


def strange_fields(said: OwnWorkload, root: MapNode) -> Iterator[Fault]:
    """Fields of a command that the baseline of the study does not have, by paths in the mapping."""
    baseline = walk(root, ("baseline",))
    if said.command is None or not baseline.there or not isinstance(baseline.node, MapNode):
        return
    known = list(_keys(baseline.node))
    for index, word in enumerate(said.command):
        try:
            names = keys_in(word)
        except ValueError:  # told by `ill_said`
            continue
        for name in names:
            if name in known or name in OF_THE_TRIAL:
                continue
            sentence = f"'{{{name}}}' is neither a key of the baseline nor one of the trial's own"
            meant = nearest_key(name, [*known, *OF_THE_TRIAL])
            if is_switch(word) and (other := name.replace("-", "_")) in known:
                meant = f"the key is called as the option is: write '{name}' for '{other}'"
            there = f"there are {', '.join([*known, *OF_THE_TRIAL])}; {{{{ and }}}} are braces"
            yield Fault(("command", index), sentence, meant or there)


def clashing_keys(said: OwnWorkload, root: MapNode) -> Iterator[Fault]:
    """Keys of the baseline whose fields would be the trial's own, by their paths in the study."""
    baseline = walk(root, ("baseline",))
    if said.command is None or not baseline.there or not isinstance(baseline.node, MapNode):
        return
    for key in baseline.node.entries:
        if key in OF_THE_TRIAL:
            sentence = f"'{{{key}}}' in a command is the trial's own {key}, so no key can have it"
            yield Fault(("baseline", key), sentence, "give the key another name", at_key=True)


def _split(command: TextNode) -> list[str]:
    try:
        return shlex.split(command.text)
    except ValueError:  # a quote without its other one
        return command.text.split()


def _keys(node: MapNode, before: str = "") -> Iterator[str]:
    """All keys below a mapping, dotted: those of mappings, too."""
    for key, entry in node.entries.items():
        yield f"{before}{key}"
        if isinstance(entry.node, MapNode):
            yield from _keys(entry.node, f"{before}{key}.")
