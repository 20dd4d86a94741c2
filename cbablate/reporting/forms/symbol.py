r"""`SYMBOL`: where a sentence of ours names a quantity by its letter, which is set in italics."""

from __future__ import annotations

import re

__all__ = ["SYMBOL"]

_COMPARED = r" ?(?:[=<>]|\\textless|\\textgreater|&[lg]t;)"
SYMBOL = re.compile(
    rf"(?<![\w\\“{{-])(?:[FPnprt](?=:|{_COMPARED}| values?\b)"  # p < 0.05, r: correlation
    r"|F(?=, p)|t(?=[- ](?:tests?|intervals?)\b)"
    r"|n(?= (?:replicates|values|seeds)\b)|(?<=\banother )n\b|(?<=\bthan )n\b)"
)
"""The letter, in a sentence as LaTeX or Markdown spells it."""
