"""`Outline`: which keys a JSON Schema allows where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cbablate.spec.fault import Path

__all__ = ["Outline"]

_DEEPEST = 8


@dataclass(frozen=True)
class Outline:
    """A JSON Schema seen as a tree of keys; lists are looked through."""

    schema: Mapping[str, Any]
    _reached: dict[tuple[str, ...], list[Mapping[str, Any]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def keys(self, path: Path) -> dict[str, Mapping[str, Any]]:
        """The keys allowed in the mapping at `path`, each with its schema."""
        return {
            key: inner
            for schema in self._at(path)
            for key, inner in schema.get("properties", {}).items()
        }

    def title(self, path: Path) -> str:
        """What the schema calls the mapping at `path`, in lower case."""
        titles = (schema.get("title", "") for schema in self._at(path) if "properties" in schema)
        return next(titles, "").lower()

    def homes(self, key: str) -> list[tuple[str, ...]]:
        """Where in the tree `key` is allowed, as the paths of the mappings, shallowest first."""
        return self._homes.get(key, [])

    @cached_property
    def _homes(self) -> dict[str, list[tuple[str, ...]]]:
        found: dict[str, dict[tuple[str, ...], None]] = {}
        for path in self.paths():
            found.setdefault(path[-1], {})[path[:-1]] = None
        return {key: sorted(homes, key=len) for key, homes in found.items()}

    def paths(self) -> Iterator[tuple[str, ...]]:
        """Every key, mappings before what they hold."""
        yield from self._paths(self.schema, (), _DEEPEST)

    def _paths(
        self, schema: Mapping[str, Any], path: tuple[str, ...], depth: int
    ) -> Iterator[tuple[str, ...]]:
        if not depth:
            return
        for mapping in self._opened(schema):
            for key, inner in mapping.get("properties", {}).items():
                yield (*path, key)
                yield from self._paths(inner, (*path, key), depth - 1)

    def _at(self, path: Path) -> list[Mapping[str, Any]]:
        """The mappings that may stand at `path`."""
        words = tuple(part for part in path if isinstance(part, str))
        if words not in self._reached:
            reached = [*self._opened(self.schema)]
            for word in words:
                reached = [
                    opened
                    for schema in reached
                    for opened in self._opened(self._inside(schema, word))
                ]
            self._reached[words] = reached
        return self._reached[words]

    def _inside(self, schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """What stands at a key: its own schema, or where any key may stand, what all have."""
        any_key = schema.get("additionalProperties")
        other = any_key if isinstance(any_key, Mapping) else {}
        found: Mapping[str, Any] = schema.get("properties", {}).get(key, other)
        return found

    def _opened(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The schema with references, alternatives and lists looked through."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/$defs/")
            yield from self._opened(self.schema.get("$defs", {}).get(name, {}))
            return
        yield schema
        for words in ("anyOf", "oneOf", "allOf", "prefixItems"):
            for inner in schema.get(words, ()):
                yield from self._opened(inner)
        if isinstance(schema.get("items"), Mapping):
            yield from self._opened(schema["items"])
