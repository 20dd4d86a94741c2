"""Views: how MLflow's UI shows a study's runs when it is opened on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from cbablate.analysis.summary import metric_of
from cbablate.mirrors.mlflow_spelling import key_of
from cbablate.planning.plan import Plan

__all__ = ["views"]


def views(plan: Plan) -> dict[str, str]:
    """Tags of an experiment by which MLflow's UI opens as this study is best read.

    `nested` shows the study with its trials beneath; `trials` lists every trial, arm by arm;
    `arms` groups complete trials by arm, with means; `summaries` has a row for each arm, with
    intervals and differences. Opened by `?viewStateShareKey=trials`.
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
        "orderByKey": "tags.`cbablate.arm`",
        "orderByAsc": True,
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
        "orderByKey": "tags.`cbablate.row`",
    }
    named = {"nested": nested, "trials": trials, "arms": arms, "summaries": summaries}
    return {f"mlflow.sharedViewState.{name}": json.dumps(view) for name, view in named.items()}


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
