"""What a command's words leave out, or say in a way that its program may not take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cbablate.phrases import listed
from cbablate.planning.plan import Plan
from cbablate.spec.command_words import (
    keys_in,
    leaves,
    options,
    spelled,
    takes_all,
    unowned,
)
from cbablate.spec.loading.changes import flatten, nested
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.study import Study

__all__ = ["command_lines", "unseen_lines"]

_VARIABLES = {"seed": "CBABLATE_SEED", "budget": "CBABLATE_BUDGET"}


def command_lines(study: Study) -> tuple[str, ...]:
    """What is to be said of a study's command: what its words leave out, or say in a doubtful way.

    None of it is an error: the program may read its environment, and take what it is given.
    """
    if not isinstance(study.workload, OwnWorkload) or study.workload.command is None:
        return ()
    words = study.workload.command
<<<<<<< HEAD
    said = (_unnamed(words, study), _doubtful_switches(words, study), _renamed(words, study))
    return tuple(filter(None, said))


def unseen_lines(plan: Plan) -> tuple[str, ...]:
    """What of a study's command no digest has, as far as its words and its arms tell."""
    said = (each for arm in plan.arms for each in plan.description.unseen(arm.config))
    return tuple(dict.fromkeys(said))
=======
    said = (
        _unnamed(words, study),
        _unread(study.workload, words),
        _doubtful_switches(words, study),
        _renamed(words, study),
    )
    unseen = (each for arm in plan.arms for each in plan.description.unseen(arm.config))
    return (*filter(None, said), *dict.fromkeys(unseen))
>>>>>>> main


def _unnamed(words: Sequence[str], study: Study) -> str:
    """That no word names the seed, the budget or a key that varies."""
    named = {key for word in words for key in keys_in(word)}
    everything = any(map(takes_all, words))
    missing = {f"{{{name}}}": _VARIABLES[name] for name in _VARIABLES if name not in named}
    for key in dict(_varied(study)):
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


def _unread(said: OwnWorkload, words: Sequence[str]) -> str:
    """That no word says where the file is to be written that is read."""
    named = any("workdir" in keys_in(word) for word in words)
    if said.reads is None or not said.reads.path or named or said.runs_in == "trial":
        return ""
    return (
        f"`reads` looks for {said.reads.path} in {{workdir}}, its trial's folder, and nothing in "
        "the command names {workdir}: the program must take it from CBABLATE_WORKDIR, or numbers "
        "that it writes elsewhere are not found."
    )


def _doubtful_switches(words: Sequence[str], study: Study) -> str:
    """That `{--*}` writes a value to what may be a switch."""
    if "{--*}" not in words:
        return ""
    written = dict[str, bool]()
    for key, value in unowned(words, (*leaves(study.baseline), *_varied(study))):
        if isinstance(value, bool):
            written.setdefault(key, value)
    if not written:
        return ""
    examples = listed([f"--{key}={spelled(value)}" for key, value in written.items()])
    switches = listed([f'"{{--{key}}}"' for key in written])
    return f"{{--*}} writes {examples}. For a switch, which takes no value, write {switches} too."


def _renamed(words: Sequence[str], study: Study) -> str:
    """That `{--*}` leaves out a key that is the value of an option of another name."""
    given = {
        key: option
        for key, option in options(words)
        if option and _plain(option) not in (_plain(key), _plain(key.rpartition(".")[2]))
    }
    alls = [word for word in words if takes_all(word)]
    left = {key: given[key] for key, _ in leaves(study.baseline) if key in given}
    if not alls or not left:
        return ""
    whose = listed([f"{key} ({option})" for key, option in left.items()])
    return f"{alls[0]} leaves out what has an option of another name: {whose}."


def _plain(name: str) -> str:
    return name.lstrip("-+").replace("-", "_")


def _varied(study: Study) -> Iterator[tuple[str, object]]:
    """The dotted keys that a level changes or a sweep searches, each with its values."""
    for factor in study.factors:
        for level in factor.levels:
            yield from flatten(nested(level.changes or {}))
    if study.tune is not None:
        for key, parameter in study.tune.space.items():
            yield from ((key, one) for one in parameter.choices or (None,))
