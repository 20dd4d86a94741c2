"""`EXECUTORS`: where trials can run, by the word that a person says."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from cbablate.errors import CbablateError, UsageError, in_a_line, machine_fault
from cbablate.running.executors.port import Executor
from cbablate.spec.needs import Needs

__all__ = ["EXECUTORS", "executor_on"]

EXECUTORS: Mapping[str, str] = MappingProxyType(
    {
        "ray": "cbablate.running.executors.ray_executor:RayExecutor",
        "local": "cbablate.running.executors.local_executor:LocalExecutor",
    }
)
"""`module:Class` of each. A class is called with `needs`, `slots` and `address`, None where nothing
was said; a stranger's is named as it stands here."""

_PARTS = ("execute", "call", "needs_of", "slots", "name", "__enter__", "__exit__")
_CLASS = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")


def executor_on(
    where: str, *, needs: Needs | None, slots: int | None, address: str | None
) -> Executor:
    """The executor of this name, or of a class of one's own, not entered yet.

    Raises:
        UsageError: there is none, it cannot be imported, or it has no use for a word.
        EnvironmentFault: a library that it needs is not there.
    """
    name = EXECUTORS.get(where, where)
    if not _CLASS.match(name):
        words = " or ".join(f"'{word}'" for word in EXECUTORS)
        raise UsageError(
            f"trials run on {words}, not on '{where}'; an executor of your own is named as "
            "module:Class"
        )
    module, _, kind = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), kind)
        made = found(needs=needs, slots=slots, address=address)
    except CbablateError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and (fault := machine_fault(error)):
            raise fault from error
        raise UsageError(
            f"the executor '{where}' cannot be made: {type(error).__name__}: {in_a_line(error)} "
            "(modules are looked for where Python looks: PYTHONPATH and what is installed)"
        ) from error
    lacking = [part for part in _PARTS if not hasattr(made, part)]
    if lacking:
        raise UsageError(f"'{where}' is not an executor: it has no '{lacking[0]}'")
    return cast("Executor", made)
