"""The reference of files: pages in Markdown that are made from the JSON Schemas, never by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from cbablate.spec.loading.schema import study_schema, sweep_schema
from cbablate.spec.yaml.tree import plain
from cbablate.spec.yaml.yaml_file import read_yaml
from cbablate.workloads.catalog import SHIPPED
from docs.generator import command_line
from docs.generator.key import Key, keys_of

__all__ = ["ROOT", "all_keys", "example_of", "pages", "written_files"]

ROOT = Path(__file__).parents[2]
_MADE = "<!-- Made from the types by: python -m docs.generator. Do not edit. -->"
_STUDY = """# Study files

A study is one YAML file. `cbablate check STUDY` reads it and names every fault with its line. A
whole one, about a script that takes its options by argparse:

```yaml title="study.yaml"
question: Does dropout help, and does a wider network?
workload:  # what a trial does: here, a program
  command: [python, train.py, "{--*}", --seed, "{seed}",
            --epochs, "{budget}", --out, "{workdir}"]
  reads: {csv: metrics.csv}  # in {workdir}, the trial's own folder
baseline: {lr: 0.01, width: 64, dropout: 0.0}  # for {--*}: --lr=0.01 ...
factors:  # what is under test; the first level is the baseline's
  - name: dropout
    levels:
      - {name: none}
      - {name: "0.1", changes: {dropout: 0.1}}
  - name: width
    levels:
      - {name: narrow}
      - {name: wide, changes: {width: 256}}
budget: {epochs: 20}  # of each trial
replicates: 6  # seeds of each arm, the same in all of them
objective: {metric: val_acc, direction: maximize}  # what tuning goes by
report: [test_acc]  # what the table shows
metrics:  # how numbers are printed
  val_acc: {label: Accuracy, unit: "%", scale: 100, digits: 1, better: higher}
```

Below is every key, with what it may be, and what it is if left out. The keys of `baseline` belong
to the workload: [those of the workloads that ship](shipped-workloads.md); your own workload has the
keys that you give it ([own workloads](workloads.md)). A workload file, which several studies share,
has the keys below `workload` at its top. An editor that knows JSON Schema completes keys with
[`study.schema.json`](study.schema.json) (`cbablate schema`).
"""
_GROUPS = {
    "What most studies say": (
        "question",
        "workload",
        "baseline",
        "factors",
        "budget",
        "replicates",
        "objective",
        "report",
        "metrics",
    ),
    "Which arms, and how they are compared": ("design", "contrast", "margin", "analysis"),
    "Tuning before comparing": ("tune", "searches"),
    "Seeds and limits": ("seed", "time_limit", "silence_limit"),
}
"""The keys of a study in the order in which one reads of them."""
_ELSEWHERE = {"workload.metrics": "Its keys are those of [`metrics`](#metrics)."}
"""Keys whose own keys have their words at another place of the page."""
_SWEEP = """# Keys of sweep files

Every key of a sweep file. [Sweep files](sweeps.md) explains how to use them. An editor completes
keys with [`sweep.schema.json`](sweep.schema.json) (`cbablate schema --of sweep`).
"""
_SHIPPED = """# Workloads that ship

What `workload:` may name without any code of yours, and the keys of its config. They stand under
`baseline:`; dotted or nested, under a level's `changes:`; and dotted in a sweep's `space:`. What a
network may be made of is on the page about [models and places](models.md); what is measured of it
is on the page about [probes](probes.md).
"""
_SHORT = 70
_WORKLOADS = {
    "image_classification": "Trains a model of timm on images, with operators placed in it.",
    "toy": "A learning curve from a formula, for trying things out: a trial takes no time.",
}


def all_keys() -> dict[str, tuple[Key, ...]]:
    """Every key by what it belongs to: `study`, `sweep`, or a workload's name."""
    study, sweep = study_schema(make() for make in SHIPPED.values()), sweep_schema()
    found = {"study": tuple(keys_of(study, study)), "sweep": tuple(keys_of(sweep, sweep))}
    for rule in study["allOf"]:
        properties = rule["then"]["properties"]
        if "baseline" in properties:
            name = rule["if"]["properties"]["workload"]["const"]
            found[name] = tuple(keys_of(properties["baseline"], study))
    return found


