"""Which workloads there are, and how one is described without importing it."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cbablate.spec.code import Module
from cbablate.spec.description import Description
from cbablate.workloads import toy
from cbablate.workloads.images import image_config, image_metrics
from cbablate.workloads.own_code.declaration import binds, misdeclared
from cbablate.workloads.own_code.former_digest import former_digest, former_files
from cbablate.workloads.own_code.libraries import libraries_of
from cbablate.workloads.own_code.source import code_of
from cbablate.workloads.own_code.syntax_digest import parsed

__all__ = ["SHIPPED", "describe"]

_LONGEST = 200
_USUAL_RECIPE = ("optimizer", "schedule", "batch_size", "lr", "weight_decay")
"""Where the configs of a user's own, which say nothing of it, mostly keep what one would tune."""
_ENTRY = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")


def _toy() -> Description:
    return Description(
        name="toy",
        version=toy.VERSION,
        run="cbablate.workloads.toy:run",
        resolve=toy.resolve,
        data=lambda _config: "",
        metrics=toy.METRICS,
        closed=True,
        schema=toy.ToyConfig.model_json_schema(),
        libraries=frozenset,
        throughput="cbablate.workloads.toy:throughput",
        cost="cbablate.workloads.toy:cost",
    )


def _image_classification() -> Description:
    module = "cbablate.workloads.images.image_classification"
    return Description(
        name="image_classification",
        version=image_metrics.VERSION,
        run=f"{module}:run",
        resolve=image_config.resolve,
        data=image_config.data_fingerprint,
        metrics=image_metrics.METRICS,
        closed=True,
        unmeasured=image_metrics.unmeasured,
        schema=image_config.ImageConfig.model_json_schema(),
        verify=f"{module}:verify",
        observe=f"{module}:observe",
        libraries=lambda: frozenset({"torch", "timm", "numpy"}),
        identity=image_config.identity,
        throughput=f"{module}:throughput",
        cost="cbablate.workloads.images.image_cost:cost",
        shape=image_config.shape,
        open_ended=image_config.open_ended,
        mechanism=image_config.MECHANISM,
        shared=image_config.SHARED,
        recipe=image_config.RECIPE,
    )


SHIPPED: Mapping[str, Callable[[], Description]] = MappingProxyType(
    {"image_classification": _image_classification, "toy": _toy}
)


def describe(name: str, folder: Path) -> Description:
    """The description of a shipped workload by name, or of a user's own as `module:function`.

    A user's module is looked for in `folder`, the study's own, then where Python looks. It is not
    imported; its source, and that of everything of the user's that it imports, is read for a
    digest, which is its version: edited code is other code, and its trials are trained anew.

    Raises:
        LookupError: there is no such workload; the message says which there are, or why what is
            there cannot be one.
    """
    if name in SHIPPED:
        return SHIPPED[name]()
    module, function = _module_and_function(name)
    code = code_of(module, folder)
    if code is None:
        raise LookupError(
            f"module '{module}' is neither a file beside the study "
            f"({folder.resolve() / module.replace('.', '/')}.py) nor installed"
        )
    own = next((one for one in code.modules if one.name == module), None)
    former: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    if own is not None:
        _refuse_misdeclared(own, function, folder)
        former = (former_digest(Path(own.path), folder),)
        seen = set(map(str, former_files(Path(own.path), folder)))
        gaps = tuple(one.path for one in code.modules if one.path and one.path not in seen)
    return Description(
        name=name,
        version=code.digest,
        run=name,
        resolve=_as_written,
        data=lambda _config: "",
        code=code,
        former_versions=former,
        former_gaps=gaps,
        libraries=lambda: libraries_of(code),
        recipe=_USUAL_RECIPE,
    )


def _module_and_function(name: str) -> tuple[str, str]:
    if ":" not in name:
        raise LookupError(
            f"there is no workload '{name}'; there are {', '.join(sorted(SHIPPED))}, and your own "
            "as module:function"
        )
    if not _ENTRY.match(name) or len(name) > _LONGEST:
        raise LookupError(
            f"'{name}' is not of the form module:function (letters, digits, _ and dots; at most "
            f"{_LONGEST} characters)"
        )
    module, _, function = name.partition(":")
    if module.partition(".")[0] in sys.stdlib_module_names | {"__main__"}:
        raise LookupError(f"module '{module}' is part of Python and holds no workload")
    return module, function


def _refuse_misdeclared(module: Module, function: str, folder: Path) -> None:
    """Refuse what the source of a workload's module shows to be no workload."""
    tree = parsed(module.text) if module.text is not None else None
    if tree is None:
        return  # a fault of syntax is told, with its place, when the module is imported
    path, home = Path(module.path), folder.resolve()
    shown = path.relative_to(home) if path.is_relative_to(home) else path
    if not binds(tree, function):
        raise LookupError(f"{shown} defines no '{function}'")
    why = misdeclared(tree, function)
    if why:
        raise LookupError(f"{shown}: {why}")


def _as_written(config: Mapping[str, Any]) -> dict[str, Any]:
    """A user's config has no schema of ours: the baseline is its schema."""
    return copy.deepcopy(dict(config))
