"""Help: grouped, in plain words, with examples that are commands."""

from __future__ import annotations

import re
import shlex

import pytest
import typer

from cbablate.cli.catalog import ROWS, Row
from cbablate.cli.main import app
from tests.cli.typed import typed

VERBS = {
    *("Check", "Compare", "Explain", "List", "Print", "Send"),
    *("Serve", "Show", "Train", "Validate", "Write"),
}
named = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def test_the_version_is_that_of_the_package() -> None:
    said = typed("--version")
    assert said.code == 0
    assert re.fullmatch(r"cbablate \d+\.\d+\.\d+\S*\n", said.out)


def test_help_lists_every_command_once_in_groups() -> None:
    said = typed("-h")
    assert said == typed("--help")
    listed = re.findall(r"^  (\w+) {2,}(\w+) (.*)$", said.out, re.MULTILINE)
    assert [name for name, _, _ in listed] == [row.name for row in ROWS]
    assert {verb for _, verb, _ in listed} <= VERBS, "a line begins with a plain verb"
    assert not [rest for _, _, rest in listed if rest.endswith("...")], "no line is cut"
    for section in dict.fromkeys(row.section for row in ROWS):
        assert said.out.count(f"\n{section}:\n") == 1


@named
def test_the_help_of_a_command_is_in_words_and_ends_in_examples(row: Row) -> None:
    said = typed(row.name, "-h")
    assert (said.code, said.err) == (0, "")
    usage = said.out.partition("\n\n")[0]
    assert usage.startswith(f"Usage: cbablate {row.name} [OPTIONS]")
    for odd in ("{", "[[", "<", "list[", "range"):
        assert odd not in usage
    assert not re.search(r"<|\blist\[|x>=", said.out)
    assert said.out.rstrip().endswith(row.examples[-1])


@named
def test_an_example_is_a_command_that_is_understood(row: Row) -> None:
    group = typer.main.get_command(app)
    for line in row.examples:
        program, name, *words = shlex.split(line.partition(" > ")[0])
        assert (program, name) == ("cbablate", row.name)
        command = group.commands[name]  # type: ignore[attr-defined]
        command.make_context(name, words)


def test_a_wrong_option_is_an_error_with_exit_code_2() -> None:
    assert typed("run", "x.yaml", "--smok").code == 2
    assert typed("rum").code == 2
