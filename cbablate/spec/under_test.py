"""What a workload's configs put to the test, and what a finding about them may rest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Mechanism", "Shared"]


@dataclass(frozen=True)
class Mechanism:
    """What is under test by name, and which of it are controls.

    `word` is what it brings, `kind` what one is called: *context*, brought by an *operator*.
    `named` gives the names that a resolved config has.
    """

    word: str
    kind: str
    named: Callable[[Mapping[str, Any]], frozenset[str]]
    controls: frozenset[str]
    """Those that are a part of another, or leave out what is under test: the placebos."""


@dataclass(frozen=True)
class Shared:
    """A part of a config; a study in which all arms have the same one says nothing of others.

    `word` is what it is, `key` where a config has it, `shown` are the keys in it that name it.
    `another` is what it may not hold for, `factor` what would tell.
    """

    word: str
    key: str
    another: str
    factor: str
    shown: tuple[str, ...] = ()
