"""The reference of the command line: a page in Markdown, made from the commands' own help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import groupby
from typing import Any

import typer

from cbablate.cli.catalog import ROWS, Row
from cbablate.cli.main import app

__all__ = ["page"]

_HEAD = """# Command line

`cbablate COMMAND --help` says the same in the terminal. What a command makes goes to stdout, what
it says on the way to stderr, so that `cbablate table study.yaml > table.txt` gives the table alone.
No option repeats a key of a file.

`cbablate --version` prints the version, and `cbablate --install-completion` lets the Tab key
complete commands, options and studies.
"""
_CODES = """## Exit codes

| code | means |
|---|---|
| 0 | complete |
| 2 | a file is wrong, or a command asks for what cannot be had |
| 3 | finished, but trials have failed, or a paper's numbers are not those of the records |
| 4 | something is missing on this machine: a library, a device, data, room, a server |
| 5 | recorded facts cannot be trusted, and were left as they are |
| 6 | another process is writing these results |
| 75 | stopped by the machine, or Ray died: run it again |
| 130 | stopped by you |
| 141 | whoever read the output has closed it |

Any other code is a fault of cbablate's own.
"""


def page() -> str:
    """The text of the page."""
    group: Any = typer.main.get_command(app)
    parts = [_HEAD]
    for section, rows in groupby(ROWS, key=lambda row: row.section):
        parts.append(f"## {section}\n")
        parts += [_command(row, group.commands[row.name]) for row in rows]
    return "\n".join([*parts, _CODES])


def _command(row: Row, command: Any) -> str:
    context = command.make_context(row.name, [], resilient_parsing=True)
    usage = " ".join(["cbablate", row.name, *command.collect_usage_pieces(context)])
    help_text = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    typed = "\n".join(f"$ {example}" for example in row.examples)
    return (
        f"### {row.name}\n\n{help_text}\n\n```text\n{usage}\n```\n\n"
        f"| Argument | Meaning |\n|---|---|\n{''.join(_records(command, context))}\n"
        f"```console\n{typed}\n```\n"
    )


class _Rows:
    """Stands in for click's formatter: keeps the rows that a command's help would print."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def section(self, _name: str) -> nullcontext[None]:
        return nullcontext()

    def write_dl(self, rows: Iterable[tuple[str, str]]) -> None:
        self.rows += rows


def _records(command: Any, context: Any) -> Iterator[str]:
    """A row of the table for each argument and option."""
    kept = _Rows()
    command.format_options(context, kept)
    for left, right in kept.rows:
        if "--help" not in left:
            words = " ".join(right.split()).replace("|", "\\|").replace("[", "\\[")
            yield f"| `{left}` | {words} |\n"
