"""`split_of`: the split of the data that a metric is measured on, by the words of its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from unicodedata import normalize

__all__ = ["Split", "other_split", "split_of", "twins"]

Split = Literal["train", "val", "test"]

_HELD_OUT = r"h[eo]ld[\W_]*outs?"
_WORD = re.compile(
    rf"(?i:{_HELD_OUT})(?![a-z]|(?<=[A-Z])[A-Z])|(?:TESTS?|VAL)(?=[a-z])"
    r"|[A-Z]+(?![a-z])|[A-Z]?[a-z]+"
)
_PART = (
    "acc|accuracy|ap|auc|auroc|bce|bleu|bpc|bpd|brier|ce|cer|data|dataset|dice|ece|elbo|em|err|"
    "error|errors|eval|exact|f|fid|iou|kappa|loss|losses|mae|map|mcc|mean|metric|metrics|miou|mse|"
    "nll|perplexity|ppl|precision|psnr|recall|result|results|return|reward|rmse|roc|rouge|score|"
    "scores|set|sets|split|splits|ssim|top|wer"
)
"""Words that stand with a split's in one, `testloss` and `acctest`: `contest` is no such word."""
_BEFORE = rf"(?:{_PART}|avg|best|final|last|max|min|on)*"
_TEST = re.compile(rf"{_BEFORE}(tests?|testing|{_HELD_OUT})(?:{_PART})*")
_VAL = re.compile(rf"{_BEFORE}(val|valid|validation|eval|dev)(?:{_PART})*")
_TRAIN = re.compile(rf"(train|training)(?:{_PART})*")
_FIRST_ONLY = frozenset({"dev", "train", "training"})
"""Words that mean a split at the beginning of a name alone: `dev/loss`, not `std_dev`."""


def split_of(name: str) -> Split | None:
    """The split that a name tells of; None where it tells of none.

    Names are taken apart at whatever is no letter and where a capital follows a small letter:
    `acc/test`, `miou_test`, `testAcc`, `testloss` and `held_out` are of the test split, `latest`
    and `contest` are not. A word for the test split goes before all others, as in
    `eval/test/top1`.
    """
    if any(_places(name, _TEST)):
        return "test"
    if any(_places(name, _VAL)):
        return "val"
    return "train" if any(_places(name, _TRAIN)) else None


def twins(one: str, other: str) -> bool:
    """Whether two names mean the same quantity, one on validation data and one on test data."""
    return any(
        not _without(left, _VAL).isdisjoint(_without(right, _TEST))
        for left, right in ((one, other), (other, one))
    )


def other_split(name: str) -> str:
    """A name of the test split with `val` in place of its word for it."""
    start, end = next(_places(name, _TEST), (0, 0))
    plain = _letters(name)
    return f"{plain[:start]}val{plain[end:]}" if end else name


def _letters(name: str) -> str:
    """A name in the letters that are meant: those of full width are the same in another font."""
    return normalize("NFKC", name)


def _places(name: str, split: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where words for a split begin and end in the `_letters` of a name."""
    for number, word in enumerate(_WORD.finditer(_letters(name))):
        found = split.fullmatch(word.group().casefold())
        if found and (number == 0 or found.group(1) not in _FIRST_ONLY):
            yield word.start() + found.start(1), word.start() + found.end(1)


def _without(name: str, split: re.Pattern[str]) -> frozenset[str]:
    """The name with a hole for each of these words in turn, however its words are joined."""
    plain = _letters(name)
    return frozenset(
        f"{_plain(plain[:start]).rstrip('/')}*{_plain(plain[end:]).lstrip('/')}"
        for start, end in _places(name, split)
    )


def _plain(part: str) -> str:
    return re.sub(r"[\W_]+", "/", part).casefold()
