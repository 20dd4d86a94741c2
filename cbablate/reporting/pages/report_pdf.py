"""`report_pdf`: a study as a PDF by pdflatex: table, figures, findings, open questions, trials."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cbablate.analysis.outcome import Outcome
from cbablate.analysis.outcome import outcome as outcome_of
from cbablate.analysis.summary import Summary, metric_of
from cbablate.analysis.trial_outcome import TrialOutcome, outcomes
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.reporting.figures.figure import WIDTH, write_figure
from cbablate.reporting.figures.picture import Picture
from cbablate.reporting.figures.picture import pictures as pictures_of
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.forms.script import definitions
from cbablate.reporting.forms.tex_text import breakable, escape, prose
from cbablate.reporting.forms.typesetter import engine_for, typeset
from cbablate.reporting.model.scale import scale_in
from cbablate.reporting.pages.environment import environment_rows
from cbablate.reporting.pages.report import efforts, robust_part
from cbablate.reporting.sentences.claim import claims
from cbablate.reporting.sentences.delta import delta
from cbablate.reporting.sentences.effect_claim import effect_claims
from cbablate.reporting.sentences.reviewer import Case, Question
from cbablate.reporting.sentences.reviewer import questions as questions_on
from cbablate.reporting.tables.arms import outcome_table
from cbablate.spec.typesetting import Typesetting

__all__ = ["report_pdf", "report_tex"]

_PREAMBLE = (
    r"\documentclass[10pt]{article}",
    r"\usepackage[margin=1in]{geometry}",
    r"\usepackage{booktabs,longtable,graphicx,array}",
    r"\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}\setlength{\LTleft}{0pt}",
    r"\raggedbottom\sloppy",
    r"\ifdefined\Umathchar\usepackage{fontspec}\fi",
)
_OWN = Typesetting(width="6.5in", orientation="portrait", long=False, notes="full")
"""The report has pages of its own, whatever the paper's are."""
_MOST_METRICS = 4
"""How many metrics stand beside a trial in the appendix; the page is no wider."""


def report_pdf(plan: Plan, facts: Recorded) -> bytes:
    """The PDF; the same plan and facts give the same bytes with the same TeX.

    Raises:
        EnvironmentFault: there is no pdflatex, it lacks a package, or it takes too long.
    """
    told = Book.of(facts)
    found = outcome_of(plan, told)
    plan, summary = found.plan, found.summary
    trials = outcomes(plan, told)
    asked = questions_on(Case(plan, summary, trials, efforts(found)))
    shown = [one for one in pictures_of(found, trials) if not one.within]
    with tempfile.TemporaryDirectory(prefix="cbablate-report-") as folder:
        for number, picture in enumerate(shown):
            write_figure(picture.figure, Path(folder) / f"figure{number}.pdf")
        source = report_tex(found, trials, pictures=shown, questions=asked)
        engine = engine_for(
            source,
            instead="`cbablate report STUDY` writes a page that a browser can print.",
        )
        return typeset(source, Path(folder), engine=engine)


def report_tex(
    outcome: Outcome,
    trials: Sequence[TrialOutcome],
    *,
    pictures: Sequence[Picture],
    questions: Sequence[Question],
) -> str:
    """The document's source; figures are `figure0.pdf` and so on, beside it."""
    plan, summary, table = outcome.plan, outcome.summary, outcome_table(outcome)
    found = (*claims(plan, summary), *effect_claims(plan, summary))
    own = replace(table, typesetting=_OWN, notes=tuple(n for n in table.notes if n not in found))
    lines = [
        rf"{{\Large\bfseries {prose(table.caption)}\par}}",
        *(rf"{escape(line)}\par" for line in (f"Study {table.name}", *table.comment[1:])),
        latex(own).replace("}[t]", "}[ht]"),
        r"\section*{Findings}",
        *(rf"{prose(sentence)}\par" for sentence in found or ("None yet.",)),
        *_robust(plan, summary),
        *_figures(pictures),
        r"\section*{What a reviewer would ask}",
        *_asked(questions),
        *_arms(plan),
        r"\section*{Made with}",
        *_made_with(summary),
        *_trials(summary, plan, trials),
        r"\end{document}",
        "",
    ]
    body = "\n".join(lines)
    return "\n".join([*_PREAMBLE, *definitions(body), r"\begin{document}", body])


