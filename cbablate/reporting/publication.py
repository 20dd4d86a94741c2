"""`publish`: a study's table, figures and report as files, each put in place in one step."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cbablate.analysis.alignment import has_grams
from cbablate.analysis.attention_map import has_maps
from cbablate.analysis.outcome import Outcome, outcome
from cbablate.errors import CbablateError, EnvironmentFault
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.alignment import alignment_figure
from cbablate.reporting.figure import layer_figure, write_figure
from cbablate.reporting.forest import forest_figure
from cbablate.reporting.form import render
from cbablate.reporting.interaction import interaction_figure
from cbablate.reporting.map_figure import map_figure
from cbablate.reporting.report import report
from cbablate.reporting.style import STYLES
from cbablate.reporting.tuning_figure import tuning_figures
from cbablate.reporting.two_way import shown_table
from cbablate.reporting.view import views

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SUFFIXES", "publish"]

SUFFIXES = {"latex": ".tex", "markdown": ".md", "csv": ".csv"}
"""The forms of a table that are kept as files."""


def publish(plan: Plan, facts: Iterable[Record], folder: Path) -> list[Path]:
    """Write the table, and the views that the study has, in every form, figures, and the report.

    There is a figure of the primary metric's differences, once there is one, one of each vector by
    layer, and where arms are tuned, some of their searches. The paths are given back, the report's
    first.

    Tables and figures are as wide as the pages of the study's style have them.

    A file is replaced whole or not at all, so that a paper that includes it never sees half.

    Raises:
        EnvironmentFault: the folder cannot be written.
    """
    told = list(facts)
    found = outcome(plan, told)
    page = report(plan, told, found=found).encode("utf-8")
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
        for word, figure in _figures(found):
            figure.set_figwidth(STYLES[plan.study.typesetting.style].figure)
            for suffix in (".pdf", ".png"):
                path = folder / f"{plan.study.name}-{word}{suffix}"
                written.append(_placed(path, partial(write_figure, figure)))
    except OSError as error:
        raise EnvironmentFault(
            f"tables cannot be written to {folder}: {error.strerror}. "
            "Choose a folder that can be written."
        ) from error
    return written


def _figures(found: Outcome) -> Iterator[tuple[str, Figure]]:
    """Each figure, and the word that its file's name ends with."""
    plan, summary = found.plan, found.summary
    if any(c.n for one in summary.arms for c in (one.contrasts.get(summary.primary),) if c):
        yield "differences", forest_figure(plan, summary)
    with suppress(CbablateError):  # a study that is no factorial has none; nobody asked for it
        yield "interaction", interaction_figure(plan, summary)
    for vector in summary.vectors:
        word = re.sub(r"[^A-Za-z0-9]+", "-", vector).strip("-")
        yield word, layer_figure(plan, summary, vector)
    if has_grams(summary):
        with suppress(CbablateError):  # no two trials pair yet; nobody asked for it
            yield "alignment", alignment_figure(plan, summary)
    if has_maps(summary):
        yield "maps", map_figure(plan, summary)
    if found.tuned is not None:
        yield from tuning_figures(found.tuned)


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
