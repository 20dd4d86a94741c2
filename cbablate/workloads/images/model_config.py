"""The parts of an image model's config, typed: the timm model, and the context placed in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cbablate.models.checkpoint_file import content
from cbablate.models.operators.catalog import OPERATORS
from cbablate.models.places import ONCE, PLACES
from cbablate.models.selection import checked
from cbablate.spec.choice import one_of

__all__ = ["STRICT", "Count", "Model", "Placement", "Rate", "Share"]

STRICT = ConfigDict(frozen=True, strict=True, extra="forbid", protected_namespaces=())
Rate = Annotated[float, Field(ge=0.0, lt=1.0)]
Count = Annotated[int, Field(ge=1)]
Counts = Annotated[tuple[Count, ...], Field(strict=False, min_length=1)]
"""One number a stage, first stage first."""
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class CheckpointFile(BaseModel):
    """A file of weights with the content that it had when the study was planned.

    A study writes the path alone, from the folder that cbablate is started in. With `sha256`, as
    a resolved config has it, the study can be planned and read where the file is not.
    """

    model_config = STRICT

    path: Annotated[str, Field(examples=["weights/mine.safetensors"])] = Field(
        description="Where the file lies, from the folder that cbablate is started in."
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{20}$", examples=["502a1f248de5129322ba"])] = (
        Field(description="The first 20 digits of its content's SHA-256; cbablate fills it in.")
    )


def _with_content(written: Any) -> Any:
    if not isinstance(written, str):
        return written
    return {"path": str(Path(written).absolute()), "sha256": content(written)}


class Model(BaseModel):
    """A timm model: its name, and arguments of its class under timm's own names.

    What is left out is timm's default for that name. The number of classes is the data's. Not
    every class takes every argument: `cbablate plan --verify` says which it does not.
    """

    model_config = STRICT

    name: str = Field(description="The model's name in timm; `cbablate models` lists families.")
    img_size: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The side of an image in pixels; must be the data's."
    )
    patch_size: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The side of a patch in pixels; it must divide `img_size`."
    )
    in_chans: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="How many channels an image has: 1 is grey, 3 colour; must be the data's.",
    )
    embed_dim: Count | Counts | None = Field(
        default=None, description="The width of a token; a list where it differs by stage."
    )
    depth: Count | Counts | None = Field(
        default=None, description="How many blocks; a list where there are stages."
    )
    num_heads: Count | Counts | None = Field(
        default=None,
        description="How many attention heads; they must divide `embed_dim`. A list where "
        "there are stages.",
    )
    mlp_ratio: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="How much wider the hidden layer of an MLP is than a token."
    )
    qkv_bias: bool | None = Field(
        default=None, description="Whether queries, keys and values have biases."
    )
    qk_norm: bool | None = Field(
        default=None, description="Whether queries and keys are normalised."
    )
    init_values: Annotated[float | None, Field(examples=[1e-5])] = Field(
        default=None, description="Where layer scales start; without it there are none."
    )
    class_token: bool | None = Field(default=None, description="Whether there is a class token.")
    global_pool: Literal["", "avg", "avgmax", "max", "token", "map"] | None = Field(
        default=None,
        description="How the head pools tokens: their mean (`avg`), the class token (`token`), ...",
    )
    reg_tokens: Annotated[int | None, Field(ge=0, examples=[4])] = Field(
        default=None, description="How many register tokens."
    )
    drop_rate: Annotated[Rate | None, Field(examples=[0.1])] = Field(
        default=None, description="Dropout before the head."
    )
    pos_drop_rate: Annotated[Rate | None, Field(examples=[0.1])] = Field(
        default=None, description="Dropout after positions are added."
    )
    patch_drop_rate: Annotated[Rate | None, Field(examples=[0.25])] = Field(
        default=None, description="The share of patches that training leaves out."
    )
    proj_drop_rate: Annotated[Rate | None, Field(examples=[0.1])] = Field(
        default=None, description="Dropout after the projections of attention and MLP."
    )
    attn_drop_rate: Annotated[Rate | None, Field(examples=[0.1])] = Field(
        default=None, description="Dropout of attention weights."
    )
    drop_path_rate: Annotated[Rate | None, Field(examples=[0.1])] = Field(
        default=None,
        description="Stochastic depth: the probability that the last block is skipped; "
        "earlier ones have less.",
    )
    depths: Annotated[Counts | None, Field(examples=[[2, 2]])] = Field(
        default=None,
        description="Swin, ConvNeXt: blocks by stage. (A PiT calls them `depth`, a ResNet "
        "`layers`.)",
    )
    window_size: Annotated[Count | None, Field(examples=[4])] = Field(
        default=None, description="Swin: the side of an attention window, in tokens."
    )
    dims: Annotated[Counts | None, Field(examples=[[16, 32, 32, 32]])] = Field(
        default=None, description="ConvNeXt: channels by stage."
    )
    kernel_sizes: Annotated[Count | Counts | None, Field(examples=[7])] = Field(
        default=None,
        description="ConvNeXt: the side of its depthwise convolutions; a list where it differs by "
        "stage.",
    )
    ls_init_value: Annotated[float | None, Field(examples=[1e-6])] = Field(
        default=None, description="ConvNeXt: where layer scales start."
    )
    stem_type: Annotated[str | None, Field(examples=["patch"])] = Field(
        default=None,
        description="ConvNeXt, PiT, ResNet: the kind of stem, in timm's words for that class.",
    )
    base_dims: Annotated[Counts | None, Field(examples=[[16, 16]])] = Field(
        default=None, description="PiT: channels of a head, by stage."
    )
    heads: Annotated[Counts | None, Field(examples=[[2, 4]])] = Field(
        default=None, description="PiT: attention heads by stage."
    )
    stride: Annotated[Count | None, Field(examples=[1])] = Field(
        default=None, description="PiT: the distance between its overlapping patches, in pixels."
    )
    num_blocks: Annotated[Count | None, Field(examples=[4])] = Field(
        default=None, description="Mixer, ResMLP, gMLP: how many blocks."
    )
    depth_token_only: Annotated[Count | None, Field(examples=[1])] = Field(
        default=None, description="CaiT: blocks of the class-attention stage."
    )
    cls_attn_layers: Annotated[Count | None, Field(examples=[1])] = Field(
        default=None, description="XCiT: blocks of the class-attention stage."
    )
    eta: Annotated[float | None, Field(examples=[1.0])] = Field(
        default=None, description="XCiT: where layer scales start."
    )
    layers: Annotated[Counts | None, Field(examples=[[2, 2, 2, 2]])] = Field(
        default=None, description="ResNet: blocks by stage."
    )
    channels: Annotated[Counts | None, Field(examples=[[16, 32, 64, 128]])] = Field(
        default=None, description="ResNet: channels by stage."
    )
    stem_width: Annotated[Count | None, Field(examples=[16])] = Field(
        default=None, description="ResNet: channels of the stem."
    )
    weight_init: Literal["", "jax", "jax_nlhb", "moco", "reset"] | None = Field(
        default=None,
        description="How weights are drawn. timm's own choice, which is used if this is left out, "
        "has one spread (0.02) for all widths; models narrower than about 100 channels "
        "learn much faster from `reset`, whose spread follows the width (PyTorch's "
        "defaults), or from `jax`. Not every class takes it.",
    )
    pretrained: Annotated[bool | None, BeforeValidator(lambda said: said or None)] = Field(
        default=None,
        description="Whether to start from the weights that timm offers for the name, which may "
        "then name them (`vit_tiny_patch16_224.augreg_in21k`). A head of another number "
        "of classes starts fresh.",
    )
    checkpoint: Annotated[
        CheckpointFile | None,
        BeforeValidator(_with_content, json_schema_input_type=str | CheckpointFile | None),
        Field(examples=["weights/mine.safetensors"]),
    ] = Field(
        default=None,
        description="A file of weights to start from: safetensors, or a state dict of torch.",
    )

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


_NO_OPTIONS = ("operator", "place", "blocks")
"""What every placement has; the other fields are options of some operators."""


class Placement(BaseModel):
    """A context operator, where in the model it is placed, and options that it takes.

    What is left out is the operator's default, and is left out of the resolved config.
    """

    model_config = STRICT

    operator: Annotated[str, one_of(OPERATORS)] = Field(
        description="What is placed: `cb` is Context Broadcasting; see the page on models for the "
        "others."
    )
    place: Annotated[str, one_of(PLACES)] = Field(
        default="mlp.end", description="Where in a block, or once in the model."
    )
    blocks: str | Annotated[tuple[int, ...], Field(strict=False)] = Field(
        default="all",
        description="In which blocks: `all`, `first K`, `last K`, `every K`, `first P%`, "
        "`last P%`, or a list of indices from 0.",
    )
    alpha: Annotated[float | None, Field(ge=0.0, le=1.0, examples=[0.5])] = Field(
        default=None,
        description="`mix`: the share of the mean token; where it is learned, its start.",
    )
    learned: Literal["no", "block", "channel"] | None = Field(
        default=None,
        description="`mix`: whether the share is learned, one for the block or one a channel.",
    )
    form: Literal["cb", "residual", "outer"] | None = Field(
        default=None, description="`cb_s`: (x + lam mean) / 2, x + lam mean, or lam (x + mean) / 2."
    )
    over: Literal["all", "patches"] | None = Field(
        default=None,
        description="What the context is made from: all tokens, or all but class and register "
        "tokens.",
    )
    detach: bool | None = Field(
        default=None, description="Whether no gradient flows back through the context."
    )
    p: Annotated[float | None, Field(ge=1.0, le=100.0, examples=[3.0])] = Field(
        default=None, description="`gem`: the power; 1 is the mean."
    )
    reduction: Annotated[int | None, Field(ge=1, examples=[16])] = Field(
        default=None, description="`se`, `gc`: by how much their inner layer is narrower."
    )
    width: Annotated[int | None, Field(ge=1, examples=[64])] = Field(
        default=None, description="`uniform_head`: the channels of the head."
    )
    radius: Annotated[int | None, Field(ge=0, examples=[1])] = Field(
        default=None, description="`local`: how many patches the window reaches to each side."
    )
    grid: Annotated[int | None, Field(ge=1, examples=[2])] = Field(
        default=None,
        description="`regions`: how many regions lie side by side, and how many one above another.",
    )
    count: Annotated[int | None, Field(ge=1, examples=[4])] = Field(
        default=None, description="`random_tokens`: how many are drawn."
    )

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
        OPERATORS[self.operator].refuse(self._options())
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As written, less the options that say the operator's default: one context, one text."""
        said = OPERATORS[self.operator].unsaid(self._options())
        whole: dict[str, Any] = plain(self)
        return {key: value for key, value in whole.items() if key in _NO_OPTIONS or key in said}

    def _options(self) -> dict[str, Any]:
        return {k: value for k, value in self if k not in _NO_OPTIONS and value is not None}
