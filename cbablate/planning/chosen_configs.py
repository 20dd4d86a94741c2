"""The configs that choices of a sweep may make of an arm's, as far as files can hang on them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from cbablate.planning.arm import Arm
from cbablate.spec.command_words import keys_in
from cbablate.spec.description import Description
from cbablate.spec.loading.changes import apply
from cbablate.spec.sweep import Sweep

__all__ = ["chosen_configs", "chosen_data"]


def chosen_configs(
    arm: Arm, sweep: Sweep | None, description: Description
) -> Iterator[Mapping[str, Any]]:
    """The arm's config, then it with each choice of a sweep, alone and with those that stand in one
    word of the command with it: what together names all files that a trial may be given.
    """
    yield arm.config
    if sweep is None or description.program is None:
        return
    choices = {key: one.choices for key, one in sweep.space.items() if one.choices}
    words = description.program.words
    together = (tuple(key for key in keys_in(word) if key in choices) for word in words)
    for keys in dict.fromkeys([*together, *((key,) for key in choices)]):
        for values in itertools.product(*(choices[key] for key in keys)):
            yield apply(arm.config, dict(zip(keys, values, strict=True)))


def chosen_data(arm: Arm, sweep: Sweep, description: Description) -> list[str]:
    """What the files go by that only a sweep's choices give to an arm; nothing where none does."""
    own = description.data(arm.config)
    found = {description.data(each) for each in chosen_configs(arm, sweep, description)}
    return sorted(found - {own})
