r"""`python -m tests.reporting.beside`: our table beside others' of the same numbers.

    python -m pip install --target beside great_tables stargazer
    PYTHONPATH=.:beside python -m tests.reporting.beside

writes `docs/images/beside.png`. The numbers are drawn from a seed, as those of `pages.py`; the ones
of the table that is made by hand are invented, and it says so. Chromium shows great_tables' own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from cbablate.analysis.outcome import Outcome
from cbablate.analysis.trial_outcome import TrialOutcome, outcomes
from cbablate.records.book import Book
from cbablate.reporting.forms.latex import latex
from cbablate.reporting.tables.arms import outcome_table
from cbablate.spec.typesetting import Typesetting
from tests.analysis.fabrication import told
from tests.reporting.pages import ROOT, save, shown
from tests.reporting.typesetting import typeset
from tests.reporting.venues import VENUES

TO = ROOT / "docs" / "images" / "beside.png"
METRIC = "test/top1"
DOTS = 100
BY_HAND = r"""
\begin{table}[t]\centering\small
\caption{Made by hand in a common layout (\emph{numbers invented}): Top-1 on three data sets.}
\begin{tabular}{@{}llcccc@{}}\toprule
Method & Backbone & Params & ImageNet & CIFAR-100 & Cars \\\midrule
DeiT & ViT-S & 22M & 79.8 & 86.6 & 91.3 \\
\quad + Ours & ViT-S & 22M & \textbf{80.7} {\scriptsize\color{green!50!black}(+0.9)}
 & \textbf{87.4} {\scriptsize\color{green!50!black}(+0.8)}
 & \textbf{92.0} {\scriptsize\color{green!50!black}(+0.7)} \\\midrule
DeiT & ViT-B & 86M & 81.8 & 87.9 & 92.1 \\
\rowcolor{gray!12}\quad + Ours & ViT-B & 86M
 & \textbf{82.4} {\scriptsize\color{green!50!black}(+0.6)}
 & \textbf{88.3} {\scriptsize\color{green!50!black}(+0.4)}
 & \textbf{92.2} {\scriptsize\color{green!50!black}(+0.1)} \\\bottomrule
\end{tabular}\end{table}
"""


class Beside:
    """The study's numbers, as somebody would hand them to a library."""

    def __init__(self, found: Outcome, trials: list[TrialOutcome]) -> None:
        self.found = found
        self.trials = trials

    def frame(self) -> Any:
        """A data frame, a row an arm."""
        import pandas

        rows = []
        for one in self.found.summary.arms:
            told = one.estimates[METRIC]
            than = one.contrasts.get(METRIC)
            rows.append(
                {
                    "Placement": one.arm.name,
                    "Top-1": told.mean,
                    "± 95 %": told.half_width,
                    "Difference": than.difference if than else None,
                    "± ": than.half_width if than else None,
                    "p": than.p_adjusted if than else None,
                    "Entropy": one.estimates["attention/entropy"].mean,
                }
            )
        return pandas.DataFrame(rows)

    def ours(self) -> str:
        """Our table on a page of NeurIPS."""
        table = outcome_table(self.found)
        return latex(replace(table, typesetting=Typesetting(style="neurips")))

    def pandas(self) -> str:
        """What pandas' Styler writes, its largest in bold."""
        styler = self.frame().style.hide(axis="index").format(precision=2, escape="latex")
        styler = styler.highlight_max(subset=["Top-1"], props="textbf:--rwrap;")
        text: str = styler.to_latex(hrules=True, position="t", caption="pandas, Styler.to\\_latex.")
        return text.replace("±", r"$\pm$").replace("%", r"\%")

    def stargazer(self) -> str:
        """A regression on arms and seeds, in columns as economists set it."""
        import pandas
        import statsmodels.formula.api as formulas
        from stargazer.stargazer import Stargazer

        told = [(t.arm.name, t.trial.replicate, t.value(METRIC)) for t in self.trials]
        data = pandas.DataFrame(told, columns=["arm", "seed", "score"])
        first = f"C(arm, Treatment('{self.found.plan.arms[0].name}'))"
        fits = [formulas.ols(f"score ~ {first}{seeds}", data).fit() for seeds in ("", " + C(seed)")]
        table = Stargazer(fits)
        table.title("stargazer, of two regressions.")
        names = [name for name in fits[0].params.index if name != "Intercept"]
        table.covariate_order(names)
        table.rename_covariates({name: name.rpartition("[T.")[2].rstrip("]") for name in names})
        return str(table.render_latex())

    def great_tables(self) -> str:
        """A page with the table of great_tables."""
        from great_tables import GT

        frame = self.frame().rename(columns={"± ": "± (diff.)"})
        table = (
            GT(frame)
            .tab_header(title="great_tables", subtitle="Context broadcasting by place")
            .tab_spanner(label="Top-1 (%)", columns=["Top-1", "± 95 %"])
            .tab_spanner(label="Against none (pp)", columns=["Difference", "± (diff.)", "p"])
            .fmt_number(columns=list(frame.columns[1:]), decimals=2)
            .sub_missing(missing_text="-")
        )
        return str(table.as_raw_html())


def set_by_tex(source: str) -> Image.Image:
    """A float on a page of NeurIPS."""
    head = VENUES["like NeurIPS"].preamble
    packages = r"\usepackage{booktabs,array}\usepackage[table]{xcolor}\pagestyle{empty}"
    page = "\n".join([head, packages, r"\begin{document}", source, r"\end{document}"])
    with tempfile.TemporaryDirectory() as folder:
        typeset(page, Path(folder))
        command = ["pdftoppm", "-r", f"{DOTS}", "-png", "-singlefile", "page.pdf", "page"]
        subprocess.run(command, cwd=folder, check=True)
        return _trimmed(Path(folder) / "page.png")


def shown_by_chromium(page: str) -> Image.Image:
    """A page of HTML as a browser shows it."""
    browser = shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.html").write_text(page, encoding="utf-8")
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=720,420"]
        command = [browser, *words, f"--screenshot={folder}/t.png", f"file://{folder}/t.html"]
        subprocess.run(command, check=True, capture_output=True)
        return _trimmed(Path(folder) / "t.png")


def _trimmed(path: Path) -> Image.Image:
    save(Image.open(path), path.with_suffix(".box.png"), shades=0)
    return Image.open(path.with_suffix(".box.png")).copy()


def main() -> int:
    """Make the picture anew."""
    found = shown()
    beside = Beside(found, list(outcomes(found.plan, Book.of(told(found.plan)))))
    parts: Mapping[str, Callable[[], Image.Image]] = {
        "ours": lambda: set_by_tex(beside.ours()),
        "by hand": lambda: set_by_tex(BY_HAND),
        "great_tables": lambda: shown_by_chromium(beside.great_tables()),
        "pandas": lambda: set_by_tex(beside.pandas()),
        "stargazer": lambda: set_by_tex(beside.stargazer()),
    }
    drawn = [make() for make in parts.values()]
    left, right = drawn[:3], drawn[3:]
    wide = [max(one.width for one in column) for column in (left, right)]
    high = max(sum(one.height + 24 for one in column) for column in (left, right))
    sheet = Image.new("RGB", (sum(wide) + 40, high), "white")
    for column, x in ((left, 0), (right, wide[0] + 40)):
        y = 0
        for one in column:
            sheet.paste(one, (x, y))
            y += one.height + 24
    sheet.quantize(64).save(TO, optimize=True)
    print(f"{TO.relative_to(ROOT)}: {TO.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
