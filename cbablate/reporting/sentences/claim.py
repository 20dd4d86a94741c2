"""Claims: the findings of a study in words, as they stand under its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cbablate.analysis.contrasts.contrast import Contrast
from cbablate.analysis.contrasts.verdict import SURE, Claim, Finding, agrees, turned
from cbablate.analysis.summary import ArmSummary, Summary, metric_of
from cbablate.phrases import LISTED, counted, first_few
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import Probability, significant
from cbablate.reporting.model.rounding import Ends
from cbablate.reporting.model.scale import Scale, difference_scale
from cbablate.reporting.sentences.rule import claim_rule
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS, FEWEST_SEARCHES
from cbablate.statistics.sign_flip import MOST_PAIRS

__all__ = [
    "brief_claims",
    "claims",
    "difference_unit",
    "few_blocks",
    "few_found",
    "margin_words",
]

_FLOOR = f"below {FEWEST_PAIRS} pairs an exact sign-flip test cannot reach {ALPHA}"
_TESTS = {"t": "t", "sign_flip": "sign-flip"}
_KINDS: tuple[Claim, ...] = (
    *SURE,
    *("equivalent", "unconfirmed", "undecided", "too few", "one search"),
)
_CONDITIONAL = (
    "none is called the arm's, as the luck of one search of each is not in its interval "
    "(`searches:` in the study puts it in)"
)


@dataclass(frozen=True)
class _Said:
    """A finding: its words, alike for all arms that share it, and the numbers of one arm.

    `needed` says that the words cannot be believed without the numbers, which no cell shows.
    """

    arm: str
    claim: Claim
    words: str
    numbers: str
    needed: bool = False


def claims(plan: Plan, summary: Summary) -> Iterator[str]:
    """How findings were reached, then a sentence for each kind of finding, with its arms.

    Nothing, where no difference in the primary metric is known.
    """
    name, compared = summary.primary, _compared(summary)
    if not compared:
        return
    if _too_few(summary):
        yield from few_found(plan, [one.contrasts[name] for one in compared])
        return
    unit, margin, said = _every(plan, summary)
    if not said:
        return
    how = _method(plan, compared, name, margin)
    measured = f", intervals in {unit}" if unit else ""
    yield f"Findings on {metric_of(plan, name).label}{measured}: {how}."
    for words, group in _grouped(said):
        arms = first_few(f"{one.arm} ({one.numbers})" if one.numbers else one.arm for one in group)
        many = f", {len(group)} of {len(said)}" if len(said) > LISTED else ""
        yield f"{words[:1].upper()}{words[1:]}{many}: {arms}."


def brief_claims(plan: Plan, summary: Summary, *, shown: bool = True) -> Iterator[str]:
    """All findings in one sentence. If differences are `shown` in cells, it repeats no interval."""
    if not _compared(summary):
        return
    if _too_few(summary):
        yield from claims(plan, summary)
        return
    unit, _, said = _every(plan, summary)
    if any(one.claim == "one search" for one in said):
        yield (
            f"On {metric_of(plan, summary.primary).label}, no difference is called the arm's: that "
            f"takes `searches: {FEWEST_SEARCHES}` or more."
        )
        if shown:
            return
    groups = [f"{words}: {_arms(group, len(said), shown=shown)}" for words, group in _grouped(said)]
    if groups:
        measured = f" ({unit})" if unit and not shown else ""
        yield f"On {metric_of(plan, summary.primary).label}{measured}, {'; '.join(groups)}."


def _arms(group: Sequence[_Said], every: int, *, shown: bool) -> str:
    """Whom a finding is of: by name, or all, where it is of every arm alike."""
    if any(not shown or one.needed for one in group):
        told = [f"{one.arm} ({one.numbers})" if one.numbers else one.arm for one in group]
    else:
        told = [one.arm for one in group]
        if len(group) == every > 1:
            return "both" if every == 2 else f"all {every}"
    if any("," in one.arm for one in group):
        names = [f"“{one.arm}”" for one in group]
        told = [
            name + words.removeprefix(one.arm)
            for name, words, one in zip(names, told, group, strict=True)
        ]
    more = len(told) - LISTED
    return ", ".join(told[:LISTED]) + (f" and {more} more" if more > 0 else "")


def _compared(summary: Summary) -> list[ArmSummary]:
    """The arms with contrasts of the primary metric; none where no difference is known."""
    compared = [one for one in summary.arms if summary.primary in one.contrasts]
    known = any(one.contrasts[summary.primary].difference is not None for one in compared)
    return compared if known else []


def _too_few(summary: Summary) -> bool:
    return all(one.findings[summary.primary].claim == "too few" for one in _compared(summary))


def _every(plan: Plan, summary: Summary) -> tuple[str, str, list[_Said]]:
    """The unit of differences, the margin in words, and what is said of each arm.

    Nothing is said before the first look.
    """
    name, compared = summary.primary, _compared(summary)
    scale = difference_scale(plan, summary, name)
    unit = difference_unit(plan, scale, name)
    margin = margin_words(plan, scale, unit)
    if summary.course is not None and all(one.contrasts[name].p is None for one in compared):
        return unit, margin, []
    together = "simultaneous " if plan.study.analysis.joint and len(compared) > 1 else ""
    within = f"no difference larger than {margin} ({together}90 % intervals)"
    return unit, margin, [_said(one, name, scale, (margin, within)) for one in compared]


def _grouped(said: Sequence[_Said]) -> list[tuple[str, list[_Said]]]:
    """The findings by their words, the graver kind first."""
    ordered = sorted(said, key=lambda one: _KINDS.index(one.claim))
    groups: dict[str, list[_Said]] = {}
    for one in ordered:
        groups.setdefault(one.words, []).append(one)
    return list(groups.items())


def few_found(plan: Plan, found: Sequence[Contrast], test: str = "") -> Iterator[str]:
    """That the pairs, or the searches, behind these contrasts are too few for findings: of all of
    them, or of some. `test` is the name of the test behind p, the study's own if "".
    """
    known = [one for one in found if one.n]
    few = [one for one in known if not one.enough]
    lacking = any(one.pairs < FEWEST_PAIRS for one in few)
    if few and len(few) < len(known):
        what, why = "searches", f"{FEWEST_SEARCHES} of each arm are the fewest"
        if lacking:
            what, why = "replicates", _FLOOR
        yield f"Nothing is claimed where {what} are too few: {why}."
    elif not known and any(one.p is not None for one in found):
        yield "Findings: none, as no arm is paired, and p is Welch's t test's alone."
    elif few and lacking:
        tested = any(one.p is not None for one in found)
        yield _none_found((test or _test(plan)) if tested else "")
    elif few:
        yield (
            f"Findings: none, for want of searches; {max(one.n for one in few)} of each arm tell "
            f"too little of what luck does, {FEWEST_SEARCHES} are the fewest."
        )


def few_blocks(plan: Plan, blocks: int, test: str) -> Iterator[str]:
    """That so few blocks, of seeds or of searches, are too few for findings of effects."""
    if 0 < blocks < FEWEST_PAIRS and plan.searches > 1:
        yield _none_found(test, "searches")
    elif 0 < blocks < FEWEST_PAIRS:
        yield _none_found(test)


def _test(plan: Plan) -> str:
    """The name of the test behind p."""
    how = plan.study.analysis
    return "Dunnett" if how.correction == "dunnett" else _TESTS[how.test]


def _none_found(test: str, lacking: str = "replicates") -> str:
    alone = f", and p is the {test} test's alone" if test else ""
    floor = _FLOOR.replace("pairs", "searches") if lacking == "searches" else _FLOOR
    return f"Findings: none, for want of {lacking}; {floor}{alone}."


def difference_unit(plan: Plan, scale: Scale, name: str) -> str:
    """The unit of a metric's differences: of percentages, percentage points."""
    unit = metric_of(plan, name).unit
    return scale.unit("pp" if unit == "%" else unit)


