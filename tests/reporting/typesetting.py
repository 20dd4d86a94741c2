"""pdflatex and pdftotext, as the tests use them: shut in, in a folder of their own."""

# ruff: noqa: RUF001 - look-alikes are what pdftotext gives

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

needs_tex = [
    pytest.mark.tex,
    pytest.mark.skipif(
        shutil.which("pdflatex") is None or shutil.which("pdftotext") is None,
        reason="pdflatex and pdftotext (texlive-science, poppler-utils) are not installed",
    ),
]


def typeset(source: str, folder: Path) -> tuple[str, str]:
    """Text and log of the pages that a document makes; a document that fails, fails the test."""
    (folder / "page.tex").write_text(source, encoding="ascii")
    done = subprocess.run(
        [
            *("pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error"),
            "page.tex",
        ],
        cwd=folder,
        env={**os.environ, "openin_any": "p", "openout_any": "p", "max_print_line": "1000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
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
    kept = re.sub(r"[\s_\u00ad]", "", text)
    return kept.translate(str.maketrans({"˜": "~", "ˆ": "^", "’": "'", "−": "-"}))
