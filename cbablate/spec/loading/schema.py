"""The JSON Schema of a study file, for editors: generated from the types, never written by hand."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from cbablate.spec.description import Description
from cbablate.spec.loading.written_study import WrittenStudy
from cbablate.spec.loading.written_sweep import WrittenSweep
from cbablate.spec.metric import split_in
from cbablate.spec.outline import Outline
from cbablate.spec.own_workload import OwnWorkload

__all__ = [
    "OWN_KEYS",
    "study_schema",
    "sweep_schema",
    "with_baseline",
    "workload_schema",
    "written_schema",
]

OWN_KEYS = ("name", "folder", "overrides", "typesetting")
"""What a `Study` knows from elsewhere: where its file lies, the command line, below `report`."""

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/"
_WORDS = {
    "question": "What the study asks, in one sentence.",
    "workload": (
        "What a trial does: a workload that ships; your own as module:function; or a mapping with "
        "your command or function, here or in a YAML file named here."
    ),
    "baseline": "The config that all arms start from.",
    "factors": "What is under test. Without factors, the baseline alone is trained.",
    "design": "How arms are drawn from the factors.",
    "contrast": "The factor whose levels are compared within each combination of the others.",
    "budget": "How long each trial trains.",
    "replicates": (
        "How often each arm is trained, each time from another seed; or how that number grows "
        "until every arm is decided."
    ),
    "seed": "Where the replicates' seeds are drawn from.",
    "objective": "The metric that decisions are made on; never of the test split.",
    "report": "The columns of the table: names of metrics; or a mapping with `metrics` and how the "
    "table is set.",
    "metrics": (
        "What the metrics of your own workload are, by name; of one that ships, how they are "
        "labelled."
    ),
    "tune": "The sweep file by which each arm is tuned first; a path from this file's folder.",
    "searches": (
        "How many searches each arm gets, each from seeds of its own; replicates are shared out "
        "over them. With one, no difference can be called the arm's."
    ),
    "margin": "The smallest difference in the first reported metric that matters, in its unit.",
    "time_limit": "How long an attempt at a trial may take: seconds, or 90s, 30m, 2h, 1d.",
    "silence_limit": "How long a trial may go without a measurement, likewise.",
    "analysis": "How differences are tested and told, where not by t tests and joint intervals.",
}


def written_schema() -> Schema:
    """The schema of what a study file says, with any baseline and any changes; the caller's own."""
    return copy.deepcopy(_written())


@cache
def _written() -> Schema:
    schema = WrittenStudy.model_json_schema()  # takes 50 ms, and a file's every level asks for it
    for key in OWN_KEYS:
        schema["properties"].pop(key)
    schema["required"] = [key for key in schema["required"] if key not in OWN_KEYS]
    schema["properties"]["tune"] = {"type": "string"}
    for key, words in _WORDS.items():
        schema["properties"][key]["description"] = words
    return _without_unused(schema)


def sweep_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a sweep file."""
    schema = WrittenSweep.model_json_schema()
    space = {"description": "The searched keys of a config, dotted, and where their values lie."}
    schema["properties"]["space"] |= space
    written: Schema = _unquoted(schema)
    return {"$schema": _DIALECT, **written, "title": "A sweep of cbablate"}


def workload_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a workload file."""
    written: Schema = _unquoted(OwnWorkload.model_json_schema())
    return {"$schema": _DIALECT, **written, "title": "A workload of cbablate"}


def with_baseline(description: Description) -> Schema:
    """The schema of a study file whose workload is known, as far as its baseline goes."""
    schema = written_schema()
    if description.schema is not None:
        config, definitions = _apart(description.schema, description.name)
        schema["properties"]["baseline"] = config
        schema["$defs"] |= definitions
    return schema


