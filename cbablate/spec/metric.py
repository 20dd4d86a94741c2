"""`Metric` and `Objective`: what is measured, how it is written, and what decides."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from cbablate.spec.split import Split, split_of, twins

__all__ = ["DeclaredMetric", "Direction", "Metric", "Objective", "described", "split_in"]

Direction = Literal["maximize", "minimize"]
_BETTER: Mapping[str | None, Direction] = {"higher": "maximize", "lower": "minimize"}
_SHORT: Mapping[Split | None, str] = {"val": "val.", "test": "test"}


@dataclass(frozen=True)
class Metric:
    """A named quantity: how it is labelled, in which unit, with how many decimals.

    `decimals` is None where the numbers themselves decide, `direction` where neither more nor less
    is better (attention entropy, say) or nobody has said which.
    `source` tells where its values come from: `trial`, each trial's last measurement;
    `timing`, the separate stage that times each arm alone, or where `beside` is set the trials
    themselves, beside whatever else ran there. A timing is no property of a seed.
    A vector of this name has its values along `axis`, at the places `at`; 0, 1, ... where none are
    given. Where it is `layered`, its mean is the number that stands for it.
    A value is recorded as it was reported; `scale` times it is the value in `unit`.
    """

    name: str
    label: str
    unit: str = ""
    decimals: int | None = 3
    direction: Direction | None = None
    source: Literal["trial", "timing"] = "trial"
    axis: str = "Layer"
    at: tuple[float, ...] = ()
    scale: float = 1.0
    split: Split | None = None
    layered: bool = False
    beside: bool = False


def _visible(label: str) -> str:
    if not any(unicodedata.category(sign)[0] not in "CZM" for sign in label):
        raise ValueError("a label that nobody can see: write one, or leave the key out")
    return label


_VISIBLE = {"type": "string", "minLength": 1}


class DeclaredMetric(BaseModel):
    """What a study or a workload file says of one metric."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", title="Metric")

    label: Annotated[str, AfterValidator(_visible), WithJsonSchema(_VISIBLE)] | None = Field(
        default=None, description="Its name in tables.", examples=["Accuracy"]
    )
    unit: str = Field(default="", description="Its unit, as printed.", examples=["%"])
    scale: float = Field(
        default=1.0,
        gt=0,
        allow_inf_nan=False,
        examples=[100],
        description="What a recorded value is multiplied with to be printed in that unit.",
    )
    digits: int | None = Field(
        default=None, ge=0, le=12, description="Decimals that are printed.", examples=[1]
    )
    better: Literal["higher", "lower"] | None = Field(
        default=None, description="Which direction is better; null where neither is."
    )
    split: Split | None = Field(
        default=None,
        examples=["test"],
        description="The split it is measured on. Decisions are never made on `test`.",
    )
    per: Literal["layer"] | None = Field(
        default=None, description="`layer` where it is a vector with a value for each layer."
    )
    timing: bool = Field(
        default=False, description="Whether it is a time or a rate, which neighbours disturb."
    )


class Objective(BaseModel):
    """What decisions are made on, and its direction."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    metric: str = Field(description="The metric's name; one of the validation split.")
    direction: Direction = Field(
        description="Which values are better: `maximize` for greater ones, `minimize` for smaller "
        "ones."
    )

    def score(self, value: float) -> float:
        """The value with its sign turned so that greater is better."""
        return value if self.direction == "maximize" else -value


def described(
    known: Mapping[str, Metric],
    *said: Mapping[str, DeclaredMetric],
    objectives: Iterable[Objective] = (),
    names: Iterable[str] = (),
) -> dict[str, Metric]:
    """What is known of metrics: of a workload's, of those that files speak of, of those asked for.

    Later words of `said` go before earlier ones, key by key, and these before what is `known`. An
    objective's direction is its metric's, unless a file says better. A metric takes what is not
    said of it from its twin on the other split (`test/acc` and `val/acc`). One of the `names` of
    which nothing is said anywhere is left out.
    """
    asked, fields = [*names], dict[str, dict[str, Any]]()
    for mapping in said:
        for name, one in mapping.items():
            fields.setdefault(name, {}).update(one.model_dump(exclude_unset=True))
    for objective in objectives:
        before = known.get(objective.metric)
        if before is None or before.direction is None:
            better = "higher" if objective.direction == "maximize" else "lower"
            fields.setdefault(objective.metric, {}).setdefault("better", better)
    found = dict(known)
    for name in dict.fromkeys([*fields, *asked]):
        own = fields.get(name, {})
        twin = next((one for one in fields if twins(one, name)), "") if name not in known else ""
        lent = {key: value for key, value in fields.get(twin, {}).items() if key != "split"}
        if not own and not lent:
            continue
        both = {name, twin} <= {*asked}
        if both and lent.get("label") and "label" not in own:
            lent["label"] += f" ({_SHORT[split_of(name)]})"
        start = found.get(name) or Metric(name, label=name, decimals=None)
        found[name] = _revised(start, {**lent, **own})
    return found


def split_in(metrics: Mapping[str, Metric], name: str) -> Split | None:
    """The split that a metric is measured on: as declared, or else by its name."""
    declared = metrics[name].split if name in metrics else None
    return declared or split_of(name)


def _revised(metric: Metric, said: Mapping[str, Any]) -> Metric:
    """A metric as somebody's words have it; of what these leave out, as before."""
    revised = replace(
        metric,
        label=" ".join((said.get("label") or metric.label).split()),
        unit=" ".join(said.get("unit", metric.unit).split()),
        decimals=said.get("digits", metric.decimals),
        scale=said.get("scale", metric.scale),
        split=said.get("split", metric.split),
    )
    if "better" in said:
        revised = replace(revised, direction=_BETTER.get(said["better"]))
    if "per" in said:
        revised = replace(revised, layered=said["per"] == "layer")
    if said.get("timing"):
        revised = replace(revised, source="timing", beside=True)
    return revised