def margin_words(plan: Plan, scale: Scale, unit: str) -> str:
    """The study's margin as it was written, not rounded as means are; "" without one."""
    value = scale.number(plan.study.margin).value
    return "" if value is None else _measured(significant(value, 6), unit)


def _method(plan: Plan, compared: Sequence[ArmSummary], name: str, margin: str) -> str:
    """What each word that is used rests on."""
    found = [one.findings[name] for one in compared]
    kinds = {one.claim for one in found}
    if "one search" in kinds:
        return _CONDITIONAL
    words = " or ".join(kind for kind in SURE if kind in kinds)
    known = [one.contrasts[name] for one in compared]
    rule = claim_rule(plan, known)
    parts = [f"{words}: {rule}" if words else f"none differs for sure (that is: {rule})"]
    grows = plan.study.sequential is not None
    if not grows and any(one.n > MOST_PAIRS for one in known):
        parts.append(f"beyond {MOST_PAIRS} pairs the t test decides alone")
    if any(one.enough and one.n < FEWEST_PAIRS for one in known):
        parts.append(f"below {FEWEST_PAIRS} searches of each arm the t test decides alone")
    if any(one.small for one in found):
        parts.append("no larger difference: two one-sided t tests, adjusted alike")
    elif any(one.p_equivalence is not None for one in found):
        parts.append(f"none is shown to lie within the margin of {margin}")
    if "too few" in kinds:
        parts.append(f"too few replicates: {_FLOOR}")
    return "; ".join(parts)


