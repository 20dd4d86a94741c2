"""`Parameters`: what a study varies, as parameters of Optuna."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cbablate.fingerprint import canonical, fingerprint
from cbablate.planning.arm import Arm
from cbablate.planning.plan import Plan
from cbablate.spec.loading.changes import flatten

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


__all__ = ["Parameters"]


@dataclass(frozen=True)
class Parameters:
    """What a study varies, as Optuna's parameters: factors by level, then leaves of the config that
    no factor changes, so that each thing that varies is there once."""

    distributions: Mapping[str, BaseDistribution]
    leaves: Mapping[str, str]
    """The parameter's name by the config's dotted key."""

    @classmethod
    def of(cls, plan: Plan) -> Parameters:
        """The parameters of a plan's study."""
        from optuna.distributions import CategoricalDistribution

        drawn: dict[str, BaseDistribution] = {
            factor.name: CategoricalDistribution([level.name for level in factor.levels])
            for factor in plan.study.factors
        }
        leaves: dict[str, str] = {}
        changed = {
            key
            for factor in plan.study.factors
            for level in factor.levels
            for key, _ in flatten(level.changes)
        }
        searched = plan.study.tune.space if plan.study.tune is not None else {}
        for key, values in _values(plan.arms).items():
            if key in changed and key not in searched:
                continue  # the factor says it, by its level
            tuned = key.split(".")[0] in plan.description.recipe
            if tuned or _varies(values, len(plan.arms)):
                leaves[key] = f"config.{key}" if key in drawn else key
        return cls(
            distributions=drawn
            | {
                leaves[key]: _over(values)
                for key, values in _values(plan.arms).items()
                if key in leaves
            },
            leaves=leaves,
        )

    def values(self, arm: Arm) -> dict[str, Any]:
        """The parameters of an arm; a key that its config leaves out has none."""
        config = {k: v for k, v in flatten(arm.config) if k in self.leaves and _shown(v)}
        return {**arm.levels, **{self.leaves[key]: value for key, value in config.items()}}

    def layout(self, plan: Plan) -> str:
        """The address of what all trials of an Optuna study must agree on."""
        from optuna.distributions import distribution_to_json

        told = {name: distribution_to_json(d) for name, d in self.distributions.items()}
        return fingerprint([told, plan.study.objective.direction, plan.study.objective.metric])


def _shown(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _values(arms: Sequence[Arm]) -> dict[str, list[Any]]:
    """Every simple leaf of the configs with its values, one for each arm that has it."""
    values: dict[str, list[Any]] = {}
    for arm in arms:
        for key, value in flatten(arm.config):
            if _shown(value):
                values.setdefault(key, []).append(value)
    return values


def _varies(values: Sequence[Any], arms: int) -> bool:
    return len(values) < arms or len({canonical(value) for value in values}) > 1


def _over(values: Sequence[Any]) -> BaseDistribution:
    """The narrowest distribution that holds these values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):
        return CategoricalDistribution(sorted(set(values), key=canonical))
    whole = [value for value in numbers if isinstance(value, int)]
    if len(whole) == len(numbers):
        return IntDistribution(min(whole), max(whole))
    low, high = min(numbers), max(numbers)
    return FloatDistribution(low, high, log=0 < low < high / 10)
