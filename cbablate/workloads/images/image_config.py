"""The config of `image_classification`, typed; no library that trains is imported here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    model_validator,
)

from cbablate.data import identity as data_identity
from cbablate.data.catalog import DATASETS, FOLDER
from cbablate.models.operators.catalog import OPERATORS
from cbablate.probes.catalog import PROBES
from cbablate.spec.budget import Budget
from cbablate.spec.choice import one_of
from cbablate.spec.under_test import Mechanism, Shared
from cbablate.workloads.images.data_config import Data
from cbablate.workloads.images.image_metrics import revisions
from cbablate.workloads.images.model_config import STRICT, Model, Placement, Rate, Share

__all__ = [
    "MECHANISM",
    "RECIPE",
    "SHARED",
    "ImageConfig",
    "data_fingerprint",
    "identity",
    "open_ended",
    "resolve",
    "shape",
]

_STREAMED = ("auto_augment", "color_jitter", "scale", "repeats")


def _as_list(written: Any) -> Any:
    if written is None or written == "none":
        return ()
    if isinstance(written, Mapping):
        return (written,)
    if isinstance(written, list):
        return tuple(written)
    raise ValueError(
        f"{written!r} cannot be read as a placement; write none, one placement "
        "({operator: cb, place: mlp.end}), or a list of them"
    )


class Optimizer(BaseModel):
    """An optimizer of timm by name, with its arguments."""

    model_config = STRICT

    name: str = Field(default="adamw", description="The optimizer's name in timm.")
    lr: Annotated[float, Field(gt=0)] = Field(description="The learning rate after the warm-up.")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Weight decay; biases and norms have none."
    )
    momentum: Rate = Field(default=0.9, description="Momentum, for optimizers that have one.")


class Schedule(BaseModel):
    """A learning-rate schedule of timm, stepped every update."""

    model_config = STRICT

    name: Literal["cosine", "constant"] = Field(
        default="cosine", description="How the learning rate goes after the warm-up."
    )
    warmup_epochs: Annotated[float, Field(ge=0)] = Field(
        default=0, description="How many epochs the learning rate rises, at first."
    )
    warmup_lr: Annotated[float, Field(ge=0)] = Field(
        default=1e-6, description="The learning rate that the warm-up starts from."
    )
    min_lr: Annotated[float, Field(ge=0)] = Field(
        default=0.0,
        description="The learning rate that `cosine` ends at; `constant` stays at the optimizer's "
        "rate.",
    )


class Augment(BaseModel):
    """What is done to training images; the names are those of timm's training script.

    `shift` moves each image by up to so many pixels, a fresh draw each time it is seen. `hflip`
    mirrors it with this probability: 0.5 for folders, 0 for other data where it is not said. What
    comes after it is for folders only, whose images are augmented one by one as they are read.
    """

    model_config = STRICT

    shift: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="By how many pixels an image is moved at most, anew each time it is seen.",
    )
    mixup: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Mixup's alpha; 0 is off."
    )
    cutmix: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="CutMix's alpha; 0 is off."
    )
    smoothing: Rate = Field(default=0.0, description="Label smoothing.")
    reprob: Rate = Field(
        default=0.0, description="The probability that a rectangle of an image is erased."
    )
    hflip: Annotated[float | None, Field(ge=0, le=1, examples=[0.5])] = Field(
        default=None,
        description="The probability that an image is mirrored; if left out 0.5 for `folder`, else "
        "0.",
    )
    auto_augment: str | None = Field(
        default=None, description="`folder`: a policy of timm, such as `rand-m9-mstd0.5-inc1`."
    )
    color_jitter: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="`folder`: how much colours vary; as in timm, not used beside a policy, unless "
        "that is `3a` (DeiT III's).",
    )
    scale: Annotated[tuple[Share, Share] | None, Field(strict=False, examples=[[0.5, 1.0]])] = (
        Field(
            default=None,
            description="`folder`: the share of an image's area that a crop takes, from and to; "
            "0.08 to 1 if left out.",
        )
    )
    repeats: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="`folder`: how often an epoch shows an image, each time augmented anew, in "
        "place of others.",
    )


ProbeName = Annotated[str, one_of(PROBES)]


def _in_order(names: tuple[ProbeName, ...]) -> tuple[ProbeName, ...]:
    """The names in the catalog's order: what is asked for is the same in any order."""
    if len(set(names)) < len(names):
        raise ValueError("a probe is listed twice: delete one")
    return tuple(sorted(names, key=[*PROBES].index))


_EMA_DECAY = 0.9998