def pages() -> dict[str, str]:
    """The text of each page by its file's name in docs/."""
    keys = all_keys()
    shipped = [
        f"## {name}\n\n{_WORKLOADS[name]}\n\n{_body(keys[name], name, level=3)}"
        for name in keys
        if name not in ("study", "sweep")
    ]
    return {
        "study-file.md": f"{_MADE}\n\n{_STUDY}\n{_grouped(keys['study'])}",
        "sweep-file.md": f"{_MADE}\n\n{_SWEEP}\n{_body(keys['sweep'], 'sweep', level=2)}",
        "options.md": f"{_MADE}\n\n{command_line.page()}",
        "shipped-workloads.md": f"{_MADE}\n\n{_SHIPPED}\n" + "\n".join(shipped),
    }


def example_of(key: Key, owner: str) -> Any:
    """A value that the key may have.

    Raises:
        LookupError: neither its type nor a file that ships gives one.
    """
    shipped = written_files()[owner]
    try:
        return key.example(shipped)
    except LookupError:
        inside = list(keys_of(key.schema, key.root, key.path))
        held = [inner for inner in inside if len(inner.path) == len(key.path) + 1]
        needed = [inner for inner in held if inner.required] or held[:1]
        if not needed and key.kind != "mapping":
            raise
        return {inner.path[-1]: example_of(inner, owner) for inner in needed}


def _grouped(keys: Iterable[Key]) -> str:
    """The keys of a study below the heads of their groups.

    Raises:
        LookupError: a key is in no group.
    """
    of = {top: list(group) for top, group in groupby(keys, key=lambda key: key.path[0])}
    parts = []
    for head, tops in _GROUPS.items():
        shown = [key for top in tops for key in of.pop(top) if not _has_its_words_elsewhere(key)]
        parts.append(f"## {head}\n\n{_body(shown, 'study', level=3)}")
    if of:
        raise LookupError(f"name a group of the page for {', '.join(of)}")
    return "\n".join(parts)


def _has_its_words_elsewhere(key: Key) -> bool:
    return any(key.name.startswith(f"{name}.") for name in _ELSEWHERE)


def _body(keys: Iterable[Key], owner: str, *, level: int) -> str:
    parts = []
    for top, group in groupby(keys, key=lambda key: key.path[0]):
        first, *rest = group
        parts.append(f"{'#' * level} `{top}`\n\n{_entry(first, owner)}")
        parts += [f"{'#' * (level + 1)} `{key.name}`\n\n{_entry(key, owner)}" for key in rest]
    return "\n".join(parts)


def _entry(key: Key, owner: str) -> str:
    left_out = "optional" if key.default == "left out" else f"optional, {key.default} if left out"
    facts = f"{key.kind}; {'required' if key.required else left_out}"
    example = _shown(key.path[-1], example_of(key, owner))
    words = " ".join([key.description, *([_ELSEWHERE[key.name]] if key.name in _ELSEWHERE else [])])
    return f"{words}\n\n{facts[0].upper()}{facts[1:]}. For example{example}\n"


def _shown(name: str, value: Any) -> str:
    """An example as YAML: in the line, or where it is long as a block of its own."""
    spelled = yaml.safe_dump(
        {name: value},
        default_flow_style=None if isinstance(value, dict | list) else False,
        sort_keys=False,
        width=90,
        allow_unicode=True,
    ).strip()
    if "\n" not in spelled and len(spelled) <= _SHORT:
        return f" `{spelled}`."
    return f":\n\n```yaml\n{spelled}\n```"


@cache
def written_files() -> Mapping[str, Mapping[tuple[str, ...], Any]]:
    """What the studies and sweeps that ship write, by what it belongs to and then by place."""
    studies = [_read(path) for path in sorted((ROOT / "studies").rglob("*.yaml"), key=_order)]
    sweeps = [_read(path) for path in sorted((ROOT / "sweeps").glob("*.yaml"))]
    configs: dict[str, list[Any]] = {name: [] for name in SHIPPED}
    for study in studies:
        if study["workload"] in SHIPPED:
            configs[study["workload"]].append(study["baseline"])
    named = {"study": studies, "sweep": sweeps, **configs}
    return {name: _first(trees) for name, trees in named.items()}


def _order(path: Path) -> tuple[bool, str]:
    """The small studies first."""
    return "paper" in path.parts, path.name


def _read(path: Path) -> Any:
    return plain(read_yaml(path).root)


def _first(trees: Iterable[Any]) -> dict[tuple[str, ...], Any]:
    """The first value at each place; lists are looked through."""
    found: dict[tuple[str, ...], Any] = {}
    for tree in trees:
        for path, value in _places(tree, ()):
            found.setdefault(path, value)
    return found


def _places(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield (*path, str(key)), value
            yield from _places(value, (*path, str(key)))
            yield from _places(value, (*path, "NAME"))
    elif isinstance(tree, list):
        for value in tree:
            yield from _places(value, path)
