r"""Preambles of the classes that papers are set in, to set tables in them.

`article`, `llncs` and `IEEEtran` are the classes themselves. Of the venues whose styles Debian does
not have, the page is emulated: its widths, heights, fonts and sizes, as their styles set them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Venue:
    """A document class as a paper loads it: preamble, style, a file that it needs."""

    preamble: str
    style: str = "plain"
    needs: str = "article.cls"


def _page(style: str, text: str, height: str, gutter: str = "", *, options: str = "10pt") -> Venue:
    """`article` with a venue's page, in Times, with 9 points as its `\footnotesize`."""
    two = f",twocolumn,columnsep={gutter}" if gutter else ""
    return Venue(
        rf"\documentclass[{options}]{{article}}\usepackage{{times}}"
        rf"\usepackage[letterpaper,textwidth={text},textheight={height}{two}]{{geometry}}"
        r"\makeatletter\renewcommand{\footnotesize}{\@setfontsize\footnotesize\@ixpt\@xpt}"
        r"\makeatother",
        style,
    )


VENUES: Mapping[str, Venue] = {
    "article": Venue(r"\documentclass{article}"),
    "article in two columns": Venue(r"\documentclass[twocolumn]{article}"),
    "like NeurIPS": _page("neurips", "5.5in", "9in"),
    "like ICML": _page("icml", "6.75in", "9in", "0.25in"),
    "like ICLR": _page("iclr", "5.5in", "9in"),
    "like CVPR": _page("cvpr", "6.875in", "8.875in", "0.3125in"),
    "llncs (ECCV)": Venue(r"\documentclass{llncs}", "eccv", "llncs.cls"),
    "like AAAI": _page("aaai", "7in", "9in", "0.375in"),
    "like ACL": _page("acl", "16cm", "24.7cm", "0.6cm", options="11pt"),
    "IEEEtran (journal)": Venue(r"\documentclass[journal]{IEEEtran}", "ieee", "IEEEtran.cls"),
    "IEEEtran (conference)": Venue(r"\documentclass[conference]{IEEEtran}", "ieee", "IEEEtran.cls"),
    "like TMLR": Venue(
        r"\documentclass[10pt]{article}\usepackage{lmodern}"
        r"\usepackage[letterpaper,textwidth=6.5in,textheight=9in]{geometry}",
        "tmlr",
    ),
}
