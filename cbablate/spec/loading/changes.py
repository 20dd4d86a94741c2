"""Changes of a config: a delta as a study writes it, and the config with it applied."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from cbablate.spec.description import Config

__all__ = ["apply", "flatten", "nested"]


def nested(changes: Config) -> dict[str, Any]:
    """The delta with dotted keys opened: `{"model.depth": 2}` becomes `{"model": {"depth": 2}}`.

    A dotted key and a nested mapping say the same thing; the later one wins where they meet.
    """
    opened: dict[str, Any] = {}
    for key, value in changes.items():
        head, *rest = key.split(".")
        inner: Any = nested(value) if isinstance(value, Mapping) else value
        for part in reversed(rest):
            inner = {part: inner}
        before = opened.get(head)
        if isinstance(before, dict) and isinstance(inner, dict):
            opened[head] = _merged(before, inner)
        else:
            opened[head] = inner
    return opened


def apply(config: Config, changes: Config) -> dict[str, Any]:
    """A new config in which `changes` hold.

    A mapping merges into a mapping, key by key; anything else (a list too) replaces what was
    there. Neither argument is altered.
    """
    return _merged(copy.deepcopy(dict(config)), nested(changes))


def flatten(config: Config, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its dotted key, in order; lists and empty mappings count as leaves."""
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{name}.")
        else:
            yield name, value


def _merged(config: dict[str, Any], changes: Config) -> dict[str, Any]:
    for key, value in changes.items():
        before = config.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            config[key] = _merged(dict(before), value)
        else:
            config[key] = copy.deepcopy(value)
    return config
