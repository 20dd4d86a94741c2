"""Views: how MLflow's UI shows a study's runs when it is opened on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cbablate.analysis.summary import metric_of
from cbablate.mirrors.mlflow_spelling import key_of
from cbablate.planning.plan import Plan

__all__ = ["views"]


_LINE = {
    "scaleType": "linear",
    "xAxisKey": "step",
    "xAxisScaleType": "linear",
    "lineSmoothness": 0,
    "useGlobalXaxisKey": True,
    "useGlobalLineSmoothing": True,
    "yAxisKey": "metric",
    "yAxisExpressions": [],
    "selectedXAxisMetricKey": "",
}


def views(plan: Plan) -> dict[str, str]:
    """Tags of an experiment by which MLflow's UI opens as this study is best read.

    `nested` shows the study with its trials beneath; `trials` lists every trial, arm by arm in the
    table's order; `arms` groups complete trials by arm, with means, and `curves` is its charts, the
    objective over the budget first; `summaries` has a row for each arm, with intervals and
    differences. Opened by `?viewStateShareKey=trials`.
    """
    shown = dict.fromkeys((plan.study.objective.metric, *plan.study.report))
    factors = [key_of(f"factor.{factor.name}") for factor in plan.study.factors]
    columns = [f"metrics.`{key_of(name)}`" for name in shown]
    columns += [f"tags.`{key}`" for key in (*factors, "cbablate.replicate", "cbablate.state")]
    nested = {
        "selectedColumns": columns,
        "searchFilter": "",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
    }
    trials = {
        "selectedColumns": columns,
        "searchFilter": "tags.`cbablate.role` = 'trial'",
        "orderByKey": "tags.`cbablate.row`",
        "orderByAsc": True,
        "runsHiddenMode": "SHOWALL",
        **_charts(
            [(key_of(plan.study.objective.metric), "LINE")],
            [(key_of(name), "BAR") for name in plan.study.report],
        ),
    }
    arms = trials | {
        "searchFilter": f"{trials['searchFilter']} and tags.`cbablate.state` = 'complete'",
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "tag", "groupByData": "cbablate.arm"}],
        },
    }
    reported = dict.fromkeys((*plan.study.report, plan.study.objective.metric))
    summaries = trials | {
        "selectedColumns": [f"metrics.`{key}`" for key in _aggregates(plan, reported)]
        + [f"tags.`{key}`" for key in (*factors, "cbablate.hyperparameters", "cbablate.finding")],
        "searchFilter": "tags.`cbablate.role` = 'summary'",
        **_charts([], [(key, "BAR") for key in _aggregates(plan, reported)]),
    }
    named = {"nested": nested, "trials": trials, "arms": arms, "summaries": summaries}
    named["curves"] = arms
    return {f"mlflow.sharedViewState.{name}": json.dumps(view) for name, view in named.items()}


def _charts(*sections: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Charts as MLflow's UI keeps them: metrics in this order, lines over the steps or bars."""
    titled = zip(("Over training", "At the end"), sections, strict=True)
    filled = [(title, charts) for title, charts in titled if charts]
    return {
        "isAccordionReordered": True,  # else sections stand by the alphabet
        "compareRunSections": [
            {"uuid": f"cbablate {title}", "name": title, "display": True, "isReordered": True}
            for title, _ in filled
        ],
        "compareRunCharts": [
            {
                "type": kind,
                "uuid": f"cbablate {title} {metric}",
                "metricSectionId": f"cbablate {title}",
                "metricKey": metric,
                "displayName": metric,
                "deleted": False,
                "isGenerated": False,
                **(_LINE | {"selectedMetricKeys": [metric]} if kind == "LINE" else {}),
            }
            for title, charts in filled
            for metric, kind in charts
        ],
    }


def _aggregates(plan: Plan, metrics: Iterable[str]) -> Iterator[str]:
    """The columns of a summary: of the primary metric what decides, of others means."""
    told = ["mean", "n", "difference", "difference_low", "difference_high"]
    for name in metrics:
        if metric_of(plan, name).source == "timing":
            yield key_of(f"{name}/median")
            continue
        for word in told:
            yield key_of(f"{name}/{word}")
        told = ["mean"]
