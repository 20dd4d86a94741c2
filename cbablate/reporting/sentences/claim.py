"""Claims: the findings of a study in words, as they stand under its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.contrasts.verdict import SURE, Claim, Finding, agrees, turned
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.phrases import LISTED, counted, first_few
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Probability
from cbablate.reporting.model.scale import Scale, scale_in
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS, FEWEST_SEARCHES
from cbablate.statistics.sign_flip import MOST_PAIRS

__all__ = ["claims", "difference_unit", "few_pairs", "margin_words"]

_NINETY = "90 % interval "
"""Two one-sided tests at 5 % are passed where this one lies within the margin."""
_FLOOR = f"below {FEWEST_PAIRS} pairs an exact sign-flip test cannot reach {ALPHA}"
_KINDS: tuple[Claim, ...] = (
    *SURE,
    *("equivalent", "unconfirmed", "undecided", "too few", "one search"),
)
_CONDITIONAL = (
    "none, as the luck of one search of each arm is not in its interval (`searches:` in the study "
    "puts it in); these are the intervals at the hyperparameters chosen"
)


def claims(plan: Plan, summary: Summary) -> Iterator[str]:
    """How findings were reached, then one sentence an arm; of many arms one a kind of finding.

    Nothing, where no pair of the primary metric is known.
    """
    name = summary.primary
    compared = [one for one in summary.arms if name in one.contrasts]
    known = [one.contrasts[name] for one in compared]
    if not any(one.n for one in known):
        return
    found = [one.findings[name] for one in compared]
    if all(one.claim == "too few" for one in found):
        few_searches = all(one.pairs >= FEWEST_PAIRS for one in known if one.n)
        test = "t" if any(c.p is not None for c in known) else ""
        yield _too_few_searches(known) if few_searches else _none_found(test)
        return
    scale = scale_in(plan, summary, name)
    unit = difference_unit(plan, scale, name)
    margin = margin_words(plan, scale, unit)
    looks = summary.course is not None
    if looks and all(one.contrasts[name].p is None for one in compared):
        return
    how = _method(compared, name, margin, looks=looks)
    yield f"Findings on {metric_of(plan, name).label}: {how}."
    said = [
        _said(one.contrasts[name], one.findings[name], scale, unit=unit, margin=margin)
        for one in compared
    ]
    if len(compared) <= LISTED:
        for one, words in zip(compared, said, strict=True):
            yield f"{one.arm.name}: {words}."
        return
    for kind in _KINDS:
        of_kind = [
            f"{one.arm.name}: {words}"
            for one, words in zip(compared, said, strict=True)
            if one.findings[name].claim == kind
        ]
        if of_kind:
            yield f"{len(of_kind)} of {len(compared)} arms: {first_few(of_kind)}."


def few_pairs(counts: Sequence[int], test: str) -> Iterator[str]:
    """That these numbers of pairs, or seeds, behind a view's rows are too few for findings.

    `test` is the letter of the test behind p, "" where no number has one.
    """
    if any(counts) and max(counts) < FEWEST_PAIRS:
        yield _none_found(test)
    elif any(counts) and min(counts) < FEWEST_PAIRS:
        yield f"Nothing is claimed where replicates are too few: {_FLOOR}."


def _none_found(test: str) -> str:
    alone = f", and p is the {test} test's alone" if test else ""
    return f"Findings: none, for want of replicates; {_FLOOR}{alone}."


def _too_few_searches(found: Sequence[Contrast]) -> str:
    many = max(one.n for one in found)
    return (
        f"Findings: none, for want of searches; {many} of each arm tell too little of what luck "
        f"does, {FEWEST_SEARCHES} are the fewest."
    )


def difference_unit(plan: Plan, scale: Scale, name: str) -> str:
    """The unit of a metric's differences: of percentages, percentage points."""
    unit = metric_of(plan, name).unit
    return scale.unit("pp" if unit == "%" else unit)


def margin_words(plan: Plan, scale: Scale, unit: str) -> str:
    """The study's margin as it was written, not rounded as means are; "" without one."""
    value = scale.number(plan.study.margin).value
    return "" if value is None else _measured(f"{value:.6g}", unit)


def _method(compared: Sequence[ArmSummary], name: str, margin: str, *, looks: bool) -> str:
    """What each word that is used rests on."""
    found = [one.findings[name] for one in compared]
    kinds = {one.claim for one in found}
    if "one search" in kinds:
        return _CONDITIONAL
    words = " or ".join(kind for kind in SURE if kind in kinds)
    known = [one.contrasts[name] for one in compared]
    few = any(one.enough and one.n < FEWEST_PAIRS for one in known)
    agreed = "" if looks or few else ", and the exact sign-flip test agrees"
    rule = f"adjusted p < {ALPHA}{agreed}"
    parts = [f"{words}: {rule}" if words else f"none differs for sure (that is: {rule})"]
    if not looks and any(one.n > MOST_PAIRS for one in known):
        parts.append(f"beyond {MOST_PAIRS} pairs the t test decides alone")
    if few:
        parts.append(f"below {FEWEST_PAIRS} searches of each arm the t test decides alone")
    if any(one.small for one in found):
        parts.append("no larger difference: two one-sided t tests, adjusted alike")
    elif any(one.p_equivalence is not None for one in found):
        parts.append(f"none is shown to lie within the margin of {margin}")
    if "too few" in kinds:
        parts.append(f"too few replicates: {_FLOOR}")
    return "; ".join(parts)


def _said(contrast: Contrast, finding: Finding, scale: Scale, *, unit: str, margin: str) -> str:
    """One finding, with the numbers that it rests on."""
    if finding.claim == "too few":
        if contrast.pairs >= FEWEST_PAIRS:
            return f"too few searches ({contrast.n})"
        return f"too few replicates ({counted(contrast.pairs, 'pair')})"
    if finding.claim == "equivalent":
        tost = finding.equivalence
        within = "" if tost is None else _interval(tost.low, tost.high, scale, unit, what=_NINETY)
        return f"no difference larger than {margin}{within}"
    interval = _interval(contrast.low, contrast.high, scale, unit)
    if finding.claim == "one search":
        return interval.strip(" ()") or "not known"
    small = f", by less than {margin}" if finding.small and finding.sure else ""
    doubt = _doubt(contrast, finding) if finding.claim == "unconfirmed" else ""
    return f"{finding.claim}{small}{doubt}{interval}"


def _doubt(contrast: Contrast, finding: Finding) -> str:
    """Why a difference that one view of the numbers shows is claimed by no word."""
    p = contrast.p_adjusted
    if p is not None and p >= ALPHA:
        return f", as adjusted p = {Probability(p).plain}, though its own interval leaves out 0"
    if not contrast.excludes_zero:
        return f", as the interval has 0 in it, though adjusted p < {ALPHA}"
    if not agrees(contrast, finding.p_sign_flip):
        flip = Probability(finding.p_sign_flip or 1.0).plain
        return f", as the exact sign-flip test does not agree, adjusted p = {flip}"
    if turned(contrast):
        return ", as the means, over all seeds that each has, differ the other way"
    return ""


def _interval(
    low: float | None, high: float | None, scale: Scale, unit: str, *, what: str = ""
) -> str:
    if low is None or high is None:
        return ""
    first, last = (scale.number(end, signed=True).plain for end in (low, high))
    return f" ({what}{first} to {_measured(last, unit)})"


def _measured(digits: str, unit: str) -> str:
    return f"{digits} {unit}".rstrip()
