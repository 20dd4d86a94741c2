"""What whole tables claim: marks, words and bold against the intervals that they print."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.statistics_checks.check import Check, Size, apart, compared, lacking, missed, share
from benchmarks.statistics_checks.fabricated import METRIC, one_factor, summarized
from cbablate.analysis.designs.best import best_arms
from cbablate.analysis.summary import ArmSummary, direction_of
from cbablate.planning.plan import Plan
from cbablate.reporting.sentences.note import marked
from cbablate.spec.metric import Direction, Objective
from cbablate.statistics.correction import holm, sidak
from cbablate.statistics.correction import share as level
from cbablate.statistics.power import ALPHA, FEWEST_PAIRS

Values = Mapping[str, Mapping[int, float]]


def checks(size: Size) -> Iterator[Check]:
    """All of them."""
    yield from _corrections(size)
    yield from _consistency(size)
    for n, arms in itertools.product((6, 10, 20), (1, 5, 12)):
        yield from _null(size, n, arms)
    yield _discrete(size)
    yield _equivalent(size)


def _corrections(size: Size) -> Iterator[Check]:
    what = "Holm's and Sidak's adjusted p, with ties"
    if find_spec("statsmodels") is None:
        yield lacking(what, "statsmodels")
    else:
        from statsmodels.stats.multitest import multipletests

        far, cases = 0.0, size.of(2_000)
        for case in range(cases):
            draw = random.Random(case)
            ps = [round(draw.random() ** 3, 3) for _ in range(draw.randint(1, 12))]
            far = max(far, apart(holm(ps), multipletests(ps, method="holm")[1]))
            far = max(far, apart(sidak(ps), multipletests(ps, method="sidak")[1]))
        yield compared(what, "statsmodels", cases, far, 1e-12)
    far = max(abs((1 - level(k)) ** k - (1 - ALPHA)) for k in range(1, 100))
    yield compared("level of one of k intervals", "1 - (1 - level)^k = 5 %", 99, far, 1e-12)


def _consistency(size: Size) -> Iterator[Check]:
    """Random studies: shifts, ties, constants, missing trials, either direction, margins."""
    studies, contrasts = size.of(2_000), 0
    broken: Counter[str] = Counter(dict.fromkeys(RULES, 0))
    for study in range(studies):
        draw = random.Random(study)
        planned, values = _random(draw)
        summary = summarized(planned, values)
        bold = best_arms(planned, summary)
        for one in summary.arms:
            contrasts += METRIC in one.contrasts
            for rule, holds in RULES.items():
                if METRIC in one.contrasts:
                    broken[rule] += not holds(planned, one)
            claim = one.findings[METRIC].claim if METRIC in one.findings else ""
            broken[_BOLD] += one.arm.id in bold and claim in ("hurts", "too few")
        broken[_BOLD] += 2 * len(bold) > len(summary.arms)
    for rule, count in broken.items():
        yield missed(f"{studies:,} random studies: {rule}", "the rule", contrasts, count)


def _random(draw: random.Random) -> tuple[Plan, dict[str, dict[int, float]]]:
    arms, n = draw.randint(1, 7), draw.choice((2, 3, 5, 6, 8, 10, 15))
    direction: Direction = draw.choice(("maximize", "minimize"))
    margin = draw.choice((None, None, 0.5, 1.5))
    planned = one_factor(
        arms, n, margin=margin, objective=Objective(metric=METRIC, direction=direction)
    )
    spread, shared = 10 ** draw.uniform(-2, 1), draw.random()
    whole, missing = draw.random() < 0.2, draw.choice((0.0, 0.0, 0.15))
    of_seed = [draw.gauss(0, shared) for _ in range(n)]
    values = {}
    for arm in planned.arms:
        shift = draw.choice((0.0, 0.0, 1.0, -1.0)) * draw.expovariate(0.7) * spread
        own = draw.choice((0.0, 1.0, 1.0, 1.0)) * spread
        drawn = [shift + spread * part + draw.gauss(0, own) for part in of_seed]
        values[arm.id] = {
            r: float(round(y)) if whole else y
            for r, y in enumerate(drawn)
            if draw.random() >= missing
        }
    return planned, values


def _marks(_: Plan, one: ArmSummary) -> bool:
    contrast, finding = one.contrasts[METRIC], one.findings[METRIC]
    sure = finding.claim in ("helps", "hurts", "differs")
    return marked(one, METRIC) == sure and (not sure or contrast.excludes_zero)


def _few(_: Plan, one: ArmSummary) -> bool:
    contrast, finding = one.contrasts[METRIC], one.findings[METRIC]
    return contrast.n >= FEWEST_PAIRS or finding.claim == "too few"


def _undecided(_: Plan, one: ArmSummary) -> bool:
    contrast, finding = one.contrasts[METRIC], one.findings[METRIC]
    return finding.claim != "undecided" or not contrast.excludes_zero


def _decides(_: Plan, one: ArmSummary) -> bool:
    contrast = one.contrasts[METRIC]
    if contrast.p_adjusted is None or contrast.low is None:
        return True
    return (contrast.p_adjusted < ALPHA) == contrast.excludes_zero


def _direction(planned: Plan, one: ArmSummary) -> bool:
    claim, difference = one.findings[METRIC].claim, one.contrasts[METRIC].difference
    sign = -1 if direction_of(planned, METRIC) == "minimize" else 1
    if claim not in ("helps", "hurts") or difference is None:
        return True
    return (claim == "helps") == (sign * difference > 0)


def _margins(planned: Plan, one: ArmSummary) -> bool:
    finding, margin = one.findings[METRIC], planned.study.margin
    if finding.claim != "equivalent":
        return True
    ends = finding.equivalence
    return margin is not None and ends is not None and -margin < ends.low and ends.high < margin


_BOLD = "bold stands on nothing that hurts or has too few pairs, nor on more than half of the rows"
RULES: Mapping[str, Callable[[Plan, ArmSummary], Any]] = {
    "a mark stands where a difference is claimed, and its interval leaves out zero": _marks,
    "below six pairs nothing is claimed": _few,
    "undecided stands beside an interval with zero in it": _undecided,
    "adjusted p is below 5 % where the printed interval leaves out zero": _decides,
    "helps and hurts go with the metric's direction": _direction,
    "equivalence prints an interval within its margin": _margins,
    _BOLD: lambda _planned, _one: True,
}


def _null(size: Size, n: int, arms: int) -> Iterator[Check]:
    """Arms that are all equal, whose seeds share half of the variance."""
    studies = size.of(2_000)
    planned = one_factor(arms, n)
    words = joint = left_out = 0
    for study in range(studies):
        draw = np.random.default_rng(study)
        of_seed = draw.standard_normal(n)
        values = {
            arm.id: dict(enumerate(map(float, of_seed + draw.standard_normal(n))))
            for arm in planned.arms
        }
        summary = summarized(planned, values)
        found = summary.arms[1:]
        words += any(one.findings[METRIC].sure for one in found)
        joint += not any(one.contrasts[METRIC].excludes_zero for one in found)
        left_out += 0 < len(best_arms(planned, summary)) < len(summary.arms)
    name = f"{arms} arm{'s' * (arms > 1)}, {n} seeds"
    yield share(f"{name}, all equal: a claim", "null studies", words, studies, (0.0, 0.05))
    yield share(f"{name}: intervals hold jointly", "null studies", joint, studies, (0.94, 0.97))
    yield share(f"{name}, all equal: bold for some", "null studies", left_out, studies, (0.0, 0.05))


def _discrete(size: Size) -> Check:
    """Differences of which 60 % are zero."""
    studies, planned, wrong = size.of(2_000), one_factor(1, 10), 0
    for study in range(studies):
        draw = np.random.default_rng(study)
        apart_by = draw.choice((-1.0, 0.0, 1.0), 10, p=(0.2, 0.6, 0.2))
        values = {
            arm.id: dict(enumerate(map(float, apart_by * at)))
            for at, arm in enumerate(planned.arms)
        }
        wrong += summarized(planned, values).arms[1].findings[METRIC].sure
    what = "discrete differences, 60 % zero, 10 seeds: a claim"
    return share(what, "null studies", wrong, studies, (0.0, 0.05))


def _equivalent(size: Size) -> Check:
    """A difference that is the margin is called smaller than it."""
    studies, planned, wrong = size.of(2_000), one_factor(1, 10, margin=1.0), 0
    for study in range(studies):
        draw = np.random.default_rng(study)
        values = {
            arm.id: dict(enumerate(map(float, at + draw.normal(0, 0.5, 10))))
            for at, arm in enumerate(planned.arms)
        }
        wrong += summarized(planned, values).arms[1].findings[METRIC].small
    what = "difference that is the margin, 10 seeds: called smaller"
    return share(what, "simulation", wrong, studies, (0.0, 0.05))
