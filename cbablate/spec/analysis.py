"""`Analysis`: how a study's differences are tested and told, where that is not as usual."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["USUAL", "Analysis", "Correction", "Interval", "Test"]

Interval = Literal["t", "bca"]
Correction = Literal["holm", "dunnett"]
Test = Literal["t", "sign_flip"]


class Analysis(BaseModel):
    """The interval of each difference, the correction over all of them, and the test behind p.

    `bca` is the bias-corrected and accelerated bootstrap; `dunnett` compares all arms with one
    baseline by Dunnett's test with seeds as blocks, whose intervals hold jointly; `sign_flip` is
    the exact test over all choices of signs.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    interval: Interval = "t"
    correction: Correction = "holm"
    test: Test = "t"


USUAL = Analysis()
"""Paired t tests, t-intervals, Holm's correction: what a study has that says nothing."""
