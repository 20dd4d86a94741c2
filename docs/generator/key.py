"""`Key`: one key of a file, as a JSON Schema describes it, with its place and an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

__all__ = ["Key", "keys_of"]

Schema = Mapping[str, Any]
_DEFS = "#/$defs/"
_WORDS = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
_NOWHERE = object()


@dataclass(frozen=True)
class Key:
    """A key: its dotted place (`factors.levels.name`), its schema, and whether it must be there.

    Where any name may stand, the place has the word `NAME`. `root` is the schema that the
    definitions are in.
    """

    path: tuple[str, ...]
    schema: Schema
    required: bool
    root: Schema

    @property
    def name(self) -> str:
        """The dotted place as text."""
        return ".".join(self.path)

    @property
    def description(self) -> str:
        """What it is, in a line; empty where nobody has written it."""
        return " ".join(str(self.schema.get("description", "")).split())

    @property
    def kind(self) -> str:
        """What may stand there, in words."""
        kinds = dict.fromkeys(_kind(one, self.root) for one in _alternatives(self.schema))
        return " or ".join(kind for kind in kinds if kind != "`null`") or "`null`"

    @property
    def default(self) -> str:
        """What is taken where it is left out, in words; empty of a key that must be there."""
        if self.required:
            return ""
        default = self.schema.get("default")
        return "left out" if default in (None, [], {}, ()) else f"`{_flow(default)}`"

    def example(self, shipped: Mapping[tuple[str, ...], Any]) -> Any:
        """A value that it may have: what its type gives, what a file that ships writes, its
        default, or the first of its choices.

        Raises:
            LookupError: there is none.
        """
        written = shipped.get(self.path, _NOWHERE)
        for given in (
            *self.schema.get("examples", ()),
            *(one for part in _alternatives(self.schema) for one in part.get("examples", ())),
            *(() if written is _NOWHERE else (written,)),
        ):
            return given
        if self.schema.get("default") not in (None, [], {}, ()):
            return self.schema["default"]
        for part in _alternatives(self.schema):
            if part.get("type") == "boolean":
                return True
            for choice in (*part.get("enum", ()), *((part["const"],) if "const" in part else ())):
                return choice
        raise LookupError(f"no example of {self.name}: give its type `examples`")


def keys_of(schema: Schema, root: Schema, path: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key that a mapping of this schema may have, mappings before what they hold."""
    seen = set()
    for mapping in _mappings(schema, root):
        required = mapping.get("required", ())
        for name, inner in mapping.get("properties", {}).items():
            if name in seen:
                continue
            seen.add(name)
            yield Key((*path, name), inner, name in required, root)
            yield from keys_of(inner, root, (*path, name))
        other = mapping.get("additionalProperties")
        if isinstance(other, Mapping):
            yield from keys_of(other, root, (*path, "NAME"))


def _mappings(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The mappings that a schema allows, references, alternatives and lists looked through."""
    if "$ref" in schema:
        yield from _mappings(root["$defs"][schema["$ref"].removeprefix(_DEFS)], root)
        return
    if "properties" in schema or "additionalProperties" in schema:
        yield schema
    for word in ("anyOf", "oneOf", "prefixItems"):
        for inner in schema.get(word, ()):
            yield from _mappings(inner, root)
    if isinstance(schema.get("items"), Mapping):
        yield from _mappings(schema["items"], root)


def _alternatives(schema: Schema) -> tuple[Schema, ...]:
    return tuple(
        part
        for inner in schema.get("anyOf", schema.get("oneOf", (schema,)))
        for part in (_alternatives(inner) if "anyOf" in inner and inner is not schema else (inner,))
    )


def _kind(schema: Schema, root: Schema) -> str:
    """One alternative in words."""
    if "$ref" in schema:
        return _kind(root["$defs"][schema["$ref"].removeprefix(_DEFS)], root)
    if "enum" in schema:
        return "one of " + ", ".join(f"`{_flow(choice)}`" for choice in schema["enum"])
    if "const" in schema:
        return f"`{_flow(schema['const'])}`"
    kind = schema.get("type")
    if isinstance(kind, list) or kind == "string":
        return "text"
    if kind == "array":
        inner = schema.get("items")
        of = " or ".join(dict.fromkeys(_kind(one, root) for one in _alternatives(inner or {})))
        return f"list of ({of})" if " or " in of else f"list of {_plural(of)}"
    if kind == "object" or "properties" in schema:
        return "mapping"
    if kind == "null":
        return "`null`"
    return _WORDS.get(str(kind), "any value") + _range(schema)


def _plural(kind: str) -> str:
    word, _, rest = kind.partition(" ")
    if kind.startswith("whole number"):
        return kind.replace("whole number", "whole numbers", 1)
    if word in ("number", "mapping"):
        return f"{word}s {rest}".rstrip()
    return kind


def _range(schema: Schema) -> str:
    bounds = [
        f"{words} {schema[key]:g}" if schema[key] < 1e6 else f"{words} {schema[key]:,}"
        for key, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return f" ({', '.join(bounds)})" if bounds else ""


def _flow(value: Any) -> str:
    """A value as YAML writes it in a line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...").strip()
