"""The flags that choose which of a study's tables is printed: one for each view."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from cbablate.errors import CbablateError
from cbablate.reporting.tables.catalog import VIEWS

__all__ = ["with_views"]


def with_views(command: Callable[..., None]) -> Callable[..., None]:
    """A command with a flag for each view, in the place of its own parameter `view`.

    What is decorated is called with the name of the view whose flag was given, or `arms`.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    flags = [
        inspect.Parameter(
            row.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False,
            annotation=Annotated[bool, typer.Option(f"--{row.name}", help=row.help)],
        )
        for row in VIEWS.values()
    ]
    taken = [*(one for one in own if one.name != "view"), *flags]

    @functools.wraps(command)
    def called(*words: Any, **named: Any) -> None:
        asked = {name: named.pop(name, False) for name in VIEWS}
        command(*words, view=_chosen(asked), **named)

    called.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]  # typer reads it
    called.__annotations__ = {one.name: one.annotation for one in taken}
    return called


def _chosen(asked: dict[str, bool]) -> str:
    """The one table that was asked for; without any, that of the arms.

    Raises:
        CbablateError: two were asked for at once.
    """
    words = [word for word, on in asked.items() if on]
    if len(words) > 1:
        flags = " and ".join(f"--{word}" for word in words)
        raise CbablateError(f"one table at a time: {flags} were given")
    return words[0] if words else "arms"
