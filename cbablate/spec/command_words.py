"""The words of a command: `{key}` in them stands for a value of the config or of the trial.

    --lr={optimizer.lr}    a value, by its dotted key; lists and mappings as JSON
    {seed} {budget} {workdir} {checkpoint} {study}    what belongs to the trial
    {--*}    as a whole word: one word `--key=value` for each key of the config
    {*}      as a whole word: one word `key=value` for each key
    {{ }}    braces

There is no shell, and what a value holds is never looked at again: it stays within its word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["OF_THE_TRIAL", "expanded", "keys_in", "leaves", "spelled", "takes_all"]

OF_THE_TRIAL = ("seed", "budget", "workdir", "checkpoint", "study")
"""The keys that stand for what belongs to a trial, not to its config."""
_ALL = {"{--*}": "--", "{*}": ""}
_PARTS = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def expanded(
    words: Iterable[str], config: Mapping[str, Any], trial: Mapping[str, object]
) -> list[str]:
    """The words with values in the place of keys; `trial` has those of `OF_THE_TRIAL`.

    Raises:
        ValueError: a brace has no partner, or a key is neither the config's nor the trial's.
    """
    filled: list[str] = []
    for word in words:
        if word in _ALL:
            filled += [f"{_ALL[word]}{key}={spelled(value)}" for key, value in leaves(config)]
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
    return tuple(key for _, key in _parts(word) if key is not None)


def takes_all(word: str) -> bool:
    """Whether a word stands for all keys of the config."""
    return word in _ALL


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
