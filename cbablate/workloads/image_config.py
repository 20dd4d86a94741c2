"""The config of `image_classification`, typed; no library that trains is imported here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cbablate.data import identity as data_identity
from cbablate.data.catalog import DATASETS, FOLDER
from cbablate.models.checkpoint_file import content
from cbablate.models.options import OPTIONS, refuse, unsaid
from cbablate.models.places import ONCE
from cbablate.models.selection import checked
from cbablate.probes.catalog import PROBES
from cbablate.spec.budget import Budget

__all__ = ["ImageConfig", "data_fingerprint", "identity", "open_ended", "resolve", "shape"]

_STRICT = ConfigDict(frozen=True, strict=True, extra="forbid", protected_namespaces=())
Rate = Annotated[float, Field(ge=0.0, lt=1.0)]
Count = Annotated[int, Field(ge=1)]
Counts = Annotated[tuple[Count, ...], Field(strict=False, min_length=1)]
"""One number a stage, first stage first."""
Share = Annotated[float, Field(gt=0.0, le=1.0)]
_STREAMED = ("auto_augment", "color_jitter", "scale", "repeats")


class Data(BaseModel):
    """Which images. The splits belong to the data set, not to a study.

    Where files lie on a machine is said by the environment variable CBABLATE_DATA, never here: it
    is no part of what is asked.
    """

    model_config = _STRICT

    name: Literal[
        "digits",
        "fashion_mnist",
        "cifar10",
        "cifar100",
        "folder",
        "context_task",
        "context_task_twin",
    ]
    subset: Annotated[int, Field(ge=1)] | None = None
    """Train on so many of the training images, a fixed choice in the classes' proportions."""
    folder: Annotated[str, Field(min_length=1)] | None = None
    """Of `folder`: which one, under CBABLATE_DATA; it holds train, val and perhaps test."""
    img_size: Annotated[int, Field(ge=1)] | None = None
    """Of `folder`: what images are cut to, in pixels; 224 where it is not said."""
    crop_pct: Annotated[float, Field(gt=0, le=1)] | None = None
    """Of `folder`: the share of an evaluated image's side that is looked at; 0.875."""
    interpolation: Literal["bicubic", "bilinear", "nearest"] | None = None
    """Of `folder`: how images are resized; bicubic."""

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


_FOLDER_DEFAULTS: Mapping[str, Any] = {
    "img_size": 224,
    "crop_pct": 0.875,
    "interpolation": "bicubic",
}


class Checkpoint(BaseModel):
    """A file of weights with the content that it had when the study was planned.

    A study writes the path alone, from the folder that cbablate is started in. With `sha256`, as
    a resolved config has it, the study can be planned and read where the file is not.
    """

    model_config = _STRICT

    path: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{20}$")]


def _with_content(written: Any) -> Any:
    if not isinstance(written, str):
        return written
    return {"path": str(Path(written).absolute()), "sha256": content(written)}


