"""What `cbablate data --json` prints."""

from __future__ import annotations

from typing import Any

from cbablate.cli.json_shape import VERSION
from cbablate.data import location
from cbablate.data.catalog import DATASETS, FOLDER, Dataset
from cbablate.overviews.data_overview import examined

__all__ = ["data_shape"]


def data_shape(name: str | None, *, get: bool) -> dict[str, Any]:
    """All data sets; or one, read whole, fetched first if that is asked for.

    Raises:
        CbablateError: there is neither a data set nor a folder of this name.
        EnvironmentFault: it is not here, cannot be fetched, or is not what it should be.
    """
    head = {"shape": "data", "version": VERSION, "root": str(location.root())}
    if name is None:
        return head | {"sets": [_set(facts) for facts in DATASETS.values()]}
    if get:
        from cbablate.data.sets.download import get as fetch

        fetch(name)
    found = examined(name)
    about = {"fingerprint": found.fingerprint, "overlap": dict(found.overlap)}
    return head | {"sets": [_set(found.facts) | {"name": name} | about]}


def _set(facts: Dataset) -> dict[str, Any]:
    is_here = bool(facts.files) and location.found(facts)
    return {
        "name": facts.name,
        "title": facts.title,
        "size": None
        if facts.name == FOLDER
        else {"channels": facts.in_chans, "side": facts.img_size},
        "classes": facts.num_classes,
        "images": dict(facts.sizes),
        "splits": facts.split,
        "folder": str(is_here) if is_here else None,
        "needs_files": bool(facts.files),
        "obtain": facts.obtain,
    }
