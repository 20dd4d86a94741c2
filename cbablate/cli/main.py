"""`cbablate`: the command line. Thin: each command reads words, calls `api`, prints."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from cbablate.cli.catalog import ROWS
from cbablate.cli.help import Commands
from cbablate.cli.leaving import leave
from cbablate.cli.words import discard_stdout, product, say, show_error, tell
from cbablate.errors import CbablateError, Interrupted, machine_fault

__all__ = ["app", "main"]


class _Commands(Commands):
    sections = {row.name: row.section for row in ROWS}  # noqa: RUF012 - declared in its parent


app = typer.Typer(
    name="cbablate",
    help="Ablation studies: a question in a YAML file, paired trials, a table with its statistics.",
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for row in ROWS:
    app.command(row.name, cls=row.kind, epilog="\n".join(row.examples))(row.function)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"cbablate {version('cbablate')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Ablation studies: a question in a YAML file, paired trials, a table with its statistics."""


def main() -> None:
    """Run the command line; every error ends as a sentence and an exit code."""
    try:
        _command()
    except SystemExit as leaving:
        leave(leaving.code)
        raise


def _command() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows another
    stdout = sys.stdout
    try:
        sys.exit(app(standalone_mode=False, prog_name="cbablate"))
    except CbablateError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(Interrupted.exit_code)
    except SystemExit:
        if product() is not stdout:  # so typer tells that whoever read its help has left
            sys.stdout = stdout
            discard_stdout()
            sys.exit(0)
        raise
    except Exception as error:
        fault = machine_fault(error) if isinstance(error, OSError) else None
        if fault is not None:
            show_error(fault)
            sys.exit(fault.exit_code)
        if not hasattr(error, "format_message"):
            raise
        usage = io.StringIO()  # typer's own error: it repeats the words that were typed
        error.show(file=usage)  # type: ignore[attr-defined]
        tell(usage.getvalue().rstrip())
        sys.exit(error.exit_code)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