class Model(BaseModel):
    """A timm model: its name, and arguments of its class under timm's own names.

    What is left out is timm's default for that name. The number of classes is the data's. Not
    every class takes every argument: `cbablate plan --verify` says which it does not.
    """

    model_config = _STRICT

    name: str
    img_size: Annotated[int, Field(ge=1)] | None = None
    patch_size: Annotated[int, Field(ge=1)] | None = None
    in_chans: Annotated[int, Field(ge=1)] | None = None
    embed_dim: Count | Counts | None = None
    depth: Count | Counts | None = None
    num_heads: Count | Counts | None = None
    mlp_ratio: Annotated[float, Field(gt=0)] | None = None
    qkv_bias: bool | None = None
    qk_norm: bool | None = None
    init_values: float | None = None
    class_token: bool | None = None
    global_pool: Literal["", "avg", "avgmax", "max", "token", "map"] | None = None
    reg_tokens: Annotated[int, Field(ge=0)] | None = None
    drop_rate: Rate | None = None
    pos_drop_rate: Rate | None = None
    patch_drop_rate: Rate | None = None
    proj_drop_rate: Rate | None = None
    attn_drop_rate: Rate | None = None
    drop_path_rate: Rate | None = None
    depths: Counts | None = None
    """Of Swin and ConvNeXt: blocks by stage. A PiT calls them `depth`, a ResNet `layers`."""
    window_size: Count | None = None
    """Of Swin."""
    dims: Counts | None = None
    """Of ConvNeXt: channels by stage."""
    kernel_sizes: Count | Counts | None = None
    """Of ConvNeXt."""
    ls_init_value: float | None = None
    """Of ConvNeXt."""
    stem_type: str | None = None
    """Of ConvNeXt, PiT and ResNet, each with words of its own."""
    base_dims: Counts | None = None
    """Of PiT: channels of a head, by stage."""
    heads: Counts | None = None
    """Of PiT: heads by stage."""
    stride: Count | None = None
    """Of PiT: of its overlapping patches."""
    num_blocks: Count | None = None
    """Of Mixer, ResMLP and gMLP."""
    depth_token_only: Count | None = None
    """Of CaiT: blocks of the class-attention stage."""
    cls_attn_layers: Count | None = None
    """Of XCiT: blocks of the class-attention stage."""
    eta: float | None = None
    """Of XCiT: where its layer scales start."""
    layers: Counts | None = None
    """Of ResNet: blocks by stage."""
    channels: Counts | None = None
    """Of ResNet: channels by stage."""
    stem_width: Count | None = None
    """Of ResNet."""
    weight_init: Literal["", "jax", "jax_nlhb", "moco", "reset"] | None = None
    """How weights are drawn; timm's own choice has one spread for all widths, and narrow models
    learn faster from `jax`, whose spread follows the width."""
    pretrained: Annotated[bool | None, BeforeValidator(lambda said: said or None)] = None
    """Whether to start from the weights that timm offers for the name, which may then say which
    (`vit_tiny_patch16_224.augreg_in21k`). A head of another number of classes starts fresh."""
    checkpoint: Annotated[
        Checkpoint | None,
        BeforeValidator(_with_content, json_schema_input_type=str | Checkpoint | None),
    ] = None
    """A file of weights to start from: safetensors, or a state dict of torch."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Model:
        width, heads = self.embed_dim, self.num_heads
        if isinstance(width, int) and isinstance(heads, int) and width % heads:
            raise ValueError(f"embed_dim {width} is not a multiple of num_heads {heads}")
        return self

    @model_validator(mode="after")
    def _weights_have_one_source(self) -> Model:
        if self.pretrained and self.checkpoint is not None:
            raise ValueError(
                "a model starts from pretrained weights or a checkpoint, not from both"
            )
        return self

    @model_validator(mode="after")
    def _patches_cover_image(self) -> Model:
        if self.img_size and self.patch_size and self.img_size % self.patch_size:
            raise ValueError(
                f"img_size {self.img_size} is not a multiple of patch_size {self.patch_size}, so "
                "part of every image would not be seen"
            )
        return self


class Placement(BaseModel):
    """A context operator, where in the model it is placed, and options that it takes.

    What is left out is the operator's default, and is left out of the resolved config.
    """

    model_config = _STRICT

    operator: Literal[
        "cb",
        "cb_s",
        "add",
        "halve",
        "mix",
        "cls",
        "max",
        "gem",
        "se",
        "ge",
        "gc",
        "uniform_head",
        "local",
        "regions",
        "random_tokens",
        "other_image",
        "noise",
        "bias",
        "channel_mix",
    ]
    place: Literal[
        "mlp.front",
        "mlp.mid",
        "mlp.end",
        "mlp_tokens.front",
        "mlp_tokens.mid",
        "mlp_tokens.end",
        "attn.front",
        "attn.values",
        "attn.end",
        "block.front",
        "block.end",
        "embed.end",
        "head.front",
    ] = "mlp.end"
    blocks: str | Annotated[tuple[int, ...], Field(strict=False)] = "all"
    """`all`, `first K`, `last K`, `every K`, `first P%`, `last P%`, or a list of block indices
    from 0."""
    alpha: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    """Of `mix`: the share of the mean token; where it is learned, its start."""
    learned: Literal["no", "block", "channel"] | None = None
    """Of `mix`: whether the share is learned, one for the block or one a channel."""
    form: Literal["cb", "residual", "outer"] | None = None
    """Of `cb_s`: (x + lam mean) / 2, x + lam mean, or lam (x + mean) / 2."""
    over: Literal["all", "patches"] | None = None
    """What the context is made from: all tokens, or all but class and register tokens."""
    detach: bool | None = None
    """Whether no gradient flows back through the context."""
    p: Annotated[float, Field(ge=1.0, le=100.0)] | None = None
    """Of `gem`: the power; 1 is the mean."""
    reduction: Annotated[int, Field(ge=1)] | None = None
    """Of `se` and `gc`: by how much their inner layer is narrower."""
    width: Annotated[int, Field(ge=1)] | None = None
    """Of `uniform_head`: the channels of the head."""
    radius: Annotated[int, Field(ge=0)] | None = None
    """Of `local`: how many patches the window reaches to each side."""
    grid: Annotated[int, Field(ge=1)] | None = None
    """Of `regions`: how many regions lie side by side, and how many one above another."""
    count: Annotated[int, Field(ge=1)] | None = None
    """Of `random_tokens`: how many are drawn."""

    @model_validator(mode="after")
    def _blocks_mean_something(self) -> Placement:
        checked(self.blocks)
        if self.place in ONCE and self.blocks != "all":
            raise ValueError(
                f"a model has the place {self.place} once and not in every block: leave out blocks"
            )
        return self

    @model_validator(mode="after")
    def _options_are_the_operators_own(self) -> Placement:
        refuse(self.operator, self._options())
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As written, less the options that say the operator's default: one context, one text."""
        said = unsaid(self.operator, self._options())
        whole: dict[str, Any] = plain(self)
        return {key: value for key, value in whole.items() if key not in OPTIONS or key in said}

    def _options(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in OPTIONS if getattr(self, key) is not None}


