"""`publish`: a study's table, figures and report as files, each put in place in one step."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

from cbablate.analysis.outcome import outcome
from cbablate.analysis.trial_outcome import outcomes
from cbablate.errors import EnvironmentFault
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.reporting.figures.figure import WIDTH, write_figure
from cbablate.reporting.figures.picture import WORDS, pictures
from cbablate.reporting.forms.form import FORMS, render
from cbablate.reporting.model.style import INCH, STYLES
from cbablate.reporting.pages.report import report
from cbablate.reporting.tables.two_way import shown_table
from cbablate.reporting.tables.view import WRITTEN, views

__all__ = ["SUFFIXES", "publish"]

_DRAWN = (".pdf", ".png")
SUFFIXES = {form.name: form.suffix for form in FORMS.values() if form.kept}
"""The forms of a table that are kept as files."""


def publish(plan: Plan, facts: Recorded, folder: Path) -> list[Path]:
    """Write the table, and the views that the study has, in every form, figures, and the report.

    The figures are the report's. The paths are given back, the report's first.

    Tables and figures are as wide as the pages of the study's style have them.

    Views and figures of a former state of the study, which it no longer has, are removed.

    A file is replaced whole or not at all, so that a paper that includes it never sees half.

    Raises:
        EnvironmentFault: the folder cannot be written.
    """
    told = Book.of(facts)
    found = outcome(plan, told)
    shown = list(pictures(found, outcomes(found.plan, told)))
    page = report(plan, told, found=found, shown=shown).encode("utf-8")
    tables = [shown_table(found), *views(found.plan, found.summary)]
    written: list[Path] = []
    style = STYLES[plan.study.typesetting.style]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written.append(_placed(folder / f"{plan.study.name}.html", partial(_write, page)))
        for table in tables:
            for form, suffix in SUFFIXES.items():
                text = render(table, form).encode("utf-8")
                path = folder / f"{table.name}{suffix}"
                written.append(_placed(path, partial(_write, text)))
        for one in shown:
            columns = one.figure.get_figwidth() / WIDTH  # maps of attention are two wide
            one.figure.set_figwidth(min(style.text / INCH, style.figure * columns))
            for suffix in _DRAWN:
                path = folder / f"{plan.study.name}-{_plain(one.word)}{suffix}"
                written.append(_placed(path, partial(write_figure, one.figure)))
        for path in _ours(plan, folder) - set(written):
            path.unlink(missing_ok=True)  # else it would stand beside a table that it contradicts
    except OSError as error:
        raise EnvironmentFault(
            f"tables cannot be written to {folder}: {error.strerror}. "
            "Choose a folder that can be written."
        ) from error
    return written


def _ours(plan: Plan, folder: Path) -> set[Path]:
    """Every view and figure that a study of this name may ever have had beside its table."""
    tables = product(WRITTEN, SUFFIXES.values())
    figures = product(map(_plain, (*WORDS, *plan.description.metrics)), _DRAWN)
    return {folder / f"{plan.study.name}-{name}{end}" for name, end in (*tables, *figures)}


def _plain(word: str) -> str:
    """A figure's word as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", word).strip("-")


def _write(text: bytes, path: Path) -> None:
    path.write_bytes(text)


def _placed(path: Path, write: Callable[[Path], None]) -> Path:
    """Have a file written beside its place, then moved there."""
    fresh = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        write(fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path
