"""`pdf`: a table as a PDF; and how LaTeX is called, for it and for reports."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cbablate.errors import EnvironmentFault
from cbablate.reporting.forms.latex import document
from cbablate.reporting.forms.script import COMMAND
from cbablate.reporting.model.table import Table

__all__ = ["engine_for", "pdf", "typeset"]

_SECONDS = 120
_INSTALL = "On Debian: apt-get install texlive-latex-base texlive-latex-recommended."
_SAME = r"\pdfinfoomitdate=1 \pdftrailerid{} \pdfsuppressptexinfo=-1"
"""Nothing in the file that changes with the day, in pdfLaTeX's words."""


def pdf(table: Table) -> bytes:
    """A page that holds the table as LaTeX sets it, by LuaLaTeX where pdfLaTeX lacks letters.

    Raises:
        EnvironmentFault: there is no pdflatex, it lacks a package, or it takes too long.
    """
    source = document(table)
    engine = engine_for(source, instead="`-o FILE.tex` writes the source, `-o FILE.html` a page.")
    return typeset(source, engine=engine)


def engine_for(source: str, *, instead: str) -> str:
    """What sets this source here: `lualatex` where it is needed and there, else `pdflatex`.

    Raises:
        EnvironmentFault: there is none; `instead` says what can be done without.
    """
    if COMMAND in source and shutil.which("lualatex") is not None:
        return "lualatex"
    if shutil.which("pdflatex") is None:
        raise EnvironmentFault(
            f"a PDF needs pdflatex, which is not installed here. {_INSTALL} Without it, {instead}"
        )
    return "pdflatex"


def typeset(source: str, folder: Path | None = None, *, engine: str = "pdflatex") -> bytes:
    """The PDF that LaTeX makes of a source, in a folder that holds its figures if it has any.

    It runs twice: a longtable learns its widths in the first pass.

    Raises:
        EnvironmentFault: LaTeX lacks a package, or takes too long.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="cbablate-table-") as made:
            return typeset(source, Path(made), engine=engine)
    head = f"{_SAME}\n" if engine == "pdflatex" else ""
    (folder / "page.tex").write_text(head + source, encoding="utf-8")
    for _ in range(2):
        _run(folder, engine)
    return (folder / "page.pdf").read_bytes()


def _run(folder: Path, engine: str) -> None:
    command = [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words; the source is ours, names escaped
            [*command, "page.tex"],
            cwd=folder,
            env={**os.environ, "openin_any": "p", "openout_any": "p"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = f"{engine} took longer than {_SECONDS} s and was stopped."
        raise EnvironmentFault(said) from error
    if done.returncode:
        log = done.stdout.decode("utf-8", "replace").splitlines()
        said = next((line for line in log if line.startswith("!")), "it does not say why")
        raise EnvironmentFault(
            f"{engine} cannot set the page: {said.lstrip('! ')} It needs booktabs, array and "
            f"longtable. {_INSTALL}"
        )
