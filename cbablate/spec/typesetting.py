"""`Typesetting`: how a study's tables and figures are set in a paper. No number depends on it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

__all__ = [
    "WIDTH",
    "Detail",
    "Layout",
    "Notes",
    "Orientation",
    "Report",
    "StyleName",
    "Typesetting",
    "Width",
]

StyleName = Literal[
    "plain", "neurips", "icml", "iclr", "cvpr", "iccv", "eccv", "aaai", "acl", "ieee", "tmlr"
]
Orientation = Literal["auto", "portrait", "landscape"]
Layout = Literal["rows", "two_way"]
Notes = Literal["none", "short", "full"]
Detail = Literal["short", "full"]
WIDTH = re.compile(
    r"column|text|(?P<size>[0-9]{1,4}(?:\.[0-9]{1,4})?) ?"
    r"(?P<unit>in|pt|cm|mm|\\textwidth|\\columnwidth|\\linewidth)"
)
"""How a width is written, whole."""


def _checked(text: str) -> str:
    width = WIDTH.fullmatch(text)
    if width is None or (width["size"] and float(width["size"]) == 0):
        raise ValueError(
            "a width is column, text, a length such as 5in, 345pt or 12cm, or a part of the page "
            rf"such as 0.5\textwidth, not {text!r}"
        )
    return text


Width = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^({WIDTH.pattern})$".replace("?P<size>", "").replace("?P<unit>", ""),
        }
    ),
]


class Typesetting(BaseModel):
    """How tables and figures are set. It touches neither trials nor what is computed of them."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    style: StyleName = Field(
        default="plain",
        description="Whose pages tables and figures are made for: widths, sizes, where captions "
        "stand.",
    )
    width: Width | None = Field(
        default=None,
        examples=["0.5\\textwidth"],
        description="How wide a LaTeX table may be: `column`, `text`, a length such as `5in`, or "
        "a part of the page such as `0.5\\textwidth`. The style's page if left out.",
    )
    orientation: Orientation = Field(
        default="auto", description="`auto` turns a LaTeX table that is too wide for the page."
    )
    long: Literal["auto"] | bool = Field(
        default="auto",
        description="Whether a LaTeX table runs over pages, its heads repeated; `auto`: beyond 40 "
        "rows.",
    )
    layout: Layout = Field(
        default="rows",
        description="`rows`: a row an arm. `two_way`: the levels of one factor across, of the "
        "other down.",
    )
    caption: str | None = Field(
        default=None,
        min_length=1,
        examples=["Where to broadcast context."],
        description="The first sentence of the LaTeX caption, in place of the question.",
    )
    caption_detail: Detail = Field(
        default="short",
        description="What the LaTeX caption says after its first sentence. `short`: replicates, "
        "what intervals, differences and marks are. `full`: also test, split, tuning, margin, "
        "hardware and commit.",
    )
    notes: Notes = Field(
        default="short",
        description="What stands below a table. `short`: what must be read before a number is "
        "believed, and the findings. `full`: also how they were reached. `none`: nothing in a "
        "paper; the source keeps the short ones as comments.",
    )
    label: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]*$",
        examples=["tab:placement"],
        description="What \\ref calls the LaTeX table; `tab:` and the study's name if left out.",
    )


class Report(Typesetting):
    """What a file says under `report` where it says more than the metrics."""

    metrics: tuple[str, ...] = Field(
        min_length=1,
        description="The columns of the table: names of metrics.",
        examples=[["test/top1", "params"]],
    )
