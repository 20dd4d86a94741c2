"""`NotebookPanel`: one output of a notebook's cell, redrawn in its place while a study runs."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console, RenderableType

__all__ = ["NotebookPanel", "notebook_shell"]

_PAUSE = 0.25
"""Seconds at least between two drawings: trials may report a thousand times a second."""
_WIDTH = 100
_FRAME = '<pre style="line-height: 1.3; font-family: monospace">{code}</pre>'


def notebook_shell() -> Any:
    """The shell of the notebook that this process serves; None where it serves none."""
    if "IPython" not in sys.modules:  # a kernel has imported it
        return None
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


class NotebookPanel:
    """Draws what it is given, again and again, into one output, which stays as it was last.

    It needs no widgets. It draws when it is told that something has changed, in the cell's own
    thread: what another thread displays may land in another cell.
    """

    def __init__(self, get_renderable: Callable[[], RenderableType]) -> None:
        self._renderable = get_renderable
        self._handle: Any = None
        self._drawn = 0.0

    def start(self) -> None:
        """Draw it for the first time."""
        from IPython.display import display

        self._drawn = time.monotonic()
        self._handle = display(self._bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def changed(self) -> None:
        """Draw it again, unless it was drawn just now."""
        if time.monotonic() - self._drawn >= _PAUSE:
            self._draw()

    def stop(self) -> None:
        """Draw it for the last time."""
        self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        drawn = Console(
            file=io.StringIO(),
            record=True,
            width=_WIDTH,
            force_terminal=True,
            force_jupyter=False,
            color_system="truecolor",
        )
        drawn.print(self._renderable())
        page = drawn.export_html(inline_styles=True, clear=False, code_format=_FRAME)
        return {"text/html": page, "text/plain": drawn.export_text()}
