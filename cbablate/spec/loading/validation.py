"""Complaints: what pydantic finds wrong with a value, told as faults in words of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from cbablate.phrases import listed
from cbablate.spec.fault import Fault, Path
from cbablate.spec.outline import Outline
from cbablate.spec.yaml import scalar
from cbablate.spec.yaml.suggestion import did_you_mean, nearest
from cbablate.spec.yaml.tree import FilePlace, MapNode, Node, TextNode

__all__ = ["MOST_SUGGESTED", "Problem", "Wording", "choices", "complaints", "problems"]

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "literal_error": "",
    "enum": "",
    "none_required": "nothing",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "must be at least"),
    "greater_than": ("gt", "must be greater than"),
    "less_than_equal": ("le", "must be at most"),
    "less_than": ("lt", "must be less than"),
    "multiple_of": ("multiple_of", "must be a multiple of"),
}
_BOOLEAN_WORDS = {
    **dict.fromkeys(("yes", "on", "y", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "0"), "false"),
}
_CHOICE = re.compile(r"'((?:[^'\\]|\\.)*)'")
_MOST_HOMES = 2
MOST_SUGGESTED = 100
"""How many faults of a kind get a suggestion; fewer are shown."""
_IS_MISSING = " is missing"
NodeAt = Callable[[Path], Node | None]


@dataclass(frozen=True)
class Problem:
    """One of pydantic's errors, its path cleaned of what is not in the value.

    pydantic adds the names of a union's branches to paths, and of validators, and indices where
    a validator made a list of a mapping; `astray` says that the last parts were such.
    """

    kind: str
    path: Path
    message: str
    context: Mapping[str, Any]
    found: Any
    astray: bool = False


def problems(error: ValidationError, value: Any) -> list[Problem]:
    """The errors about `value`, less those of a union's branches that were not meant.

    A branch was meant if its faults lie within what is written, not in its being there.
    """
    told = [_problem(dict(details), value) for details in error.errors(include_url=False)]
    around: dict[Path, list[Problem]] = {}
    for one in told:
        for length in range(len(one.path) + 1):
            around.setdefault(one.path[:length], []).append(one)
    return [
        one
        for one in told
        if not _needs_explaining(one) or not any(_explains(o, one) for o in around[one.path])
    ]


def _problem(details: Mapping[str, Any], value: Any) -> Problem:
    kind, location = details["type"], tuple(details["loc"])
    ends = location[-1:] if kind == "missing" else ()
    path: list[str | int] = []
    astray = False
    for part in location[: len(location) - len(ends)]:
        inside = isinstance(value, Mapping) and part in value
        if isinstance(value, Sequence) and not isinstance(value, str):
            inside = isinstance(part, int) and part < len(value)
        if inside:
            path.append(part)
            value = value[part]
        astray = not inside
    return Problem(
        kind,
        (*path, *ends),
        details["msg"],
        details.get("ctx") or {},
        value if not ends else None,
        astray,
    )


def _needs_explaining(one: Problem) -> bool:
    """Whether another problem may tell it better."""
    if one.kind == "too_short" and isinstance(one.found, Sequence):
        return len(one.found) >= int(one.context.get("min_length", 0))
    return one.astray and one.kind in _WANTED


def _explains(other: Problem, one: Problem) -> bool:
    """Whether `one` need not be told, for `other` tells it better."""
    if one.kind == "too_short":
        return other.path[: len(one.path)] == one.path and other is not one
    deeper = len(other.path) > len(one.path) and other.path[: len(one.path)] == one.path
    return deeper or (other.path == one.path and other.kind not in _WANTED)


@dataclass(frozen=True)
class Wording:
    """How the faults of a value are worded.

    `outline` has the keys that are allowed, to suggest some from; `whose` tells whose keys
    they are (`workload toy`), by default the schema's titles. Where there is a file, `node_at`
    gives what it has at a path, and `spelt` how it spells the last key there; `dotted` says that
    it may spell keys with dots. `hints` are hints for certain unknown keys.
    """

    outline: Outline
    whose: str = ""
    node_at: NodeAt = lambda _path: None
    spelt: Callable[[Path], str] = lambda path: str(path[-1])
    dotted: bool = False
    hints: Mapping[str, str] = field(default_factory=dict)


def complaints(told: Iterable[Problem], wording: Wording) -> list[Fault]:
    """The faults that are told by `problems`, their paths starting at the value."""
    grouped: dict[Path, list[Problem]] = {}
    for problem in told:
        grouped.setdefault(problem.path, []).append(problem)
    faults: list[Fault] = []
    suggested = _suggested(grouped, wording)
    for path, group in grouped.items():
        lacking = group[0].kind == "missing"
        node = wording.node_at(path[:-1] if lacking else path)
        if (isinstance(node, TextNode) and node.broken) or (
            lacking and isinstance(node, MapNode) and not node.whole
        ):
            continue  # the reader has told the cause
        mistyped = [problem for problem in group if problem.kind in _WANTED]
        if mistyped:
            faults.append(_mistyped(mistyped, node, wording.outline))
        faults += [
            _unknown(problem, wording, suggest=path in suggested)
            if problem.kind == "extra_forbidden"
            else _other(problem, node)
            for problem in group
            if problem.kind not in _WANTED
        ]
    meant = {(fault.path[:-1], fault.hint) for fault in faults if fault.at_key}
    return [
        fault
        for fault in dict.fromkeys(faults)
        if (fault.path, f"did you mean {fault.sentence.removesuffix(_IS_MISSING)}?") not in meant
    ]  # a key that is misspelt is not missing as well


def _suggested(grouped: Mapping[Path, Sequence[Problem]], wording: Wording) -> set[Path]:
    """The unknown keys for which another one is suggested: the first in the file.

    More cannot be shown, and a suggestion takes longer than all else.
    """
    unknown = [
        path
        for path, group in grouped.items()
        if any(problem.kind == "extra_forbidden" for problem in group)
    ]
    if len(unknown) > MOST_SUGGESTED:
        nodes = {path: wording.node_at(path) for path in unknown}
        unknown.sort(key=lambda path: node.place if (node := nodes[path]) else FilePlace(0, 0))
    return {*unknown[:MOST_SUGGESTED]}


def _mistyped(group: Sequence[Problem], node: Node | None, outline: Outline) -> Fault:
    """Something else than any of the union's branches wants."""
    path, found = group[0].path, group[0].found
    allowed = [c for p in group if not _WANTED[p.kind] for c in choices(p)]
    wanted = list(dict.fromkeys(w for p in group if (w := _WANTED[p.kind])))
    if allowed:
        spelt = [f"'{c}'" if isinstance(c, str) else str(c).lower() for c in allowed]
        wanted = [f"one of {listed(spelt)}" if len(spelt) > 1 else spelt[0], *wanted]
    wish = listed(wanted, "or")
    text = node.text if isinstance(node, TextNode) else found
    if not isinstance(text, str) or found is None:
        if isinstance(text, bool | int | float):
            return Fault(path, f"{str(text).lower()} is not {wish}")
        hint = _how_to_write(wanted, found, outline.keys(path))
        return Fault(path, f"{_what(found)} is given; {wish} is wanted", hint)
    sentence, hint = _misspelt(text, wanted, quoted=isinstance(found, str) and _is_quoted(node))
    if not sentence:
        sentence = f"{scalar.shown(text)} is not {wish}"
        hint = _how_to_write(wanted, text, outline.keys(path))
    hint = did_you_mean(text, [c for c in allowed if isinstance(c, str)]) or hint
    if "${" in text or "{{" in text:
        hint = "names in braces are not filled in; write the value"
    return Fault(path, sentence, hint)


