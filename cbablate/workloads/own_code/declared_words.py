"""What `@cbablate.workload` says in a function's source, joined with what a file says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cbablate.spec.code import Module
from cbablate.spec.fault import dotted
from cbablate.spec.loading.validation import Wording, complaints, problems
from cbablate.spec.outline import Outline
from cbablate.spec.own_workload import OwnWorkload
from cbablate.workloads.own_code.decorator import declared_in
from cbablate.workloads.own_code.syntax_digest import parsed

__all__ = ["with_source"]


def with_source(
    said: OwnWorkload, module: Module | None, function: str, folder: Path
) -> tuple[OwnWorkload, Path]:
    """The workload with the words of its source where its file has none, and where its data start
    from: the folder of the file that says them.

    Raises:
        LookupError: the source says what cannot be meant.
    """
    tree = parsed(module.text) if module is not None and module.text is not None else None
    words = {} if tree is None else declared_in(tree, function)
    if not words or module is None:
        return said, folder
    file = Path(module.path)
    if isinstance(words, str):
        raise LookupError(f"{file.name}, {words}")  # noqa: TRY004 - the text is a fault of the file
    declared = _read(words, said.function or "", file.name)
    kept = {name: getattr(said, name) for name in said.model_fields_set}
    return declared.model_copy(update=kept), folder if "data" in kept else file.parent


def _read(words: dict[str, Any], function: str, file: str) -> OwnWorkload:
    """The words by the rules of a workload file.

    Raises:
        LookupError: they break one; all that do are told.
    """
    written: Any = {"function": function, **words}
    try:
        return OwnWorkload.model_validate_json(json.dumps(written))
    except ValidationError as error:
        wording = Wording(Outline(OwnWorkload.model_json_schema()))
        faults = complaints(problems(error, json.loads(json.dumps(written))), wording)
        told = "; ".join(f"{dotted(fault.path)}: {fault.sentence}" for fault in faults)
    except (TypeError, ValueError) as error:  # a set, bytes or a number that is not finite
        told = str(error)
    raise LookupError(f"{file}, @workload of '{function.rpartition(':')[2]}': {told}")
