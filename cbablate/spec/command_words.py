"""The words of a command: `{key}` in them stands for a value of the config or of the trial.

    --lr={optimizer.lr}    a value, by its dotted key; lists and mappings as JSON
    {seed} {budget} {workdir} {checkpoint} {study}    what belongs to the trial
    {--norm}    as a whole word, a switch: `--norm` for true, no word for false or null, and
                `--norm=value` for any other value
    {--norm|--no-norm}    likewise, with a word for false
    {--*}    as a whole word: `--key=value` for each key of the config without a word of its own
    {*}      as a whole word: `key=value` for each of these keys
    {{ }}    braces

A key has a word of its own in `{--norm}`, in `{norm}` and in `--any={norm}`.

There is no shell, and what a value holds is never looked at again: it stays within its word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeVar

__all__ = [
    "OF_THE_TRIAL",
    "expanded",
    "is_switch",
    "keys_in",
    "leaves",
    "options",
    "spelled",
    "takes_all",
    "unowned",
]

OF_THE_TRIAL = ("seed", "budget", "workdir", "checkpoint", "study")
"""The keys that stand for what belongs to a trial, not to its config."""
Value = TypeVar("Value")
_ALL = {"{--*}": "--", "{*}": ""}
_SWITCH = re.compile(r"\{--(?!\*\})(?P<key>[^{}|]+)(\|(?P<off>-[^{}|]+))?\}")
_OWN = re.compile(r"(?:(?P<option>[^{}=]+)=)?\{(?P<key>[^{}]+)\}")
_PARTS = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def expanded(
    words: Iterable[str], config: Mapping[str, Any], trial: Mapping[str, object]
) -> list[str]:
    """The words with values in the place of keys; `trial` has those of `OF_THE_TRIAL`.

    Raises:
        ValueError: a brace has no partner, or a key is neither the config's nor the trial's.
    """
    words = tuple(words)
    filled: list[str] = []
    for word in words:
        if word in _ALL:
            rest = unowned(words, leaves(config))
            filled += [f"{_ALL[word]}{key}={spelled(value)}" for key, value in rest]
        elif switch := _SWITCH.fullmatch(word):
            filled += _switched(switch["key"], switch["off"], _value(switch["key"], config, trial))
        else:
            filled.append(_filled(word, config, trial))
    return filled


def keys_in(word: str) -> tuple[str, ...]:
    """The keys that a word names, in order; none for `{--*}` and `{*}`, which name all.

    Raises:
        ValueError: a brace has no partner.
    """
    if word in _ALL:
        return ()
    if switch := _SWITCH.fullmatch(word):
        return (switch["key"],)
    return tuple(key for _, key in _parts(word) if key is not None)


def takes_all(word: str) -> bool:
    """Whether a word stands for all keys of the config."""
    return word in _ALL


def is_switch(word: str) -> bool:
    """Whether a word is there for true, and not for false."""
    return _SWITCH.fullmatch(word) is not None


def unowned(
    words: Iterable[str], found: Iterable[tuple[str, Value]]
) -> Iterator[tuple[str, Value]]:
    """The dotted keys, with what comes with each, that have no word of their own: those of `{--*}`.

    A key within a longer text, as in `run-{norm}`, has none: the program may not take it as `norm`.
    """
    owned = {key for key, _ in options(words)}
    for key, value in found:
        parents = (key[: dot.start()] for dot in re.finditer(r"\.", key))
        if key not in owned and owned.isdisjoint(parents):
            yield key, value


def options(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The keys that have a word of their own, each with the option that it is the value of.

    It is `--x` for `{--x}`, `--x={key}` and the two words `--x` and `{key}`; "" for `{key}` alone.
    """
    for before, word in pairwise(("", *words)):
        if switch := _SWITCH.fullmatch(word):
            yield switch["key"], f"--{switch['key']}"
        elif word not in _ALL and (own := _OWN.fullmatch(word)):
            alone = before.startswith("-") and not _PARTS.search(before) and "=" not in before
            yield own["key"], own["option"] or before * alone


def leaves(config: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted keys of a config with their values; a mapping without keys is a value."""
    for name, value in config.items():
        key = f"{within}{name}"
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{key}.")
        else:
            yield key, value


def spelled(value: object) -> str:
    """A value as a word: text as it is, numbers so that they read back as they were."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _switched(key: str, off: str | None, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{key}"] if value else [off] if off else []
    return [] if value is None else [f"--{key}={spelled(value)}"]


def _filled(word: str, config: Mapping[str, Any], trial: Mapping[str, object]) -> str:
    parts = list(_parts(word))
    return "".join(
        text if key is None else spelled(_value(key, config, trial)) for text, key in parts
    )


def _value(key: str, config: Mapping[str, Any], trial: Mapping[str, object]) -> object:
    """What a key stands for; the trial's own go before the config's.

    Raises:
        ValueError: it stands for nothing.
    """
    if key in trial:
        return trial[key]
    found: object = config
    for name in key.split("."):
        if not isinstance(found, Mapping) or name not in found:
            raise ValueError(
                f"{{{key}}} is neither a key of the config nor one of "
                f"{', '.join(f'{{{name}}}' for name in OF_THE_TRIAL)}"
            )
        found = found[name]
    return found


def _parts(word: str) -> Iterator[tuple[str, str | None]]:
    """Pieces of a word: a text, or a key with an empty text.

    Raises:
        ValueError: a brace has no partner, or there is nothing between two.
    """
    end = 0
    for found in _PARTS.finditer(word):
        yield word[end : found.start()], None
        end = found.end()
        sign, key = found.group(), found.group(1)
        if sign in ("{{", "}}"):
            yield sign[0], None
        elif not key:
            raise ValueError(f"the word '{word}' has a lone brace: write {{{{ and }}}} for braces")
        elif key in ("*", "--*"):
            raise ValueError(f"{{{key}}} stands for several words and must be a word of its own")
        elif key.startswith("--"):
            raise ValueError(
                f"{{{key}}} stands for a word or for none: write a word of its own, {{--norm}} or "
                "{--norm|--no-norm}"
            )
        else:
            yield "", key
    yield word[end:], None


def _plain(value: object) -> object:
    """What JSON has no form for: a mapping or a sequence of another class."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form as JSON")
