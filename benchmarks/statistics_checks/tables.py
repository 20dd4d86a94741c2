"""What whole tables claim: marks, words and bold against the intervals that they print."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from benchmarks.contradictions import contradictions, drawn, misses
from benchmarks.statistics_checks.check import Check, Size, apart, compared, lacking, missed, share
from benchmarks.statistics_checks.fabricated import METRIC, one_factor, summarized
from cbablate.analysis.designs.best import best_arms
from cbablate.statistics.correction import holm, sidak
from cbablate.statistics.correction import share as level
from cbablate.statistics.power import ALPHA


def checks(size: Size) -> Iterator[Check]:
    """All of them."""
    yield from _corrections(size)
    yield from _printed(size)
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

        far, cases = 0.0, size.of(200)
        for case in range(cases):
            draw = random.Random(case)
            ps = [max(0.001, round(draw.random() ** 3, 3)) for _ in range(draw.randint(1, 12))]
            far = max(far, apart(holm(ps), multipletests(ps, method="holm")[1]))
            far = max(far, apart(sidak(ps), multipletests(ps, method="sidak")[1]))
        yield compared(what, "statsmodels", cases, far, 1e-12)
    far = max(abs((1 - level(k)) ** k - (1 - ALPHA)) for k in range(1, 100))
    yield compared("level of one of k intervals", "1 - (1 - level)^k = 5 %", 99, far, 1e-12)


def _printed(size: Size) -> Iterator[Check]:
    """Random studies: every analysis, shifts, ties, constants, missing seeds, margins."""
    studies, broken, held, together = size.of(2_000), 0, 0, 0
    for seed in range(studies):
        study = drawn(seed)
        broken += any(contradictions(study))
        missed_any = misses(study)
        if missed_any is not None:
            together += 1
            held += not missed_any
    what = "printed tables: marks, words, p, bold and intervals contradict one another"
    yield missed(what, "random studies", studies, broken)
    what = "printed intervals that are said to hold together do"
    yield share(what, "random studies", held, together, (0.94, 0.97))


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
