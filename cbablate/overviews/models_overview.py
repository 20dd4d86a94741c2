"""What a person reads of models: which are known, and where in one context can be placed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from cbablate.errors import StudyError

if TYPE_CHECKING:
    from cbablate.models.portrait import Portrait

__all__ = ["listed"]


def listed(pattern: str | None) -> str:
    """A table of the models that a pattern means, or all that is known of the one that it names.

    Raises:
        StudyError: there is none, or too many.
    """
    from cbablate.models.portrait import names_like, portrait

    names = names_like(pattern)
    if pattern is not None and names == (pattern,):
        return _whole(portrait(pattern))
    rows: list[tuple[str, Portrait | str]] = []
    for name in names:
        try:
            rows.append((name, portrait(name)))
        except StudyError as error:
            rows.append((name, str(error)))
    return _table(rows)


def _table(rows: list[tuple[str, Portrait | str]]) -> str:
    width = max(len(name) for name, _ in rows)
    lines = []
    for (family, over), group in groupby(rows, key=lambda row: _family(row[1])):
        lines += ["", family, *([f"  a mean is over {over}"] if over else [])]
        places: tuple[tuple[str, ...], list[str]] | None = None
        for name, found in group:
            if isinstance(found, str):
                lines.append(f"  {name:<{width}}  {found}")
                continue
            if (found.places, [*found.partial]) != places:
                places = found.places, [*found.partial]
                some = f"; in some blocks {', '.join(found.partial)}" if found.partial else ""
                lines.append(f"  at {', '.join(found.places) or 'no place'}{some}")
            lines.append(
                f"    {name:<{width}}  {found.parameters / 1e6:>7.1f} M  "
                f"{found.flops / 1e9:>7.2f} GFLOPs  {len(found.blocks):>3} blocks  "
                f"{'x'.join(str(side) for side in found.size[1:])}"
            )
    lines += [
        "",
        "Parameters, and FLOPs of one image (an addition and a multiplication are two), at timm's",
        "default size. `cbablate models NAME` says where a model's blocks are, and why a place is",
        "not there; other models of timm take context as far as their modules tell: name one.",
    ]
    return "\n".join(lines[1:])


def _family(found: Portrait | str) -> tuple[str, str]:
    if isinstance(found, str):
        return "Of these nothing can be told:", ""
    if not found.blocks:
        return "Without blocks that context can be placed in", ""
    return found.family or "Of no known family", found.over


def _whole(found: Portrait) -> str:
    lines = [
        f"{found.name}: {found.parameters / 1e6:.2f} M parameters, {found.flops / 1e9:.3f} GFLOPs "
        f"an image of {' x '.join(str(side) for side in found.size)}",
        f"family: {found.family or 'none that is known; told by its modules alone'}",
    ]
    if not found.blocks:
        return "\n".join([*lines, "no blocks that context can be placed in"])
    if found.over:
        lines.append(f"a mean is over {found.over}")
    lines += ["", f"{len(found.blocks)} blocks, counted from 0:"]
    each = zip(found.blocks.items(), found.tokens, found.widths, strict=True)
    rows = [(name.rpartition(".")[0], kind, n, c) for (name, kind), n, c in each]
    first = 0
    for (stage, kind, tokens, channels), group in groupby(rows):
        last = first + len(list(group)) - 1
        span = f"{first}" if last == first else f"{first}-{last}"
        lines.append(f"  {span:<7} {stage}: {kind}, {_handed(tokens, channels)}")
        first = last + 1
    if found.beside:
        lines.append(f"  left alone: {', '.join(found.beside)} (only the class token moves there)")
    lines += ["", f"places: {', '.join(found.places) or 'none'}"]
    for place, indices in found.partial.items():
        lines.append(
            f"  {place} in some blocks alone, blocks: {list(indices)}; not in the others: "
            f"{found.absent[place]}"
        )
    nowhere = {p: why for p, why in found.absent.items() if p not in found.partial}
    for reason in dict.fromkeys(nowhere.values()):
        lacking = [place for place, why in nowhere.items() if why == reason]
        lines.append(f"  not {', '.join(lacking)}: {reason}")
    return "\n".join(lines)


def _handed(tokens: int | None, channels: int | None) -> str:
    """What a block is handed, as far as it is known."""
    if tokens is None and channels is None:
        return "tokens and channels unknown"
    said = [f"{'an unknown number of' if n is None else n}" for n in (tokens, channels)]
    return f"{said[0]} tokens of {said[1]} channels"
