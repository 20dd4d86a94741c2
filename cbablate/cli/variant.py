"""Studies as the command line names them: files, and what is to be changed of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cbablate.cli.words import tell
from cbablate.errors import UsageError
from cbablate.spec.loading.overrides import is_override

if TYPE_CHECKING:
    from cbablate.planning.plan import Plan

__all__ = ["after_overrides", "planned_study", "told_apart"]


def planned_study(study: Path, overrides: Sequence[str] | None = None) -> Plan:
    """The plan of a study, or of the variant that overrides make of it, which is said on stderr.

    Raises:
        StudyError: the file, or what an override says of it, cannot be meant.
        UsageError: a word is no override.
    """
    from cbablate import api

    planned = api.plan(api.load_study(study, overrides or ()))
    if overrides:
        tell(f"{planned.study.name} is {study} with {' '.join(overrides)}")
    return planned


def told_apart(words: Iterable[str]) -> tuple[list[Path], list[str]]:
    """The studies of these words, and the overrides that hold for all of them.

    Raises:
        UsageError: a study stands behind an override, or there is none.
    """
    studies, overrides = list[Path](), list[str]()
    for word in words:
        if is_override(word) and not Path(word).exists():
            overrides.append(word)
        elif overrides:
            raise UsageError(
                f"{word} stands behind {overrides[-1]}: name all studies first, then what is to "
                "be changed of every one"
            )
        else:
            studies.append(Path(word))
    if not studies:
        raise UsageError(f"{' '.join(overrides)} needs a study before it: STUDY KEY=VALUE")
    return studies, overrides


def after_overrides(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words that begin with overrides: these, and the others.

    Only what begins with a key of a study is an override here: an arm may be called `lr=0.1`.
    """
    from cbablate.spec.loading.schema import OWN_KEYS
    from cbablate.spec.study import Study

    keys = set(Study.model_fields) - set(OWN_KEYS)
    count = 0
    while count < len(words) and is_override(words[count]):
        if words[count].partition("=")[0].partition(".")[0] not in keys:
            break
        count += 1
    return list(words[:count]), list(words[count:])
