"""`publish`: a study's table, figures and report as files, each put in place in one step."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from cbablate.analysis.outcome import outcome
from cbablate.analysis.trial_outcome import outcomes
from cbablate.errors import EnvironmentFault
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.figure import write_figure
from cbablate.reporting.form import render
from cbablate.reporting.picture import pictures
from cbablate.reporting.report import report
from cbablate.reporting.style import STYLES
from cbablate.reporting.two_way import shown_table
from cbablate.reporting.view import views

__all__ = ["SUFFIXES", "publish"]

SUFFIXES = {"latex": ".tex", "markdown": ".md", "csv": ".csv"}
"""The forms of a table that are kept as files."""


def publish(plan: Plan, facts: Iterable[Record], folder: Path) -> list[Path]:
    """Write the table, and the views that the study has, in every form, figures, and the report.

    The figures are the report's. The paths are given back, the report's first.

    Tables and figures are as wide as the pages of the study's style have them.

    A file is replaced whole or not at all, so that a paper that includes it never sees half.

    Raises:
        EnvironmentFault: the folder cannot be written.
    """
    told = list(facts)
    found = outcome(plan, told)
    shown = list(pictures(found, outcomes(plan, told)))
    page = report(plan, told, found=found, shown=shown).encode("utf-8")
    tables = [shown_table(found), *views(found.plan, found.summary)]
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written.append(_placed(folder / f"{plan.study.name}.html", partial(_write, page)))
        for table in tables:
            for form, suffix in SUFFIXES.items():
                text = render(table, form).encode("utf-8")
                path = folder / f"{table.name}{suffix}"
                written.append(_placed(path, partial(_write, text)))
        for one in shown:
            one.figure.set_figwidth(STYLES[plan.study.typesetting.style].figure)
            word = re.sub(r"[^A-Za-z0-9]+", "-", one.word).strip("-")
            for suffix in (".pdf", ".png"):
                path = folder / f"{plan.study.name}-{word}{suffix}"
                written.append(_placed(path, partial(write_figure, one.figure)))
    except OSError as error:
        raise EnvironmentFault(
            f"tables cannot be written to {folder}: {error.strerror}. "
            "Choose a folder that can be written."
        ) from error
    return written


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
