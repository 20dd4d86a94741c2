"""Large files: reading one takes time by its size, whatever it holds too much of."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cbablate.errors import StudyError
from cbablate.planning.plan import plan
from cbablate.spec.loading.sweep_file import read_sweep
from tests.spec.study_files import IMAGE, OWN, TOY, read, read_own, swap

pytestmark = pytest.mark.slow

SECONDS = 20.0
"""A bound on hangs: the slowest takes two seconds."""


@contextmanager
def untraced() -> Iterator[None]:
    """Without the tracing of coverage, which takes five times what it measures."""
    trace = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(trace)


MANY = 4_000


def lines(template: str, count: int = MANY) -> str:
    return "".join(template.replace("#", str(number)) for number in range(count))


def levels(template: str, count: int) -> str:
    return swap(TOY, "      - {name: two, changes: {ceiling: 2.0}}\n", lines(template, count))


def sweep(space: str) -> str:
    return f"sampler: tpe\ntrials: 20\nspace:\n{space}"


def own(changes: str) -> str:
    return swap(OWN, "{optimizer.momentum: 0.0}", "{" + changes + "}")


LARGE: dict[str, Callable[[], str]] = {
    "unknown keys": lambda: TOY + lines("key#: 1\n"),
    "unknown keys like known ones": lambda: TOY + lines("replicates_#: 1\n"),
    "unknown keys in a mapping of the baseline": lambda: swap(
        IMAGE, "  context: none\n", "  context: none\n  recipe:\n" + lines("    key#: 1\n")
    ),
    "unknown keys of the baseline": lambda: swap(
        IMAGE, "  context: none\n", "  context: none\n" + lines("  key#: 1\n")
    ),
    "unknown changes": lambda: swap(
        IMAGE, "changes: {context", "changes: {" + lines("model.k#: 1, ", 3_000) + "context"
    ),
    "unknown dotted changes of an own workload": lambda: own(lines("optimizer.k#: 1, ", 3_000)),
    "many keys of an own baseline": lambda: swap(
        own(lines("optimizer.k#: 1, ", 3_000)), "width: 64", "width: 64" + lines(", w#: 1", 3_000)
    ),
    "duplicate keys": lambda: TOY + "seed: 1\n" * MANY,
    "duplicate keys in a flow": lambda: swap(TOY, "{rate: 0.5}", "{" + "rate: 1, " * MANY + "}"),
    "a whole and its parts": lambda: own("optimizer: {}" + lines(", optimizer.a#: 1")),
    "levels that fail": lambda: levels("      - {name: l#, changes: {ceilling: #}}\n", 4_000),
    "levels of one name": lambda: levels("      - {name: a, changes: {ceiling: #}}\n", 4_000),
    "levels without a name": lambda: levels("      - {nam: l#}\n", 4_000),
    "levels": lambda: levels("      - {name: l#, changes: {ceiling: #.5}}\n", 1_500),
    "factors": lambda: swap(
        TOY,
        "budget:",
        lines("  - {name: f#, levels: [{name: a}, {name: b}]}\n", 3_000) + "budget:",
    ),
    "metrics": lambda: swap(TOY, "[test/score]", "[" + lines("test/scores#, ") + "]"),
    "metrics listed twice": lambda: swap(TOY, "[test/score]", "[" + "test/score, " * MANY + "]"),
    "a list for a number": lambda: swap(TOY, "{rate: 0.5}", "{rate: [" + "1, " * MANY + "]}"),
    "mappings for numbers": lambda: swap(TOY, "[test/score]", "[" + "{a: 1}, " * MANY + "]"),
    "brackets": lambda: swap(TOY, "{rate: 0.5}", "[" * MANY),
    "closed brackets": lambda: swap(TOY, "{rate: 0.5}", "[" * 5_000 + "]" * 5_000),
    "anchors": lambda: TOY + "x:\n" + lines("- &a# 1\n"),
    "aliases of nothing": lambda: TOY + "x:\n" + lines("- &a# 1\n") + lines("- *b#\n", 99),
    "tags": lambda: TOY + "x:\n" + lines("- !t# 1\n"),
    "a long line": lambda: TOY + "# " + "x" * 300_000,
    "a long scalar": lambda: swap(TOY, "How fast", "How " + "fast " * 60_000),
    "a long quoted scalar": lambda: swap(TOY, "How fast", '"' + "\\x41" * 80_000 + '"'),
    "a long key": lambda: TOY + "k" * 300_000 + ": 1\n",
    "a long number": lambda: swap(TOY, "0.5", "1" * 300_000),
    "a long word for a number": lambda: swap(TOY, "0.5", "1_" * 150_000),
    "a long word for a choice": lambda: swap(TOY, "maximize", "maximise" * 30_000),
    "spaces": lambda: swap(TOY, "rate: 0.5", "rate: " + " " * 300_000 + "0.5"),
    "empty lines": lambda: TOY + "\n" * 300_000,
    "comments": lambda: TOY + "# x\n" * 80_000,
    "keys that are lists": lambda: TOY + "[a]: 1\n" * MANY,
    "keys with braces": lambda: TOY + "{{a: b}}: 1\n" * MANY,
    "keys with a foreign letter": lambda: TOY + lines("k\u2013#: 1\n"),
    "dots": lambda: own("optimizer" + ".a" * 95 + ": 1"),
    "dotted keys of one mapping": lambda: own(lines("a#" + ".a" * 90 + ": 1, ", 2_000)),
    "documents": lambda: TOY + "---\na: 1\n" * MANY,
    "invisible characters": lambda: TOY + "# \u202e\n" * MANY,
    "bytes that are not UTF-8": lambda: TOY + "# \udcff\n" * MANY,
}


LARGE_SWEEPS: dict[str, Callable[[], str]] = {
    "parameters": lambda: sweep(lines("  k#: {float: [0, 1]}\n", 2_000)),
    "parameters without values": lambda: sweep(lines("  k#: {}\n")),
    "parts of a parameter": lambda: sweep(
        "  k: {int: [0, 3]}\n" + lines("  k.a#: {int: [0, 3]}\n")
    ),
    "conditions on nothing": lambda: sweep(lines("  k#: {int: [0, 3], when: {j: 1}}\n", 2_000)),
    "a chain of conditions": lambda: sweep(
        "  k0: {choice: [a, b]}\n"
        + "".join(f"  k{n}: {{choice: [a, b], when: {{k{n - 1}: a}}}}\n" for n in range(1, 1_500))
    ),
    "choices": lambda: sweep("  k: {choice: [" + lines("c#, ") + "]}\n"),
    "equal choices": lambda: sweep("  k: {choice: [" + "c, " * MANY + "]}\n"),
    "conditions on choices": lambda: sweep(
        "  j: {choice: ["
        + lines("c#, ", 1_000)
        + "]}\n"
        + lines("  k#: {int: [0, 3], when: {j: d#}}\n", 1_000)
    ),
    "constraints": lambda: sweep("  k: {int: [0, 3]}\n") + "constraints:\n" + lines("- k < #\n"),
    "a long constraint": lambda: (
        sweep("  k: {int: [0, 3]}\n") + "constraints: [" + "k + " * MANY + "k < 3]\n"
    ),
    "brackets in a constraint": lambda: (
        sweep("  k: {int: [0, 3]}\n")
        + "constraints: ['"
        + "(" * MANY
        + "k"
        + ")" * MANY
        + " < 3']\n"
    ),
    "objectives": lambda: (
        sweep("  k: {int: [0, 3]}\n")
        + "objectives:\n"
        + lines("- {metric: m#, direction: maximize}\n", 2_000)
    ),
    "a grid": lambda: sweep("  k: {float: [0, 1e9], step: 1e-9}\n").replace("tpe", "grid"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_large_file_is_read_or_refused_in_little_time_and_few_words(
    kind: str, tmp_path: Path
) -> None:
    text = LARGE[kind]()
    began, said = time.process_time(), ""
    with untraced():
        try:
            file = (read_own if "mine:train" in text else read)(tmp_path, text)
            plan(file.study, file.description)
        except StudyError as error:
            said = str(error)
    assert len(said.splitlines()) <= 101 and len(said) < 120_000, said[:500]
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("kind", LARGE_SWEEPS)
def test_a_large_sweep_is_read_or_refused_in_little_time_and_few_words(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(LARGE_SWEEPS[kind]())
    began, said = time.process_time(), ""
    with untraced():
        try:
            read_sweep(path)
        except StudyError as error:
            said = str(error)
    assert len(said.splitlines()) <= 101 and len(said) < 120_000, said[:500]
    assert time.process_time() - began < SECONDS


def test_faults_beyond_the_first_fifty_are_counted(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        read(tmp_path, TOY + lines("key#: 1\n", 10_000))
    *shown, last = str(caught.value).splitlines()
    assert len(shown) == 100 and "key49" in shown[-2] and "the keys here are" in shown[-1]
    assert last == f"{tmp_path / 'x.yaml'}: and 9,950 more"
