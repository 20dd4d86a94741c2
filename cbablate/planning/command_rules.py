"""What the words of a command leave out, which its program must then find out by itself."""

from __future__ import annotations

from collections.abc import Iterator

from cbablate.phrases import listed
from cbablate.planning.plan import Plan
from cbablate.spec.command_words import keys_in, takes_all
from cbablate.spec.loading.changes import flatten, nested
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.study import Study

__all__ = ["unnamed_words", "unseen_words"]

_VARIABLES = {"seed": "CBABLATE_SEED", "budget": "CBABLATE_BUDGET"}


def unnamed_words(study: Study) -> str:
    """That no word of a study's command names the seed, the budget or a key that varies; "" else.

    It is no error: the program may read them from its environment.
    """
    if not isinstance(study.workload, OwnWorkload) or study.workload.command is None:
        return ""
    words = study.workload.command
    named = {key for word in words for key in keys_in(word)}
    everything = any(map(takes_all, words))
    missing = {f"{{{name}}}": _VARIABLES[name] for name in _VARIABLES if name not in named}
    for key in dict.fromkeys(_varied(study)):
        parents = (key[:end] for end in range(1, len(key)) if key[end] == ".")
        if not everything and key not in named and named.isdisjoint(parents):
            missing[f"{{{key}}}"] = "CBABLATE_CONFIG"
    if not missing:
        return ""
    return (
        f"Nothing in the command names {listed([*missing], 'or')}: the program must take "
        f"{'it' if len(missing) == 1 else 'them'} from {listed([*dict.fromkeys(missing.values())])}"
        ", or trials that differ in nothing else are alike."
    )


def unseen_words(plan: Plan) -> str:
    """What of a study's command no digest has, as far as its words tell; "" if nothing."""
    said = (sentence for arm in plan.arms for sentence in plan.description.unseen(arm.config))
    return " ".join(dict.fromkeys(said))


def _varied(study: Study) -> Iterator[str]:
    """The dotted keys that a level changes or a sweep searches."""
    for factor in study.factors:
        for level in factor.levels:
            yield from (key for key, _ in flatten(nested(level.changes or {})))
    if study.tune is not None:
        yield from study.tune.space
