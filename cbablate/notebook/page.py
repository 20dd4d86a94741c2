"""`Page` and `WebPage`: an answer in lines, and a study's report, as a notebook shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cbablate.character import visible_lines
from cbablate.errors import EnvironmentFault
from cbablate.notebook.card import TEMPLATES
from cbablate.reporting.forms.web_page import KeptLines, template

__all__ = ["Page", "WebPage"]


@dataclass(frozen=True)
class Page:
    """Lines for a person, as the command line prints them; `str` of it are the lines."""

    text: str

    def __str__(self) -> str:
        return visible_lines(self.text)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return template("text.html", TEMPLATES).render(lines=KeptLines(self.text))

    def _repr_markdown_(self) -> str:
        return "\n".join(f"    {line}" for line in str(self).splitlines())


@dataclass(frozen=True)
class WebPage:
    """A page that needs no other file; a notebook shows it in a frame."""

    title: str
    html: str

    def write(self, path: str | Path) -> Path:
        """Write it to a file, and give back where that is.

        Raises:
            EnvironmentFault: the file cannot be written.
        """
        to = Path(path)
        try:
            to.write_text(self.html, encoding="utf-8")
        except OSError as error:
            raise EnvironmentFault(
                f"the page cannot be written to {to}: {error.strerror}. Name a file in a folder "
                "that can be written."
            ) from error
        return to

    def __repr__(self) -> str:
        return f"<WebPage {self.title}: {len(self.html.encode()) / 1000:,.0f} kB>"

    def _repr_html_(self) -> str:
        from markupsafe import escape

        return template("framed.html", TEMPLATES).render(page=escape(self.html), title=self.title)