def _is_quoted(node: Node | None) -> bool:
    return isinstance(node, TextNode) and node.quoted


def _misspelt(text: str, wanted: Sequence[str], *, quoted: bool) -> tuple[str, str]:
    """Why text is not a number or a truth value, where it nearly is one."""
    meant = scalar.guess(text)
    number = next((wish for wish in wanted if "number" in wish), "")
    if number:
        if quoted and isinstance(meant, int | float) and not isinstance(meant, bool):
            return f"{scalar.shown(text)} is in quotes, so it is text, not {number}", (
                f"drop the quotes: {text}"
            )
        told = scalar.misread(text)
        if told is not None:
            sentence, hint = told
            return f"{sentence}; {number} is wanted", hint
    if "true or false" in wanted:
        if quoted and isinstance(meant, bool):
            return f"{scalar.shown(text)} is in quotes, so it is text, not true or false", (
                f"drop the quotes: {text}"
            )
        word = _BOOLEAN_WORDS.get(text.lower())
        if word:
            return f"{scalar.shown(text)} is not true or false", f"write {word}"
    return "", ""


def _how_to_write(wanted: Sequence[str], found: Any, keys: Iterable[str]) -> str:
    known = ", ".join(keys)
    for wish in wanted:
        if wish == "a mapping" and known:
            return f"its keys are {known}"
        if wish == "a list" and known and "a mapping" not in wanted:
            return f"each entry is a mapping with the keys {known}"
        if wish == "a list" and isinstance(found, str | int | float) and len(str(found)) < 40:
            return f"write [{found}]"
    return ""


