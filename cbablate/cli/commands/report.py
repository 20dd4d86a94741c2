"""`cbablate report`: a study as a page, or as a PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cbablate.cli.output import page_is_pdf, write_file
from cbablate.cli.variant import planned_study
from cbablate.cli.words import Kept, Overrides, StudyPath, ledger_folder

__all__ = ["report"]


def report(
    study: StudyPath,
    overrides: Overrides = None,
    results: Kept = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="[default: the study's name, .html or .pdf]"
        ),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF, with an appendix; needs TeX.")] = False,
) -> None:
    """Write a study as one page that works offline, or as a PDF.

    It has the table, figures, every trial, and the questions that stay open.
    """
    from cbablate import api

    pdf = page_is_pdf(output, pdf)
    planned, told = api.recorded(planned_study(study, overrides), ledger_folder(results))
    path = output or Path(f"{planned.study.name}{'.pdf' if pdf else '.html'}")
    if pdf:
        from cbablate.reporting.pages.report_pdf import report_pdf

        written = report_pdf(planned, told)
    else:
        from cbablate.reporting.pages.report import report as page

        written = page(planned, told).encode("utf-8")
    write_file(path, written)
