"""Which workloads there are, and how one is described without importing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from cbablate.spec.description import Description
from cbablate.spec.own_workload import OwnWorkload
from cbablate.workloads import toy
from cbablate.workloads.images import image_config, image_metrics
from cbablate.workloads.own_code.own_description import own_description

__all__ = ["SHIPPED", "describe"]


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


def describe(workload: str | OwnWorkload, folder: Path) -> Description:
    """The description of a shipped workload by name, or of a user's own: as `module:function`, or
    as a file says it that lies in `folder`.

    Raises:
        LookupError: there is no such workload; the message says which there are, or why what is
            there cannot be one. `Undescribed`, where it is about a key of the file.
    """
    if isinstance(workload, OwnWorkload):
        return own_description(workload, folder)
    if workload in SHIPPED:
        return SHIPPED[workload]()
    if ":" not in workload:
        raise LookupError(
            f"there is no workload '{workload}'; there are {', '.join(sorted(SHIPPED))}, and your "
            "own as module:function"
        )
    return own_description(OwnWorkload(function=workload), folder)