class ImageConfig(BaseModel):
    """All that one training of an image classifier depends on, but its seed and budget."""

    model_config = STRICT

    data: Data = Field(description="The images.")
    model: Model = Field(
        description="The network: a model of timm, and arguments of its class under timm's own "
        "names. What is left out is timm's default for that model; not every class "
        "takes every argument."
    )
    context: Annotated[
        tuple[Placement, ...],
        BeforeValidator(
            _as_list, json_schema_input_type=Literal["none"] | Placement | list[Placement] | None
        ),
    ] = Field(
        default=(),
        description="What is placed in the network: `none`, one placement, or a list of them.",
    )
    optimizer: Optimizer = Field(description="An optimizer of timm.")
    schedule: Schedule = Field(
        default_factory=Schedule,
        description="How the learning rate goes over the budget; it changes with every update.",
    )
    augment: Augment = Field(
        default_factory=Augment,
        description="What is done to training images. Keys have the names of timm's training "
        "script.",
    )
    batch_size: Annotated[int, Field(ge=1)] = Field(
        default=64, description="How many images an update sees."
    )
    clip_grad: Annotated[float | None, Field(gt=0, examples=[1.0])] = Field(
        default=None, description="The norm that gradients are clipped to; not clipped if left out."
    )
    model_ema: bool | None = Field(
        default=None,
        description="Whether a running average of the weights is evaluated (timm's ModelEmaV3) in "
        "place of the weights. Off is the same as left out.",
    )
    model_ema_decay: Annotated[float | None, Field(gt=0, lt=1, examples=[0.999])] = Field(
        default=None,
        description="What the average keeps of itself at an update; 0.9998 if left out.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="What training and evaluation compute in: `auto` is bfloat16 autocast on a GPU "
        "and float32 on a CPU.",
    )
    probes: Annotated[tuple[ProbeName, ...], AfterValidator(_in_order)] = Field(
        default=(),
        description="What is measured of the trained network beside accuracy, parameters and "
        "attention entropy.",
    )

    @model_validator(mode="after")
    def _decay_is_of_an_average(self) -> ImageConfig:
        if self.model_ema_decay is not None and self.model_ema is None:
            raise ValueError(
                f"model_ema_decay is {self.model_ema_decay:g}, but no average of the weights is "
                "taken: write model_ema: true beside it, or delete it"
            )
        return self

    @model_validator(mode="after")
    def _model_fits_data(self) -> ImageConfig:
        name = self.data.name
        if name == FOLDER:
            given = {"img_size": self.data.img_size, "in_chans": 3}
        else:
            given = {"img_size": DATASETS[name].img_size, "in_chans": DATASETS[name].in_chans}
        for key, there in given.items():
            asked = getattr(self.model, key)
            if asked is not None and asked != there:
                raise ValueError(f"model.{key} is {asked}, but the images of '{name}' have {there}")
        return self

    @model_validator(mode="after")
    def _files_are_augmented_one_by_one(self) -> ImageConfig:
        said = [key for key in _STREAMED if getattr(self.augment, key) is not None]
        if said and self.data.name != FOLDER:
            raise ValueError(
                f"augment.{said[0]} is for images that are read from files one by one (name: "
                f"folder); those of '{self.data.name}' are held on the device, where shift, "
                "hflip, reprob, mixup and cutmix can be used"
            )
        return self

    @model_validator(mode="after")
    def _batches_mix_in_pairs(self) -> ImageConfig:
        mixed = self.augment.mixup > 0 or self.augment.cutmix > 0
        if mixed and self.batch_size % 2:
            raise ValueError(
                f"mixup and cutmix pair up the images of a batch, so batch_size {self.batch_size} "
                "must be even"
            )
        return self

    @model_validator(mode="after")
    def _rates_are_in_order(self) -> ImageConfig:
        for key, rate in (
            ("warmup_lr", self.schedule.warmup_lr),
            ("min_lr", self.schedule.min_lr),
        ):
            if rate > self.optimizer.lr:
                raise ValueError(
                    f"schedule.{key} {rate:g} is above optimizer.lr {self.optimizer.lr:g}"
                )
        return self


MECHANISM = Mechanism(
    word="context",
    kind="operator",
    named=lambda config: frozenset(line["operator"] for line in config.get("context", ())),
    controls=frozenset(row.name for row in OPERATORS.values() if row.control),
)
SHARED = (
    Shared(
        "model",
        "model",
        "for another size of model",
        "width, depth or model",
        shown=("name", "embed_dim", "depth", "num_heads"),
    ),
    Shared("data set", "data", "on other data", "data set", shown=("name",)),
)
RECIPE = ("optimizer", "schedule", "batch_size")


def open_ended(config: Mapping[str, Any], budget: Budget) -> bool:
    """Whether a longer training begins as this one does: the rate must not know the end.

    A budget of steps may end within an epoch, which a longer one would not have measured.
    """
    return bool(config["schedule"]["name"] == "constant") and budget.unit == "epochs"


def resolve(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with every default filled in, as plain JSON values; keys left to timm stay out.

    Raises:
        pydantic.ValidationError: the config is not one of this workload.
    """
    read = ImageConfig.model_validate_json(json.dumps(config))
    whole: dict[str, Any] = read.model_dump(mode="json", exclude_none=True)
    if not read.probes:
        del whole["probes"]
    if read.model_ema:
        whole.setdefault("model_ema_decay", _EMA_DECAY)
    else:  # a level that turns the average off need not take back its decay
        whole.pop("model_ema", None)
        whole.pop("model_ema_decay", None)
    return whole


def identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a resolved config's outcome depends on: of a checkpoint its content, not its path.

    Where it is measured in another way than it was first, that is part of it.
    """
    whole = dict(config)
    checkpoint = config["model"].get("checkpoint")
    if checkpoint is not None:
        whole["model"] = {**config["model"], "checkpoint": checkpoint["sha256"]}
    revised = revisions(config)
    if revised:
        whole["revisions"] = revised
    return whole


def data_fingerprint(config: Mapping[str, Any]) -> str:
    """The content address of the images that a resolved config names.

    Raises:
        EnvironmentFault: it must be computed from files that are not on this machine.
    """
    return data_identity.content(config["data"])


def shape(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a resolved config's cost depends on: all but rates, which cost the same at any value."""
    whole = {key: value for key, value in identity(config).items() if key != "schedule"}
    return {**whole, "optimizer": config["optimizer"]["name"], "clip_grad": "clip_grad" in config}
