"""Timing notes: what the timings of a table are, and where they are not alike."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.analysis.summary import Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.model.cell import DASH
from cbablate.reporting.sentences.shortfall import BYSTANDERS, short

__all__ = ["timing_notes"]


def timing_notes(plan: Plan, summary: Summary, *, brief: bool = False) -> Iterator[str]:
    """What timings are, and where these are not alike; in `brief` not how they were made."""
    for name in dict.fromkeys(plan.study.report):
        timed = [one.timings[name] for one in summary.arms if name in one.timings]
        if not timed or metric_of(plan, name).source != "timing":
            continue
        rounds = sorted({timing.rounds for timing in timed})
        number = f"{rounds[0]}" if len(rounds) == 1 else f"{rounds[0]} to {rounds[-1]}"
        devices = sorted({timing.device for timing in timed if timing.device})
        where = f" on {' and '.join(devices)}" if devices else ""
        if metric_of(plan, name).beside:
            yield (
                f"{metric_of(plan, name).label}: median (least{DASH}greatest) of {number} "
                f"trial{'' if rounds == [1] else 's'}, timed while others may have trained beside "
                "them: no difference is tested."
            )
            continue
        how = "" if brief else f", each arm alone and all in turns{where}"
        yield (
            f"{metric_of(plan, name).label}: median (slowest{DASH}fastest) of {number} "
            f"round{'' if rounds == [1] else 's'}{how}."
        )
        if len({timing.batch for timing in timed}) > 1:
            yield (
                f"The {metric_of(plan, name).label.lower()} timings come from different timing "
                "stages: differences between arms may be differences between stages."
            )
    trials, unlike = summary.origin.traits, list[str]()
    for trait, values in summary.timed.traits.items():
        if short(trait) not in BYSTANDERS and not set(values) <= set(trials.get(trait, values)):
            unlike.append(f"{short(trait)} {' and '.join(values)}")
    if unlike:
        yield f"Not as the trials were, timings were made with {', '.join(unlike)}."
