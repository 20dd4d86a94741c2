"""`Command` and `Commands`: how help looks: plain words, grouped commands, examples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from typer.core import TyperCommand, TyperGroup

__all__ = ["Command", "Commands"]


class Command(TyperCommand):
    """A command whose usage has bare words, `STUDY [KEY=VALUE]...`; its epilog is examples."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """As click's, without the braces that typer puts around words."""
        return ["[OPTIONS]", *(_word(one) for one in _arguments(self, ctx))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The words, then the options, each with its help and nothing of Python's types."""
        rows = [(_metavar(one), one.help or "") for one in _arguments(self, ctx)]
        if rows:
            with formatter.section("Arguments"):
                formatter.write_dl(rows)
        records = (one.get_help_record(ctx) for one in self.get_params(ctx) if _is_option(one))
        with formatter.section("Options"):
            formatter.write_dl([_plainly(record) for record in records if record is not None])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The examples, a line each, as they can be pasted."""
        _ = ctx
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write(f"{' ' * formatter.current_indent}{line}\n")


class Commands(TyperGroup):
    """The commands, listed in groups."""

    sections: ClassVar[Mapping[str, str]] = {}
    """The group of each command, in the order in which they are listed."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A section for each group of commands."""
        names = list(self.sections)
        width = max(map(len, names))
        room = formatter.width - width - 6
        for section in dict.fromkeys(self.sections.values()):
            rows = [
                (f"{name:<{width}}", command.get_short_help_str(room))
                for name in names
                if self.sections[name] == section
                and (command := self.get_command(ctx, name)) is not None
            ]
            with formatter.section(section):
                formatter.write_dl(rows)


def _is_option(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "option")


def _arguments(command: Command, ctx: Any) -> list[Any]:
    return [one for one in command.get_params(ctx) if not _is_option(one)]


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _word(argument: Any) -> str:
    """An argument as usage has it: in brackets where it may be left out, dots where it repeats."""
    words = _metavar(argument)
    shown = words if argument.required else " ".join(f"[{word}]" for word in words.split())
    return shown if argument.nargs == 1 or "..." in shown else f"{shown}..."


def _plainly(record: tuple[str, str]) -> tuple[str, str]:
    """An option without the range of its number, which the error tells who leaves it."""
    names, text = record
    without = re.sub(r"; [^;\]]*[<>]=[^;\]]*", "", text)
    return names, re.sub(r"\s*\[[^\]]*[<>]=[^\]]*\]", "", without)
