"""`cbablate diff`: two studies side by side, or one study at two times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.variant import planned_study, told_apart
from cbablate.cli.words import Json, Kept, StudyPath, ledger_folder, say
from cbablate.errors import UsageError
from cbablate.records.place import results_folder

__all__ = ["diff"]


Second = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="STUDY KEY=VALUE",
        help="The other, if it is not the same file; then what to change of the other.",
    ),
]
Other = Annotated[
    Path | None,
    typer.Option(
        "--other",
        metavar="DIR",
        help="Results of the other. [default: the same]",
        parser=results_folder,
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN", help="The first as it stood at a fact's number, or before a date (UTC)."
    ),
]
EarlierCode = Annotated[
    str | None,
    typer.Option(
        "--code",
        metavar="DIGITS",
        help="The first as earlier code made it, by the first digits of its version.",
    ),
]


def diff(
    a: StudyPath,
    words: Second = None,
    results: Kept = None,
    other: Other = None,
    until: Until = None,
    code: EarlierCode = None,
    as_json: Json = False,
) -> None:
    """Compare two studies: settings, arms, and estimates side by side.

    The second may be another file, a variant of the first, the same study in other results, or
    what it was earlier.
    """
    from cbablate.cli.json_shape import printed
    from cbablate.cli.shapes.difference_shape import difference_shape
    from cbablate.notebook.comparison import sides
    from cbablate.reporting.pages.difference import difference

    b, overrides = _second(a, words or [], alone=not (other or until or code))
    folder = ledger_folder(results)
    both = sides(
        planned_study(a),
        planned_study(b or a, overrides),
        results=folder,
        other_results=ledger_folder(other) if other else folder,
        until=until,
        code=code,
        names=(str(a), " ".join([str(b or a), *overrides])),
    )
    say(printed(difference_shape(*both)) if as_json else difference(*both))


def _second(a: Path, words: list[str], *, alone: bool) -> tuple[Path | None, list[str]]:
    """The other study, if one is named, and what is to be changed of it.

    Raises:
        UsageError: there is nothing to compare with: the words are alone, and name none.
    """
    studies, overrides = told_apart([str(a), *words])
    if len(studies) > 2:
        raise UsageError(f"diff compares two studies, and {len(studies)} are named")
    if alone and len(studies) == 1 and not overrides:
        raise UsageError(
            "diff compares two studies, or one study with itself: name another study, a change "
            "(KEY=VALUE), other results (--other DIR), an earlier time (--until WHEN), or earlier "
            "code (--code DIGITS)"
        )
    return studies[1] if len(studies) == 2 else None, overrides
