"""`Shown`: a value that a notebook shows as a page, and not as a list of its fields."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Shown"]

_FACES = "cbablate.notebook.face"
"""By name: the rooms of such values lie below the one that draws them, and may not import it."""


class Shown:
    """The methods that notebooks look for. How a value looks is drawn when a notebook asks."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(_faces().html(self))

    def _repr_markdown_(self) -> str:
        return str(_faces().markdown(self))

    def _repr_latex_(self) -> str | None:
        found: str | None = _faces().latex(self)
        return found


def _faces() -> Any:
    return import_module(_FACES)