def study_schema(descriptions: Iterable[Description]) -> Schema:
    """The JSON Schema (draft 2020-12) of a study file that uses one of these workloads.

    What `workload` says decides, by `if` and `then`, what `baseline`, each level's `changes`, the
    objective and the report may say. A workload of the user's own (`module:function`) may have
    any keys. Text may be written without quotes, so where text is wanted numbers pass too.
    """
    schema = written_schema()
    described = sorted(descriptions, key=lambda description: description.name)
    schema["properties"]["workload"] = {
        "description": _WORDS["workload"],
        "anyOf": [
            {"enum": [description.name for description in described]},
            {"type": "string", "pattern": r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"},
            {"type": "string", "pattern": r"\.[Yy][Aa]?[Mm][Ll]$"},
            {"$ref": f"{_REF}{OwnWorkload.__name__}"},
        ],
    }
    rules = []
    for description in described:
        rule, definitions = _rule(description)
        rules.append(rule)
        schema["$defs"] |= definitions
    written: Schema = _unquoted(schema)
    return {
        "$schema": _DIALECT,
        **written,
        "title": "A study of cbablate",
        "allOf": _unquoted(rules),
    }


def _rule(description: Description) -> tuple[Schema, Schema]:
    """What follows from one workload being named, and the definitions that it refers to."""
    then: Schema = {}
    definitions: Schema = {}
    if description.schema is not None:
        config, definitions = _apart(description.schema, description.name)
        changes, loose = _apart(_loosened(description.schema), f"{description.name}.changes")
        definitions |= loose
        then["baseline"] = config
        changes["properties"] = {**changes["properties"], **_dotted(changes, definitions)}
        level = {"properties": {"changes": changes}}
        then["factors"] = {"items": {"properties": {"levels": {"items": level}}}}
    if description.closed:
        names = {"enum": list(description.metrics)}
        chosen = {
            "enum": [
                name
                for name, metric in description.metrics.items()
                if metric.source == "trial" and split_in(description.metrics, name) != "test"
            ]
        }
        then["objective"] = {"properties": {"metric": chosen}}
        then["report"] = {"items": names, "properties": {"metrics": {"items": names}}}
    condition = {"properties": {"workload": {"const": description.name}}, "required": ["workload"]}
    return {"if": condition, "then": {"properties": then}}, definitions


def _without_unused(schema: Schema) -> Schema:
    """The schema less the definitions that nothing in it refers to."""
    kept = dict(schema.get("$defs", {}))
    while True:
        said = json.dumps([{**schema, "$defs": {}}, kept])
        used = {name: one for name, one in kept.items() if f'"{_REF}{name}"' in said}
        if used.keys() == kept.keys():
            return {**schema, "$defs": kept}
        kept = used


def _apart(schema: Mapping[str, Any], prefix: str) -> tuple[Schema, Schema]:
    """The schema and its definitions, these renamed so that they clash with nobody's."""
    moved = _moved(schema, prefix)
    definitions = {f"{prefix}.{name}": inner for name, inner in moved.pop("$defs", {}).items()}
    return moved, definitions


def _moved(schema: Any, prefix: str) -> Any:
    if isinstance(schema, Mapping):
        return {
            key: inner.replace(_REF, f"{_REF}{prefix}.", 1)
            if key == "$ref" and isinstance(inner, str)
            else _moved(inner, prefix)
            for key, inner in schema.items()
        }
    return [_moved(inner, prefix) for inner in schema] if isinstance(schema, list) else schema


def _loosened(schema: Mapping[str, Any]) -> Schema:
    """The schema of a delta: nothing is required, and nothing has a default."""
    loose = copy.deepcopy(dict(schema))
    for part in (loose, *loose.get("$defs", {}).values()):
        part.pop("required", None)
        for inner in part.get("properties", {}).values():
            inner.pop("default", None)
    return loose


def _dotted(schema: Schema, definitions: Schema) -> Schema:
    """A property for every dotted key of a delta."""
    outline = Outline({**schema, "$defs": definitions})
    return {
        ".".join(path): outline.keys(path[:-1])[path[-1]]
        for path in outline.paths()
        if len(path) > 1
    }


def _unquoted(schema: Any) -> Any:
    """The schema with numbers and truth values let in wherever any text is."""
    if isinstance(schema, Mapping):
        opened = {key: _unquoted(inner) for key, inner in schema.items()}
        if opened.get("type") == "string" and not {"enum", "const", "pattern"} & opened.keys():
            opened["type"] = ["string", "number", "boolean"]
        return opened
    return [_unquoted(inner) for inner in schema] if isinstance(schema, list) else schema