def _robust(plan: Plan, summary: Summary) -> Iterator[str]:
    """The summary over corruptions or data sets, where the study has one."""
    table = robust_part(plan, summary)
    if table is not None:
        yield r"\section*{Robustness}"
        yield latex(table).replace("}[t]", "}[ht]")


def _figures(pictures: Sequence[Picture]) -> Iterator[str]:
    """Two beside each other, on a line at their tops; one that is as wide as the page by itself."""
    if pictures:
        yield r"\section*{Figures}"
    beside = 0
    for number, picture in enumerate(pictures):
        share = 0.48 if picture.figure.get_figwidth() <= WIDTH else 1.0
        after_one = beside % 2 == 1 and share < 1
        beside = beside + 1 if share < 1 else 0
        if number:
            yield r"\hfill" if after_one else r"\par\medskip"
        yield rf"\begin{{minipage}}[t]{{{share}\linewidth}}\centering\vspace{{0pt}}"
        yield (
            r"\includegraphics[width=\linewidth,height=0.4\textheight,keepaspectratio]"
            rf"{{figure{number}.pdf}}\par"
        )
        yield (
            rf"{{\footnotesize\raggedright {escape(picture.title)}. {escape(picture.words)}\par}}"
        )
        yield r"\end{minipage}"
    yield r"\par\bigskip"


def _made_with(summary: Summary) -> Iterator[str]:
    yield r"{\footnotesize\begin{tabular}{@{}l>{\raggedright\arraybackslash}p{0.8\linewidth}@{}}"
    for name, told in environment_rows(summary.origin.traits):
        yield rf"{escape(name)} & {breakable(told)} \\"
    yield r"\end{tabular}\par}"


def _asked(questions: Sequence[Question]) -> Iterator[str]:
    if not questions:
        yield "No gap was found by the checks there are."
        return
    yield r"\begin{enumerate}"
    for one in questions:
        yield rf"\item \textbf{{{escape(one.asked)}}} {prose(one.found)} {escape(one.help)}"
    yield r"\end{enumerate}"


def _titled(title: str, columns: int, heads: str) -> str:
    """The heads of a table over pages; its title stands above the first, on the same page."""
    above = rf"\multicolumn{{{columns}}}{{@{{}}l}}{{\Large\bfseries {title}}} \\[6pt]"
    return rf"{above}\toprule {heads} \\\midrule\endfirsthead\toprule {heads} \\\midrule\endhead"


def _arms(plan: Plan) -> Iterator[str]:
    yield r"\bigskip{\footnotesize\begin{longtable}{>{\raggedright\arraybackslash}p{0.3\linewidth}"
    yield r">{\raggedright\arraybackslash}p{0.6\linewidth}}"
    yield _titled("Arms", 2, "Arm & Sets")
    for arm in plan.arms:
        sets = delta(plan, arm) or "(reference)"
        yield rf"{breakable(arm.name)} & {breakable(sets)} \\"
    yield r"\bottomrule\end{longtable}}"


def _trials(summary: Summary, plan: Plan, trials: Sequence[TrialOutcome]) -> Iterator[str]:
    names = summary.metrics[:_MOST_METRICS]
    scales = [scale_in(plan, summary, name) for name in names]
    yield r"{\scriptsize\setlength{\tabcolsep}{3pt}\begin{longtable}"
    yield rf"{{>{{\raggedright\arraybackslash}}p{{0.28\linewidth}}rl{'r' * len(names)}l}}"
    heads = ["Arm", r"$r$", "State", *(escape(metric_of(plan, n).label) for n in names), "Trial"]
    yield _titled("All trials", len(heads), " & ".join(heads))
    for one in trials:
        values = (
            escape(scale.number(one.value(name)).plain)
            for name, scale in zip(names, scales, strict=True)
        )
        kind = one.history.failure or one.history.state.value
        cells = [breakable(one.arm.name), str(one.trial.replicate), escape(kind), *values]
        yield rf"{' & '.join(cells)} & \texttt{{{one.trial.id}}} \\"
    yield r"\bottomrule\end{longtable}}"
