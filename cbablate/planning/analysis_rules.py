"""What a study cannot ask of its analysis: tests and intervals that its replicates do not carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.phrases import counted
from cbablate.planning.arm import Arm
from cbablate.spec.fault import Fault
from cbablate.spec.study import Study
from cbablate.statistics.correction import corrected, share
from cbablate.statistics.coverage import FEWEST_FOR_BCA, bca_coverage
from cbablate.statistics.power import (
    ALPHA,
    FEWEST_PAIRS,
    FEWEST_SEARCHES,
    MOST_PAIRS,
    floor,
    pairs_to_flip,
)

__all__ = ["analysis_faults", "comparisons", "idle_faults", "idle_words", "luck_words"]


def analysis_faults(study: Study) -> Iterator[Fault]:
    """Tests, intervals and corrections that do not go together, or not with so many replicates."""
    how, n, word = study.analysis, study.units, _unit(study)
    if study.sequential is not None:
        return  # which is told of the looks
    if how.interval == "bca" and n < FEWEST_FOR_BCA:
        covered = (
            f"their 95 % intervals cover {100 * bca_coverage(n):.0f} %"
            if n > 2
            else "there is none"
        )
        yield Fault(
            ("analysis", "interval"),
            f"bca needs at least {FEWEST_FOR_BCA} {word}: with {n}, {covered}, and "
            f"with {FEWEST_FOR_BCA} {100 * bca_coverage(FEWEST_FOR_BCA):.0f} %",
            "use t, which covers 95 % with any number",
        )
    if how.test == "sign_flip" and n > MOST_PAIRS:
        sentence = f"sign_flip counts every choice of signs, for at most {MOST_PAIRS} {word}"
        yield Fault(("analysis", "test"), f"{sentence}, not {n}", "use t")
    if how.intervals == "simultaneous" and how.correction != "dunnett":
        yield from _joint_faults(study)
    if how.correction == "dunnett":
        at = ("analysis", "correction")
        if study.contrast is not None:
            sentence = "dunnett compares all arms with one baseline; `contrast` compares with many"
            yield Fault(at, sentence, "use sidak, or leave out `contrast`")
        if how.interval != "t" or how.test != "t":
            sentence = "dunnett has its own test and its own intervals, both of t"
            yield Fault(at, sentence, "use sidak, or leave out `interval` and `test`")
        if how.intervals == "single":
            sentence = "dunnett's intervals hold together; it has no single ones"
            yield Fault(("analysis", "intervals"), sentence, "use sidak, or leave out `intervals`")


def _joint_faults(study: Study) -> Iterator[Fault]:
    """Intervals that cannot be made to hold together."""
    at = ("analysis", "intervals")
    if study.analysis.interval == "bca":
        yield Fault(
            at,
            "the tails that simultaneous intervals need are too far out for a bootstrap of so few "
            "values",
            "use single, or interval: t",
        )
    if study.analysis.correction == "holm":
        yield Fault(
            at,
            "holm corrects p values step by step, and has no intervals of its own",
            "use single, or correction: sidak",
        )


def comparisons(study: Study, arms: Sequence[Arm]) -> int:
    """How many comparisons of a metric are planned; of a single arm that is tuned one, with the
    arm as written.
    """
    return sum(arm.against is not None for arm in arms) or int(study.tune is not None)


def _unit(study: Study) -> str:
    """What is paired, in a count."""
    return "replicates" if study.searches == 1 else "searches"


def idle_words(study: Study, arms: Sequence[Arm]) -> str:
    """That so few replicates find nothing, and how many would; "" where they may."""
    n = study.most_replicates
    if not comparisons(study, arms) or n >= FEWEST_PAIRS:
        return ""
    return (
        f"No finding is possible with {counted(n, 'replicate')}: an exact sign-flip test of "
        f"{counted(n, 'pair')} cannot go below p = {floor(n):.2g}. {FEWEST_PAIRS} are the fewest."
    )


def luck_words(study: Study, arms: Sequence[Arm]) -> str:
    """That so few searches of each arm let no difference be called the arm's; "" where they do."""
    compared = any(arm.against is not None for arm in arms) or study.searches > 1
    if study.tune is None or not compared or study.searches >= FEWEST_SEARCHES:
        return ""
    many, there = ("One search", "not") if study.searches == 1 else ("Two searches", "hardly")
    return (
        f"{many} of each arm: no difference will be called the arm's, as the luck of a search is "
        f"{there} in the intervals."
    )


def idle_faults(study: Study, arms: Sequence[Arm]) -> Iterator[Fault]:
    """A sign-flip test whose smallest p value, corrected, is not below ALPHA: it finds nothing."""
    how, n = study.analysis, study.units
    family, word = comparisons(study, arms), _unit(study)
    few = n < FEWEST_PAIRS and study.searches == 1  # which every finding says
    if how.test != "sign_flip" or not family or few or n > MOST_PAIRS:
        return
    least = corrected([floor(n)] * family, how.steps)[0] or 0.0
    if least < ALPHA:
        return
    enough = pairs_to_flip(share(family, how.steps))
    instead = f"use {enough} {word} or more, or t" if enough <= MOST_PAIRS else "use t"
    yield Fault(
        ("analysis", "test"),
        f"no data can find a difference: an exact sign-flip test of {n} pairs cannot go below "
        f"p = {floor(n):.2g}, and corrected for {family} comparisons not below {least:.2g}",
        instead,
    )
