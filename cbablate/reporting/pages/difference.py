"""`difference`: two studies side by side, or one study at two times: settings, arms, estimates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from cbablate.analysis.standing import Standing
from cbablate.analysis.summary import Summary, metric_of, summarize
from cbablate.analysis.trial_outcome import TrialOutcome, outcomes
from cbablate.character import spaced, visible, width
from cbablate.errors import CbablateError
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.records.record import Record
from cbablate.reporting.model.cell import DASH, MINUS
from cbablate.reporting.model.scale import Scale, scale_of_differences, scale_of_means
from cbablate.reporting.sentences.claim import difference_unit
from cbablate.reporting.sentences.delta import unlike
from cbablate.spec.yaml import scalar
from cbablate.statistics.estimate import Estimate

__all__ = ["Side", "difference", "pairs", "settings", "until"]


@dataclass(frozen=True)
class Side:
    """A study as its records stood at some time; `label` tells it from the other."""

    label: str
    plan: Plan
    facts: Sequence[Record]

    @cached_property
    def _standing(self) -> Standing:
        return Standing(self.plan, self.facts)

    @cached_property
    def trials(self) -> tuple[TrialOutcome, ...]:
        """Its trials with what is known of them."""
        return outcomes(self._standing.asked, self._standing.book)

    @cached_property
    def summary(self) -> Summary:
        """What its records say."""
        return summarize(self.plan, self._standing.book)


def until(facts: Sequence[Record], when: str) -> list[Record]:
    """The facts up to a sequence number, or told before a date (ISO 8601; UTC where no zone is).

    Raises:
        CbablateError: `when` is neither.
    """
    if when.isdecimal() and len(when) != 8 and len(when) < 20:  # eight digits are a date
        return [fact for fact in facts if fact.sequence <= int(when)]
    try:
        moment = datetime.fromisoformat(when)
        before = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise CbablateError(
            f"{scalar.shown(when)} is neither the number of a fact nor a date such as "
            "2026-11-23 or 2026-11-23T14:00"
        ) from error
    return [fact for fact in facts if fact.at < before]


def difference(a: Side, b: Side) -> str:
    """What differs from a to b, in lines for a terminal."""
    both = pairs(a.plan, b.plan)
    lines = [f"a: {a.label}", f"b: {b.label}", "", *_settings(a.plan, b.plan), ""]
    lines += [*_arms(a.plan, b.plan, both), "", *_trials(a, b)]
    names = dict.fromkeys([*a.summary.metrics, *b.summary.metrics])
    for name in names:
        lines += _estimates(a, b, both, name)
    return "\n".join(spaced(line) for line in lines)


def pairs(a: Plan, b: Plan) -> list[tuple[Arm, Arm]]:
    """Arms of both that are one configuration, or else bear one name; in a's order."""
    named = {arm.name: arm for arm in b.arms}
    found = [(arm, b.arm_of.get(arm.id) or named.get(arm.name)) for arm in a.arms]
    taken: set[str] = set()
    both: list[tuple[Arm, Arm]] = []
    for one, other in sorted(found, key=lambda pair: pair[1] is None or pair[1].id != pair[0].id):
        if other is not None and other.id not in taken:
            taken.add(other.id)
            both.append((one, other))
    place = {arm.id: index for index, arm in enumerate(a.arms)}
    return sorted(both, key=lambda pair: place[pair[0].id])


def settings(a: Plan, b: Plan) -> list[tuple[str, str, str]]:
    """What the studies set otherwise: key, value of a, value of b."""
    keys = ("question", "workload", "design", "contrast", "budget", "replicates", "seed")
    more = ("objective", "report", "margin", "analysis", "tune", "baseline")
    return unlike(_told(a, (*keys, *more)), _told(b, (*keys, *more)))


def _settings(a: Plan, b: Plan) -> list[str]:
    found = settings(a, b)
    if not found:
        return ["Settings: the same"]
    return ["Settings that differ:", *(f"  {key}: {one} -> {two}" for key, one, two in found)]


def _told(plan: Plan, keys: Sequence[str]) -> Mapping[str, object]:
    study = plan.study.model_dump(mode="json")
    told = {key: study[key] for key in keys if study.get(key) is not None}
    if plan.study.tune is not None:
        told["searches"] = plan.study.searches
    return told | {"workload version": plan.description.version}


def _arms(a: Plan, b: Plan, both: Sequence[tuple[Arm, Arm]]) -> Iterator[str]:
    left, right = {one.id for one, _ in both}, {other.id for _, other in both}
    removed = [arm.name for arm in a.arms if arm.id not in left]
    added = [arm.name for arm in b.arms if arm.id not in right]
    changed = [(one, other) for one, other in both if one.id != other.id]
    renamed = [(one, other) for one, other in both if one.id == other.id and one.name != other.name]
    same = len(both) - len(changed)
    yield (
        f"Arms: {same} the same, {len(changed)} changed, {len(added)} added, {len(removed)} removed"
    )
    yield from (f"  + {name}" for name in added)
    yield from (f"  - {name}" for name in removed)
    yield from (f"  = {one.name} is called {other.name}" for one, other in renamed)
    for one, other in changed:
        deltas = unlike(one.config, other.config)
        yield f"  ~ {one.name}" + ("" if deltas else ": other data or version of the workload")
        yield from (f"      {key}: {was} -> {now}" for key, was, now in deltas)


def _trials(a: Side, b: Side) -> Iterator[str]:
    one = {trial.trial.id for trial in a.trials if trial.last}
    two = {trial.trial.id for trial in b.trials if trial.last}
    yield f"Complete trials: {len(one)} -> {len(two)}, {len(one & two)} of them the same"


def _estimates(a: Side, b: Side, both: Sequence[tuple[Arm, Arm]], name: str) -> list[str]:
    """The means of one metric, arm by arm, and the difference of b's from a's."""
    told = [
        (one, a.summary.of[one.id].estimates.get(name), b.summary.of[other.id].estimates.get(name))
        for one, other in both
    ]
    estimates = [side for _, *sides in told for side in sides if side is not None]
    if all(one.mean is None for one in estimates):
        return []
    metric = metric_of(b.plan, name)
    scale = scale_of_means(b.plan, estimates, name)
    gaps = [_gap(one, two) for _, one, two in told]
    apart = scale_of_differences(scale, [(gap, None, None) for gap in gaps])
    unit = difference_unit(b.plan, apart, name)
    rows = [("", "a", "b", f"b {MINUS} a{f' ({unit})' if unit else ''}")]
    for (arm, one, two), gap in zip(told, gaps, strict=True):
        last = apart.number(gap, signed=True).plain
        rows.append((arm.name, _mean(scale, one), _mean(scale, two), last))
    return ["", f"{metric.label} ({name}), mean ± 95 % half-width (n):", *_aligned(rows)]


def _gap(one: Estimate | None, two: Estimate | None) -> float | None:
    if one is None or two is None or one.mean is None or two.mean is None:
        return None
    return two.mean - one.mean


def _mean(scale: Scale, one: Estimate | None) -> str:
    if one is None or one.mean is None:
        return DASH
    half = "" if one.constant or not one.half_width else f" ± {scale.number(one.half_width).plain}"
    return f"{scale.number(one.mean).plain}{half} ({one.n})"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(width(visible(row[i])) for row in rows) for i in range(len(rows[0]))]
    for first, *others in rows:
        name = visible(first)
        cells = (text.rjust(wide) for text, wide in zip(others, widths[1:], strict=True))
        yield f"  {name}{' ' * (widths[0] - width(name))}  " + "  ".join(cells)