def _said(one: ArmSummary, name: str, scale: Scale, margin: tuple[str, str]) -> _Said:
    """One finding, with the numbers that it rests on; `margin` in words, and what lies within."""
    contrast, finding = one.contrasts[name], one.findings[name]
    claim, words, numbers = finding.claim, str(finding.claim), list[str]()
    if claim == "too few":
        if contrast.pairs >= FEWEST_PAIRS:
            return _Said(one.arm.name, claim, "too few searches", f"{contrast.n}")
        return _Said(one.arm.name, claim, "too few replicates", counted(contrast.pairs, "pair"))
    ends: Ends = (contrast.difference, contrast.low, contrast.high)
    if claim == "equivalent":
        tost = finding.equivalence
        words = margin[1]
        ends = (contrast.difference, tost.low, tost.high) if tost else (None, None, None)
    elif claim == "unconfirmed":
        doubt, number = _doubt(contrast, finding)
        words, numbers = f"unconfirmed, as {doubt}", [number] if number else []
    elif claim == "one search":
        words = "at the hyperparameters that its one search chose"
    elif finding.small and finding.sure:
        words = f"{claim}, by less than {margin[0]}"
    numbers += [found] if (found := _interval(ends, scale)) else []
    needed = claim in ("equivalent", "unconfirmed")
    return _Said(one.arm.name, claim, words, "; ".join(numbers), needed)


def _doubt(contrast: Contrast, finding: Finding) -> tuple[str, str]:
    """Why a difference that one view of the numbers shows is claimed by no word; and by how much
    that view falls short.
    """
    p = contrast.p_adjusted
    if p is not None and p >= ALPHA:
        return "its own interval leaves out 0, but not p", f"p = {Probability(p).plain}"
    if contrast.low is None:  # a t-interval is always there beside its p
        return f"adjusted p < {ALPHA}, but no BCa interval is given of so few pairs", ""
    if not contrast.excludes_zero:
        return f"adjusted p < {ALPHA}, but the interval has 0 in it", ""
    if not agrees(contrast, finding.p_sign_flip):
        flip = Probability(finding.p_sign_flip or 1.0).plain
        return "the exact sign-flip test does not agree", f"its p = {flip}"
    if turned(contrast):
        return "the means, over all seeds that each has, differ the other way", ""
    return "one view of the numbers does not agree", ""


def _interval(ends: Ends, scale: Scale) -> str:
    written = scale.interval(*ends)
    if written.low is None or written.high is None:
        return ""
    return f"{written.low.plain} to {written.high.plain}"


def _measured(digits: str, unit: str) -> str:
    return f"{digits} {unit}".rstrip()
