"""What a notebook asks of a ledger: trials, figures, where a study stands, why a number is so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cbablate.analysis.outcome import outcome
from cbablate.analysis.standing import Standing
from cbablate.analysis.trial_outcome import outcomes
from cbablate.api import recorded
from cbablate.errors import EnvironmentFault, UsageError
from cbablate.notebook.page import Page, WebPage
from cbablate.notebook.rows import Rows
from cbablate.notebook.trials import Trials
from cbablate.notebook.trials import trials as trials_of
from cbablate.overviews import overview
from cbablate.overviews.command import RESULTS
from cbablate.overviews.tuning_overview import tuned_sweep
from cbablate.planning.plan import Plan
from cbablate.records.book import Book
from cbablate.records.place import Place

if TYPE_CHECKING:
    from cbablate.notebook.figures import Figures

__all__ = ["diff", "explain", "figures", "importance", "report_page", "status", "trials"]


def trials(plan: Plan, *, results: str | Path = RESULTS) -> Trials:
    """Every trial of a plan, a row each; `.curves()` has all that they measured on their way.

    `.to_pandas()` of either is a data frame.
    """
    return trials_of(*recorded(plan, results))


def figures(plan: Plan, *, results: str | Path = RESULTS) -> Figures:
    """The figures that the records have numbers for, by name: those of the study's report."""
    from cbablate.notebook.figures import Figures
    from cbablate.reporting.figures.picture import pictures

    known, told = recorded(plan, results)
    book = Book.of(told)
    found = outcome(known, book)
    return Figures(pictures(found, outcomes(found.plan, book)))


def status(plan: Plan, *, results: str | Path = RESULTS) -> Page:
    """How many trials are in which state, arm by arm, and why any failed or was pruned."""
    at_work = Place.at(results).at_work  # before the facts: what ends meanwhile is not interrupted
    return Page(overview.standing(*recorded(plan, results), at_work=at_work))


def explain(plan: Plan, *cell: str, results: str | Path = RESULTS) -> Page:
    """How a cell of the table was computed, and which trials are behind it.

    `cell` is row and column: `"MLP end", "Top-1"`, or `"3:2"`.

    Raises:
        CbablateError: the table has no such cell.
    """
    from cbablate.reporting.pages.explanation import explanation

    return Page(explanation(*recorded(plan, results), *cell))


def diff(
    plan: Plan,
    other: Plan | None = None,
    *,
    results: str | Path = RESULTS,
    other_results: str | Path | None = None,
    until: str | None = None,
    code: str | None = None,
    names: tuple[str, str] | None = None,
) -> Page:
    """Two studies side by side: settings, arms, estimates; or one at two places or two times.

    `until` takes the first as it stood at a fact's number, or before a date (UTC); `code` as an
    earlier version of its workload made it, named by its first digits. `names` are what the two are
    called, their studies' names unless said.

    Raises:
        UsageError: neither another plan, nor other results, nor an earlier time or code is named;
            or no one version begins with these digits.
    """
    if other is None and other_results is None and until is None and code is None:
        raise UsageError(
            "diff compares two studies, or one study with itself: give another plan, other "
            "results (other_results=...), an earlier time (until=...) or earlier code (code=...)"
        )
    from cbablate.notebook.comparison import sides
    from cbablate.reporting.pages.difference import difference

    there = results if other_results is None else other_results
    both = sides(
        plan,
        other or plan,
        results=results,
        other_results=there,
        until=until,
        code=code,
        names=names,
    )
    return Page(difference(*both))


def importance(plan: Plan, *, results: str | Path = RESULTS) -> Rows:
    """How much each hyperparameter matters in each search, beside what chance gives.

    By functional ANOVA over the complete trials; `sure` says whether a share is more than any
    permutation of the values gave. Empty while too few trials are complete.

    Raises:
        CbablateError: the study does not tune.
        EnvironmentFault: Optuna cannot be imported.
    """
    tuned_sweep(plan)
    try:
        from cbablate.searching.optuna_importance import importances
    except ImportError as error:
        raise EnvironmentFault(
            f"importance is Optuna's to tell, which cannot be imported ({error}). Install it with "
            "`pip install optuna`."
        ) from error
    return Rows(
        f"{plan.study.name}, importance of hyperparameters",
        ("search", "hyperparameter", "share", "by chance", "most by chance", "sure", "complete"),
        tuple(
            (tuning.search.name, key, one.share, one.chance, one.most_by_chance, one.sure, n)
            for tuning in Standing(*recorded(plan, results)).tunings
            for n in (tuning.complete,)
            for key, one in importances(tuning).items()
        ),
        noun="hyperparameter",
    )


def report_page(plan: Plan, *, results: str | Path = RESULTS) -> WebPage:
    """The study's report: one page that needs no other file, with table, figures and trials.

    `.write("placement.html")` of it makes a file. (`cbablate.report` is what a training calls.)
    """
    from cbablate.reporting.pages.report import report

    return WebPage(f"{plan.study.name}, report", report(*recorded(plan, results)))
