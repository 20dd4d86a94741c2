"""`Factor` and `Level`: one thing under test, and one setting of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Factor", "Level"]


class Level(BaseModel):
    """One setting of a factor: a name, and the config keys it changes from the baseline."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="What the table calls it.")
    changes: Mapping[str, Any] = Field(
        default_factory=dict,
        description="The config keys that it changes from the baseline: dotted (`optimizer.lr: "
        "0.1`) or nested. The first level of a factor changes nothing.",
    )


class Factor(BaseModel):
    """One thing under test; its first level is the baseline's."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=100,
        description="What is under test; the head of the table's first column.",
    )
    levels: tuple[Level, ...] = Field(
        min_length=2, description="Its settings; the first is the baseline's."
    )
