"""`likeness`: what failures have in common that differ in numbers, paths and addresses alone."""

from __future__ import annotations

import re

__all__ = ["likeness"]

_LONGEST = 500
_ADDRESS = re.compile(r"\b(?:0x)?[0-9a-fA-F]{6,}\b")
_PATH = re.compile(r"(?:\b[A-Za-z]:)?[\w.~-]*(?:[/\\][\w.~+@-]+)+[/\\]?")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?")


def likeness(failure: str, reason: str) -> str:
    """What alike failures share: their class, and the reason with its particulars left out."""
    text = " ".join(reason[: 4 * _LONGEST].split())
    for what, word in ((_PATH, "<path>"), (_ADDRESS, "<number>"), (_NUMBER, "<number>")):
        text = what.sub(word, text)
    return f"{failure}: {text[:_LONGEST]}"
