"""`MlflowText`: names and texts within the limits of MLflow."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from cbablate.fingerprint import canonical, fingerprint

__all__ = ["MlflowText", "key_of"]

_KEY = 250


_PARAM = 6000


_TAG = 5000
"""MLflow's limits in characters; tags may be 8,000 long on newer servers, 5,000 on all."""


_FOREIGN = re.compile(r"[^\w\-. /:]", re.ASCII)


class MlflowText:
    """Names and values within MLflow's limits, and a tag that lists what was cut."""

    def __init__(self) -> None:
        self.cut: list[str] = []

    def param(self, key: str, value: Any) -> tuple[str, str]:
        """A value of a config, as it is written once."""
        text = value if isinstance(value, str) else canonical(value)
        return key_of(key), self._within(f"param {key}", text, _PARAM)

    def tag(self, key: str, text: str) -> tuple[str, str]:
        """A text; of a long one the beginning is kept."""
        return key_of(key), self._within(f"tag {key}", text, _TAG)

    def tail(self, key: str, text: str) -> tuple[str, str]:
        """As `tag`, but of a long text the end is kept: a traceback's says what happened."""
        if len(text) > _TAG:
            self.cut.append(f"tag {key}: {len(text):,} characters, the last {_TAG:,} kept")
        return key_of(key), text[-_TAG:]

    def told(self) -> dict[str, str]:
        """The tag that lists what was cut; none where nothing was."""
        if not self.cut:
            return {}
        told = "; ".join(self.cut)
        if len(told) > _TAG - 100:
            told = f"{told[: _TAG - 100]} ... and more"
        return {"cbablate.cut": f"{told}. The ledger holds them whole."}

    def _within(self, what: str, text: str, limit: int) -> str:
        if len(text) > limit:
            self.cut.append(f"{what}: {len(text):,} characters, the first {limit:,} kept")
        return text[:limit]


def key_of(name: str) -> str:
    """A name in the letters and the length that MLflow allows.

    One that had to be altered ends in six digits of its fingerprint, so that two different names
    stay two.
    """
    tidy = posixpath.normpath(_FOREIGN.sub("_", name)).lstrip("/.") or "_"
    if tidy == name and len(name) <= _KEY:
        return name
    return f"{tidy[: _KEY - 7]}-{fingerprint(name)[:6]}"
