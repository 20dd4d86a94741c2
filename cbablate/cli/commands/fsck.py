"""`cbablate fsck`: what of a results folder is whole, what is lost, and how to go on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cbablate.cli.words import Json, say, tell
from cbablate.errors import EnvironmentFault
from cbablate.records.place import Place, results_folder

if TYPE_CHECKING:
    from cbablate.records.fsck import Examination

__all__ = ["fsck"]

_MANY = 10


def fsck(
    results: Annotated[
        Path,
        typer.Argument(metavar="RESULTS", help="A results folder.", parser=results_folder),
    ],
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Make a ledger of all whole facts; keep the damaged files."),
    ] = False,
    release: Annotated[
        bool,
        typer.Option("--release", help="Free a ledger whose driver died on another machine."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check what of a results folder is whole and what is lost. Exit code 5 if any is."""
    from cbablate.mirrors.damage import damaged_stores
    from cbablate.records import fsck as ledger

    if not results.is_dir():
        raise EnvironmentFault(f"there is no folder {results}.")
    if release:
        freed = ledger.release(results)
        told = f"held by {freed}" if freed else "held by nobody"
        tell(f"{results}: the ledger was {told}; it is free now.")
    kept = None
    if repair:
        found, kept = ledger.repair(results)
    else:
        found = ledger.examine(results)
    damaged, rebuildable = _checkpoints(results), list(damaged_stores(results))
    logs = [str(path) for path in Place(results).logs().damaged()]
    if as_json:
        from cbablate.cli import json_shape

        shape = _shape(found, damaged, rebuildable) | {
            "kept": str(kept) if kept else None,
            "logs": logs,
        }
        say(json_shape.printed(shape))
    else:
        say("\n".join(_lines(found, kept, damaged, logs, rebuildable)))
    if (not found.whole and kept is None) or damaged:
        raise typer.Exit(5)


def _lines(
    found: Examination,
    kept: Path | None,
    damaged: list[str],
    logs: list[str],
    rebuildable: list[str],
) -> Iterator[str]:
    """What a person reads."""
    name = found.folder
    lost = sum(last - first + 1 for first, last in found.lost)
    if found.whole:
        yield f"{name}: the ledger is whole: {len(found.facts)} facts."
    else:
        yield f"{name}: the ledger is damaged: {found.damage[0]}."
        which = f" (numbers {_ranges(found)})" if lost else ""
        yield f"  {len(found.facts)} facts are whole, {lost} are lost or do not count{which}."
    if found.trials:
        more = f" and {len(found.trials) - _MANY} more" if len(found.trials) > _MANY else ""
        yield f"  Trials known to be concerned: {', '.join(found.trials[:_MANY])}{more}."
    if kept is not None:
        yield f"  Repaired: a ledger of the {len(found.facts)} whole facts is in its place. The"
        yield f"  damaged files are in {kept}. Run again to train what is missing."
    elif not found.whole:
        yield "  Put a good copy of all of ledger.sqlite, -wal and -shm in their place, or go on"
        yield f"  with what is whole: cbablate fsck {shlex.quote(str(name))} --repair"
    if found.lease is not None:
        yield f"  It is, or was, written by {found.lease}."
    for path in damaged:
        yield f"  {path} is damaged: the next run passes it by and removes it."
    for path in logs:
        yield f"  {path}, what a trial printed, is damaged: no table rests on it."
    for store in rebuildable:
        yield f"  {store} is damaged. It can be rebuilt: remove it, then cbablate sync STUDY."


def _ranges(found: Examination) -> str:
    shown = [str(a) if a == b else f"{a} to {b}" for a, b in found.lost[:_MANY]]
    return ", ".join(shown) + (", ..." if len(found.lost) > _MANY else "")


def _shape(found: Examination, damaged: list[str], rebuildable: list[str]) -> dict[str, Any]:
    """As JSON; the shape is in docs/fsck.md."""
    return {
        "shape": "fsck",
        "version": 1,
        "whole": found.whole,
        "facts": len(found.facts),
        "lost": [list(pair) for pair in found.lost],
        "trials": list(found.trials),
        "damage": list(found.damage),
        "holder": str(found.lease) if found.lease else None,
        "checkpoints": list(damaged),
        "rebuildable": rebuildable,
    }


def _checkpoints(results: Path) -> list[str]:
    from cbablate.running.checkpoints import damaged_checkpoints

    try:
        return damaged_checkpoints(Place(results).checkpoints)
    except OSError as error:
        raise EnvironmentFault(
            f"a checkpoint in {results} cannot be read: {error.strerror}."
        ) from error
