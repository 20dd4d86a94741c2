"""Captions: what a table's caption states after the question, each thing in a sentence.

How many replicates, interval and test with its correction, split, tuning, margin, hardware and
commit: what a reader must know who sees the table alone. All of it comes from the records.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.analysis.outcome import Tuned
from cbablate.analysis.summary import Summary, metric_of
from cbablate.planning.plan import Plan
from cbablate.reporting.model.scale import difference_scale
from cbablate.reporting.sentences.brief import short_legend, short_tuning
from cbablate.reporting.sentences.claim import difference_unit, margin_words
from cbablate.reporting.sentences.note import legend
from cbablate.reporting.sentences.tuning_note import given, luck
from cbablate.spec.metric import split_in

__all__ = ["BEST", "commits", "machines", "splits", "stated", "statement"]

_SPLITS = {"test": "test", "val": "validation", "train": "training"}
_BOLD = (
    "Bold: the best, and all that are not distinguishable from it (in pairs by seed, corrected for "
    "all pairs of arms)."
)
BEST = "Bold: the best, and what is not distinguishable from it."
"""What bold faces mean, in brief."""
_MOST = 3
"""How many machines or commits are named; beyond them, the count is given."""


def statement(
    plan: Plan, summary: Summary, tuned: Tuned | None = None, *, bold: bool = False
) -> tuple[str, ...]:
    """The sentences after the first; none before anything is complete.

    `bold` says that some arms are set in bold.
    """
    if not any(one.counts.complete for one in summary.arms):
        return ()
    if plan.study.typesetting.caption_detail == "short":
        means = tuple(short_legend(plan, summary))[:1]
        return (*means, *([BEST] if bold else []), *short_tuning(tuned))
    return (
        *_replicates(plan, summary),
        *legend(plan, summary),
        *([_BOLD] if bold else []),
        *splits(plan, summary),
        *_tuning(tuned),
        *_margin(plan, summary),
        *_made(summary),
    )


def stated(plan: Plan, summary: Summary, tuned: Tuned | None = None) -> tuple[str, ...]:
    """The notes that say what the statement says, word for word."""
    said = statement(plan, summary, tuned)
    if plan.study.typesetting.caption_detail == "full" and said:
        said = (*said, *short_legend(plan, summary), *short_tuning(tuned))
    short = (*short_legend(plan, summary), *short_tuning(tuned))
    return tuple(one for one in (*legend(plan, summary), *_tuning(tuned), *short) if one in said)


def _replicates(plan: Plan, summary: Summary) -> Iterator[str]:
    """How many values are behind a mean."""
    planned = plan.study.most_replicates
    name = summary.primary
    counts = {one.estimates[name].n if name else one.counts.complete for one in summary.arms}
    least, most = min(counts), max(counts)
    of = "" if least == planned else f" of {planned}"
    many = f"{most}" if least == most else f"{least} to {most}"
    over = f" over {plan.searches} searches" if plan.searches > 1 else ""
    if plan.study.sequential is not None:
        yield (
            f"Means over n = {many} replicates (seeds) of each arm, of the "
            f"{plan.study.replicates} that are added until it is decided."
        )
    elif planned == 1:
        yield "One replicate (seed) of each arm."
    else:
        yield f"Means over n = {many}{of} replicates (seeds){over} of each arm."


def splits(plan: Plan, summary: Summary) -> Iterator[str]:
    """Which split the numbers are of, and what decisions were made on."""
    by_split: dict[str, list[str]] = {}
    for name in dict.fromkeys(plan.study.report):
        split = _SPLITS.get(split_in(plan.description.metrics, name) or "")
        if split and name in summary.metrics:
            by_split.setdefault(split, []).append(metric_of(plan, name).label)
    told = [f"{', '.join(labels)} on the {split} split" for split, labels in by_split.items()]
    if not told:
        return
    decided = plan.study.objective.metric
    where = _SPLITS.get(split_in(plan.description.metrics, decided) or "")
    on = f" ({where} split)" if where else ""
    if decided == summary.primary and not plan.study.decides:
        yield f"{'; '.join(told)}."
    else:
        name = metric_of(plan, decided).label if plan.description.own else decided
        yield f"{'; '.join(told)}; decisions were made on {name}{on}."


def _tuning(tuned: Tuned | None) -> Iterator[str]:
    if tuned is not None:
        yield given(tuned)
        yield luck(tuned)


def _margin(plan: Plan, summary: Summary) -> Iterator[str]:
    name = summary.primary
    if plan.study.margin is None or not name:
        return
    scale = difference_scale(plan, summary, name)
    words = margin_words(plan, scale, difference_unit(plan, scale, name))
    yield f"Margin of equivalence: {words}."


def _made(summary: Summary) -> Iterator[str]:
    """On which hardware, from which source."""
    used, known = machines(summary), commits(summary)
    word = f"commit{'s' if len(known) > 1 else ''}"
    parts = [f"trained on {_few(used)}"] if used else []
    parts += [f"{word} {_few(known)}"] if known else []
    if parts:
        made = ", ".join(parts)
        yield f"{made[:1].upper()}{made[1:]}."


def machines(summary: Summary) -> list[str]:
    """The accelerators that trials ran on, and the processors of those that ran on none.

    A workload's own word on its device comes first: a machine may have GPUs that it does not use.
    """
    traits = summary.origin.traits
    devices = traits.get("numerics.device", ())
    accelerators = [one for one in devices if one != "cpu"] + [""] * ("cpu" in devices)
    accelerators = accelerators or list(traits.get("host.gpus", ()))
    found = [one for one in accelerators if one]
    if not accelerators or "" in accelerators:
        found += traits.get("host.processor", ())
    return found


def commits(summary: Summary) -> tuple[str, ...]:
    """The commits that trials were made with."""
    return summary.origin.traits.get("commit", ())


def _few(words: Sequence[str]) -> str:
    more = len(words) - _MOST
    return " and ".join(words[:_MOST]) + (f" and {more} more" if more > 0 else "")
