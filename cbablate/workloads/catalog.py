"""Which workloads there are, and how one is described without importing it."""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cbablate.spec.description import Description
from cbablate.workloads import image_config, image_metrics, toy

__all__ = ["SHIPPED", "describe"]

_LONGEST = 200
_ENTRY = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")


def _toy() -> Description:
    return Description(
        name="toy",
        version=toy.VERSION,
        run="cbablate.workloads.toy:run",
        resolve=toy.resolve,
        data=lambda _config: "",
        metrics=toy.METRICS,
        schema=toy.ToyConfig.model_json_schema(),
        throughput="cbablate.workloads.toy:throughput",
    )


def _image_classification() -> Description:
    module = "cbablate.workloads.image_classification"
    return Description(
        name="image_classification",
        version=image_metrics.VERSION,
        run=f"{module}:run",
        resolve=image_config.resolve,
        data=image_config.data_fingerprint,
        metrics=image_metrics.METRICS,
        schema=image_config.ImageConfig.model_json_schema(),
        verify=f"{module}:verify",
        throughput=f"{module}:throughput",
    )


SHIPPED: Mapping[str, Callable[[], Description]] = MappingProxyType(
    {"image_classification": _image_classification, "toy": _toy}
)


def describe(name: str, folder: Path) -> Description:
    """The description of a shipped workload by name, or of a user's own as `module:function`.

    A user's module is looked for in `folder`, the study's own, then among installed packages. It
    is not imported; its source is read for its digest, which is its version: edited code is other
    code, and its trials are trained anew.

    Raises:
        LookupError: there is no such workload; the message says which there are.
    """
    if name in SHIPPED:
        return SHIPPED[name]()
    if ":" not in name:
        raise LookupError(
            f"'{name}' is no workload; there are {', '.join(sorted(SHIPPED))}, and your own as "
            "module:function"
        )
    if not _ENTRY.match(name) or len(name) > _LONGEST:
        raise LookupError(
            f"'{name}' is not of the form module:function (letters, digits, _ and dots; at most "
            f"{_LONGEST} characters)"
        )
    module = name.partition(":")[0]
    beside = folder.resolve().joinpath(*module.split(".")).with_suffix(".py")
    found = beside if beside.is_file() else _installed(module)
    if found is None:
        raise LookupError(
            f"module '{module}' is neither a file beside the study ({beside}) nor installed"
        )
    source = found.read_bytes()
    function = name.partition(":")[2]
    if not re.search(
        rf"^\s*(def|class)\s+{function}\b|^{function}\s*=", source.decode(errors="replace"), re.M
    ):
        raise LookupError(f"{found} defines no '{function}'")
    return Description(
        name=name,
        version=hashlib.sha256(source).hexdigest()[:20],
        run=name,
        resolve=_as_written,
        data=lambda _config: "",
        source=beside if found == beside else None,
    )


def _installed(module: str) -> Path | None:
    """The source file of an installed module, its parents not imported."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # `__main__`, which no file is known of
        return None
    if spec is None or top in ("os", "builtins", "subprocess", "sys"):
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for root in spec.submodule_search_locations or ():
        base = Path(root).joinpath(*rest)
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def _as_written(config: Mapping[str, Any]) -> dict[str, Any]:
    """A user's config has no schema of ours: the baseline is its schema."""
    return copy.deepcopy(dict(config))
