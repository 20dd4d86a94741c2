"""`pictures`: the figures that a study's records have numbers for, each with its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbablate.analysis.measures.alignment import has_grams
from cbablate.analysis.measures.attention_map import has_maps
from cbablate.analysis.measures.curve import Curve, curves
from cbablate.analysis.outcome import Outcome
from cbablate.analysis.summary import Summary, metric_of
from cbablate.analysis.trial_outcome import TrialOutcome
from cbablate.errors import CbablateError
from cbablate.phrases import listed
from cbablate.planning.plan import Plan
from cbablate.reporting.figures.alignment import alignment_figure
from cbablate.reporting.figures.figure import curve_figure
from cbablate.reporting.figures.forest import forest_figure
from cbablate.reporting.figures.interaction import interaction_figure
from cbablate.reporting.figures.layers import layer_figure, layers_figure
from cbablate.reporting.figures.map_figure import map_figure
from cbablate.reporting.figures.tuning_figure import TUNING_WORDS, tuning_figures, tuning_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["WORDS", "Picture", "pictures"]

WORDS = ("differences", "interaction", "curves", "layers", "alignment", "maps", *TUNING_WORDS)
"""Of all figures there may be, but for those of vectors, whose words are the metrics' names."""


@dataclass(frozen=True)
class Picture:
    """A figure with what it shows, in words: for those who do not see it, and for a caption."""

    word: str
    title: str
    words: str
    figure: Figure
    within: str = ""
    """The word of another picture that shows this one, too: a page has that one in its place."""


def pictures(found: Outcome, trials: Sequence[TrialOutcome]) -> Iterator[Picture]:
    """The figures that the records have numbers for; those of searches come last."""
    plan, summary = found.plan, found.summary
    yield from _compared(plan, summary)
    yield from _learned(plan, summary, trials)
    yield from _by_layer(plan, summary)
    yield from _of_networks(plan, summary)
    if found.tuned is not None:
        for word, figure in tuning_figures(found.tuned):
            yield Picture(word, *tuning_words(found.tuned, word), figure)


def _by_layer(plan: Plan, summary: Summary) -> Iterator[Picture]:
    """A figure for each vector; several by layer have one together, with one legend, besides.

    A network of one layer has no course over layers: the table says its value.
    """
    vectors = [
        v for v in summary.vectors if any(len(a.vectors.get(v, ())) > 1 for a in summary.arms)
    ]
    layered = [name for name in vectors if not metric_of(plan, name).at]
    together = len(layered) > 1 and plan.study.contrast is None
    if together:
        labels = listed([metric_of(plan, name).label for name in layered])
        yield Picture(
            "layers",
            "Values by layer",
            f"{labels} of each arm by layer, counted from 0: means with 95 % t-intervals as bands.",
            layers_figure(plan, summary, layered),
        )
    for vector in vectors:
        metric = metric_of(plan, vector)
        label, axis = metric.label, metric.axis[:1].lower() + metric.axis[1:]
        from_0 = "" if metric.at else ", counted from 0"
        yield Picture(
            vector,
            f"{label} by {axis}",
            f"Mean {label} of each arm by {axis}{from_0}, with 95 % t-intervals as bands.",
            layer_figure(plan, summary, vector),
            within="layers" if together and vector in layered else "",
        )


def _compared(plan: Plan, summary: Summary) -> Iterator[Picture]:
    primary = summary.primary
    if any(c.n for one in summary.arms for c in (one.contrasts.get(primary),) if c):
        label = metric_of(plan, primary).label
        yield Picture(
            "differences",
            f"Differences in {label}",
            f"Forest plot: each arm's difference in {label} from the arm it is compared with, and "
            "its 95 % interval; the numbers are those of the table.",
            forest_figure(plan, summary),
        )
    with suppress(CbablateError):  # a study that is not a factorial has none; nobody asked for it
        yield Picture(
            "interaction",
            "How factors act together",
            f"Mean {metric_of(plan, primary).label} at each level of one factor, a line for each "
            "level of the other, with 95 % t-intervals; lines that are not parallel are an "
            "interaction.",
            interaction_figure(plan, summary),
        )


def _learned(plan: Plan, summary: Summary, trials: Sequence[TrialOutcome]) -> Iterator[Picture]:
    asked = [name for name in (plan.study.objective.metric, summary.primary) if name]
    every = ((name, curves(trials, name)) for name in asked)
    name, found = next((one for one in every if _bent(one[1])), ("", {}))
    if found:
        label = metric_of(plan, name).label
        yield Picture(
            "curves",
            f"{label} over training",
            f"Learning curves: mean {label} of each arm's completed trials over "
            f"{plan.study.budget.unit}, with 95 % t-intervals as bands; an inset, where there is "
            "one, shows their end.",
            curve_figure(plan, summary, found, name),
        )


def _of_networks(plan: Plan, summary: Summary) -> Iterator[Picture]:
    """The figures that are made from what trials left of their networks."""
    if has_grams(summary):
        with suppress(CbablateError):  # no two trials pair yet; nobody asked for it
            yield Picture(
                "alignment",
                "Layers set against the reference's",
                "Linear centred kernel alignment of each arm's layers with those of the arm it is "
                "compared with at the same seed, and of that arm with itself at another seed; 1 "
                "is the same up to rotation and scale, 0 nothing in common.",
                alignment_figure(plan, summary),
            )
    if has_maps(summary):
        yield Picture(
            "maps",
            "Where attention looks",
            "Maps of attention on a few held-out images, a row for each arm, all of one "
            "replicate: of the first layer on the left, of the last on the right. The class "
            "token's attention to each patch, the mean over heads, or where there is none the mean "
            "over all patches', as a multiple of uniform attention.",
            map_figure(plan, summary),
        )


def _bent(found: Mapping[str, Curve]) -> bool:
    """Whether any curve has more than its end."""
    return any(len(curve) > 1 for curve in found.values())
