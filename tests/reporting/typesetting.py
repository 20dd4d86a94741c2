"""pdflatex and pdftotext, as the tests use them: shut in, in a folder of their own."""

# ruff: noqa: RUF001 - look-alikes are what pdftotext gives

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest

needs_tex = [
    pytest.mark.tex,
    pytest.mark.skipif(
        shutil.which("pdflatex") is None or shutil.which("pdftotext") is None,
        reason="pdflatex and pdftotext (texlive-latex-extra, poppler-utils) are not installed",
    ),
]


def needs(engine: str) -> None:
    """Skip where an engine is not installed."""
    if shutil.which(engine) is None or shutil.which("pdftotext") is None:
        pytest.skip(f"{engine} and pdftotext (texlive-luatex, poppler-utils) are not installed")


def typeset(source: str, folder: Path, engine: str = "pdflatex") -> tuple[str, str]:
    """Text and log of the pages that a document makes; a document that fails, fails the test."""
    needs(engine)
    (folder / "page.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [
            *(engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error"),
            "page.tex",
        ],
        cwd=folder,
        env={**os.environ, "openin_any": "p", "openout_any": "p", "max_print_line": "1000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-3000:]
    shown = subprocess.run(
        ["pdftotext", "-raw", "page.pdf", "-"], cwd=folder, capture_output=True, check=True
    )
    return shown.stdout.decode(), log


def bare(text: str) -> str:
    """The text without what a page of pdfLaTeX does not keep: spaces, and what is a drawn rule.

    TeX's fonts have an accent for `~` and `^`, and typographic quotes.
    """
    kept = re.sub(r"[\s_\u00ad]", "", text).translate(_LOOK_ALIKES)
    kept = re.sub("\u0131(?=[\u0300-\u036f])", "i", kept)  # an accent takes the dot's place
    return re.sub(r"[\s_]", "", unicodedata.normalize("NFKC", kept)).translate(_LOOK_ALIKES)


_LOOK_ALIKES = str.maketrans(
    {"˜": "~", "ˆ": "^", "’": "'", "−": "-", "∆": "Δ", "µ": "μ", "◦": "°", "⁄": "/"}
)