def choices(problem: Problem) -> list[str | bool | int]:
    """What a Literal allows, read from pydantic's words for a `literal_error`."""
    words = str(problem.context.get("expected", ""))
    texts: list[str | bool | int] = [*_CHOICE.findall(words)]
    bare = re.findall(r"True|False|-?\d+", _CHOICE.sub("", words))
    return texts + [word == "True" if word in ("True", "False") else int(word) for word in bare]


def _unknown(problem: Problem, wording: Wording, *, suggest: bool) -> Fault:
    *parents, key = problem.path
    outline = wording.outline
    title = outline.title(tuple(parents))
    article = "an" if title[:1] in "aeiou" else "a"
    owner = wording.whose or (f"{article} {title}" if title else "this mapping")
    spelt = wording.spelt(problem.path)
    sentence = f"{scalar.shown(spelt)} is not a key of {owner}"
    odd = next((c for c in spelt if not c.isascii()), None)
    if odd is not None:
        sentence += f"; it holds {scalar.named(odd)}"
    if not suggest:
        return Fault(problem.path, sentence, at_key=True)
    ahead = "".join(f"{part}." for part in parents if isinstance(part, str))
    _, dotted_on, rest = spelt.partition(f"{key}.")
    behind = f".{rest}" if dotted_on else ""
    nested = tuple(str(key).split("."))
    if len(nested) > 1 and not wording.dotted and nested[-1] in outline.keys(nested[:-1]):
        hint = "write it nested; dots are read in a level's changes only"
    else:
        hint = wording.hints.get(str(key)) or _meant(
            str(key),
            list(outline.keys(tuple(parents))),
            homes=outline.homes(str(key)),
            spelt=(lambda name: f"{ahead}{name}{behind}") if wording.dotted else str,
        )
    return Fault(problem.path, sentence, hint, at_key=True)


def _meant(
    key: str,
    known: Sequence[str],
    *,
    homes: Sequence[tuple[str, ...]],
    spelt: Callable[[str], str],
) -> str:
    """Which key an unknown one may stand for, or where it belongs."""
    if not nearest(key, known, surely=True) and 0 < len(homes) <= _MOST_HOMES and all(homes):
        return "it belongs under " + listed([f"'{'.'.join(home)}'" for home in homes], "or")
    asked = did_you_mean(key, known, spelt=spelt)
    return asked or (f"the keys here are {', '.join(known)}" if known else "")


def _other(problem: Problem, node: Node | None) -> Fault:
    kind, context, path = problem.kind, problem.context, problem.path
    text = node.text if isinstance(node, TextNode) else str(problem.found)
    if kind == "missing":
        return Fault(path[:-1], f"'{path[-1]}'{_IS_MISSING}")
    if kind in _BOUNDS:
        word, sentence = _BOUNDS[kind]
        return Fault(path, f"{sentence} {_bound(context[word])}, found {text}")
    if kind == "finite_number":
        return Fault(path, f"{scalar.shown(text)} is not finite; a number is wanted")
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        return Fault(path, _length(kind, context, problem.found))
    if kind == "string_pattern_mismatch":
        return Fault(path, f"{scalar.shown(text)} does not have the form {context['pattern']}")
    if kind in ("value_error", "assertion_error"):
        said = problem.message.split("error, ", 1)[-1].removeprefix("Assertion failed, ")
        return Fault(path, said)
    return Fault(path, f"{problem.message[:1].lower()}{problem.message[1:]}")


def _bound(limit: float) -> str:
    return str(int(limit)) if float(limit).is_integer() else f"{limit:g}"


def _length(kind: str, context: Mapping[str, Any], found: Any) -> str:
    what = "character" if kind.startswith("string") else "entry"
    least = kind.endswith("short")
    limit = context["min_length" if least else "max_length"]
    if least and not len(found):
        return "is empty" if what == "character" else f"is empty; give at least {limit}"
    many = {"character": "characters", "entry": "entries"}[what] if limit != 1 else what
    return f"must have at {'least' if least else 'most'} {limit} {many}, found {len(found)}"


def _what(found: Any) -> str:
    if found is None:
        return "nothing"
    return "a list" if isinstance(found, Sequence) else "a mapping"