def _as_list(written: Any) -> Any:
    if written is None or written == "none":
        return ()
    if isinstance(written, Mapping):
        return (written,)
    if isinstance(written, list):
        return tuple(written)
    raise ValueError(
        f"{written!r} is no placement; write none, one placement "
        "({operator: cb, place: mlp.end}), or a list of them"
    )


class Optimizer(BaseModel):
    """An optimizer of timm by name, with its arguments."""

    model_config = _STRICT

    name: str = "adamw"
    lr: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    momentum: Rate = 0.9


class Schedule(BaseModel):
    """A learning-rate schedule of timm, stepped every update."""

    model_config = _STRICT

    name: Literal["cosine", "constant"] = "cosine"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0
    warmup_lr: Annotated[float, Field(ge=0)] = 1e-6
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    """Where `cosine` ends; `constant` stays at the optimizer's rate."""


class Augment(BaseModel):
    """What is done to training images; the names are those of timm's training script.

    `shift` moves each image by up to so many pixels, a fresh draw each time it is seen. `hflip`
    mirrors it with this probability: 0.5 for folders, 0 for other data where it is not said. What
    comes after it is for folders only, whose images are augmented one by one as they are read.
    """

    model_config = _STRICT

    shift: Annotated[int, Field(ge=0)] = 0
    mixup: Annotated[float, Field(ge=0)] = 0.0
    cutmix: Annotated[float, Field(ge=0)] = 0.0
    smoothing: Rate = 0.0
    reprob: Rate = 0.0
    hflip: Annotated[float, Field(ge=0, le=1)] | None = None
    auto_augment: str | None = None
    """A policy of timm, such as rand-m9-mstd0.5-inc1."""
    color_jitter: Annotated[float, Field(ge=0)] | None = None
    """Not used where there is a policy, as in timm."""
    scale: Annotated[tuple[Share, Share], Field(strict=False)] | None = None
    """The share of an image's area that a crop takes, from and to; timm's 0.08 to 1."""
    repeats: Annotated[int, Field(ge=1)] | None = None
    """How often an epoch shows an image, each time augmented anew, in place of other images."""


ProbeName = Literal[
    "entropy",
    "distance",
    "jacobian",
    "share",
    "rank",
    "similarity",
    "cka",
    "gradient",
    "curvature",
    "flops",
    "memory",
    "calibration",
    "occlusion",
    "shuffle",
    "adversarial",
    "corruption",
    "alignment",
    "maps",
]


def _in_order(names: tuple[ProbeName, ...]) -> tuple[ProbeName, ...]:
    """The names in the catalog's order: what is asked for is the same in any order."""
    if len(set(names)) < len(names):
        raise ValueError("a probe is listed twice: delete one")
    return tuple(sorted(names, key=[*PROBES].index))


_EMA_DECAY = 0.9998


class ImageConfig(BaseModel):
    """All that one training of an image classifier depends on, but its seed and budget."""

    model_config = _STRICT

    data: Data
    model: Model
    context: Annotated[
        tuple[Placement, ...],
        BeforeValidator(
            _as_list, json_schema_input_type=Literal["none"] | Placement | list[Placement] | None
        ),
    ] = ()
    optimizer: Optimizer
    schedule: Schedule = Field(default_factory=Schedule)
    augment: Augment = Field(default_factory=Augment)
    batch_size: Annotated[int, Field(ge=1)] = 64
    clip_grad: Annotated[float, Field(gt=0)] | None = None
    model_ema: bool | None = None
    """Whether what is evaluated is a running average of the weights (timm's ModelEmaV3), taken
    after every update. Off is as if it were left out."""
    model_ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    """What the average keeps of itself at an update: timm's 0.9998 where it is not said."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto` is bfloat16 autocast on a GPU, float32 on a CPU."""
    probes: Annotated[tuple[ProbeName, ...], AfterValidator(_in_order)] = ()
    """What is measured beside accuracy, parameters and mean attention entropy; left out of the
    resolved config where nothing is."""

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
    """What a resolved config's outcome depends on: of a checkpoint its content, not its path."""
    checkpoint = config["model"].get("checkpoint")
    if checkpoint is None:
        return dict(config)
    return {**config, "model": {**config["model"], "checkpoint": checkpoint["sha256"]}}


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
