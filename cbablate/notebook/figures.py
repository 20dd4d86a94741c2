"""`Figures`: a study's figures by their names, each a figure of matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cbablate.notebook.card import TEMPLATES
from cbablate.phrases import listed
from cbablate.reporting.figures.picture import Picture
from cbablate.reporting.forms.web_page import template
from cbablate.reporting.pages.report import embedded
from cbablate.running.notebook_panel import notebook_shell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Figures"]


class Figures(Mapping[str, "Figure"]):
    """Figures by name, in the order of the report. A notebook shows them all, or one by its name.

    They belong to whoever asked: to change one changes no file.
    """

    def __init__(self, pictures: Iterable[Picture]) -> None:
        self._pictures = {picture.word: picture for picture in pictures}
        _have_figures_shown()

    def __getitem__(self, name: str) -> Figure:
        if name not in self._pictures:
            there = f"there are {listed([*self])}" if self._pictures else "there is none yet"
            raise KeyError(f"no figure '{name}'; {there}")
        return self._pictures[name].figure

    def __iter__(self) -> Iterator[str]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)

    def words(self, name: str) -> str:
        """What a figure shows, for a caption and for those who do not see it."""
        return self._pictures[name].words

    def __repr__(self) -> str:
        return f"<Figures: {', '.join(self) or 'none yet'}>"

    def _repr_html_(self) -> str:
        shown = embedded(self._pictures.values())
        return template("figures.html", TEMPLATES).render(pictures=shown)


def _have_figures_shown() -> None:
    """In IPython a figure is shown as a picture, though pyplot was never imported; a notebook that
    has said how it shows figures keeps to that.
    """
    shell = notebook_shell()
    if shell is None:
        return
    from matplotlib.figure import Figure

    formatters = shell.display_formatter.formatters
    kinds = ("image/png", "image/svg+xml", "image/jpeg", "application/pdf")
    if not any(Figure in formatters[kind] for kind in kinds):
        formatters["image/png"].for_type(Figure, _png)


def _png(figure: Figure) -> bytes:
    from io import BytesIO

    from cbablate.reporting.figures.figure import write_figure

    drawn = BytesIO()
    write_figure(figure, drawn, form="png")
    return drawn.getvalue()
