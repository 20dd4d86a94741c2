"""`Data`: the part of an image config that says which images are trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from cbablate.data.catalog import DATASETS, FOLDER, NAMES
from cbablate.spec.choice import one_of
from cbablate.workloads.images.model_config import STRICT

__all__ = ["Data"]

_FOLDER_DEFAULTS: Mapping[str, Any] = {
    "img_size": 224,
    "crop_pct": 0.875,
    "interpolation": "bicubic",
}


class Data(BaseModel):
    """Which images. The splits belong to the data set, not to a study.

    Where files lie on a machine is said by the environment variable CBABLATE_DATA, never here: it
    is no part of what is asked.
    """

    model_config = STRICT

    name: Annotated[str, one_of(NAMES)] = Field(
        description="The data set; `cbablate data` lists them."
    )
    subset: Annotated[int | None, Field(ge=1, examples=[5000])] = Field(
        default=None,
        description="How many of the training images are trained on: a fixed choice that keeps the "
        "proportions of the classes. All if left out.",
    )
    folder: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="`folder`: which one, under CBABLATE_DATA; it holds train, val and perhaps "
        "test.",
    )
    img_size: Annotated[int | None, Field(ge=1, examples=[224])] = Field(
        default=None,
        description="`folder`: the side that images are cut to, in pixels; 224 if left out.",
    )
    crop_pct: Annotated[float | None, Field(gt=0, le=1, examples=[0.875])] = Field(
        default=None,
        description="`folder`: the share of an evaluated image's side that is kept; 0.875 if left "
        "out.",
    )
    interpolation: Literal["bicubic", "bilinear", "nearest"] | None = Field(
        default=None, description="`folder`: how images are resized; bicubic if left out."
    )

    @model_validator(mode="before")
    @classmethod
    def _folders_have_defaults(cls, written: Any) -> Any:
        if isinstance(written, Mapping) and written.get("name") == FOLDER:
            return {**_FOLDER_DEFAULTS, **{k: v for k, v in written.items() if v is not None}}
        return written

    @model_validator(mode="after")
    def _keys_go_with_the_name(self) -> Data:
        said = [key for key in ("folder", *_FOLDER_DEFAULTS) if getattr(self, key) is not None]
        if self.name != FOLDER:
            if said:
                raise ValueError(f"'{said[0]}' goes with name: folder, not with '{self.name}'")
            return self._fitting_subset()
        if self.folder is None:
            raise ValueError(
                "name: folder needs 'folder' to be said: which one under CBABLATE_DATA"
            )
        parts = PurePosixPath(self.folder).parts
        if self.folder.startswith(("/", "~", "\\")) or ":" in self.folder or ".." in parts:
            raise ValueError(
                f"folder '{self.folder}' is a place on one machine, which cannot be part of a "
                "trial's identity: write its name under CBABLATE_DATA, such as imagenet"
            )
        return self

    def _fitting_subset(self) -> Data:
        facts = DATASETS[self.name]
        total = facts.sizes["train"]
        if self.subset is not None and not facts.num_classes <= self.subset < total:
            raise ValueError(
                f"subset is {self.subset:,}, but '{self.name}' has {total:,} images to train on, "
                f"in {facts.num_classes} classes: write a number from {facts.num_classes} to "
                f"{total - 1:,}, or leave it out to train on all"
            )
        return self
