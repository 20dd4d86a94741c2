"""Golden files: what a table looked like when a person last approved of it.

    CBABLATE_GOLDEN=write python -m pytest tests/reporting

writes them anew; look at the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "golden"


def check(name: str, text: str) -> None:
    """The text is that of the golden file, byte for byte."""
    path = FOLDER / name
    if os.environ.get("CBABLATE_GOLDEN") == "write":
        path.write_bytes(text.encode())
    assert text.encode() == path.read_bytes(), f"{name} differs from tests/golden/{name}"
