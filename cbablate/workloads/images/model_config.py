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

    model_config = STRICT

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
        CheckpointFile | None,
        BeforeValidator(_with_content, json_schema_input_type=str | CheckpointFile | None),
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


_NO_OPTIONS = ("operator", "place", "blocks")
"""What every placement has; the other fields are options of some operators."""


class Placement(BaseModel):
    """A context operator, where in the model it is placed, and options that it takes.

    What is left out is the operator's default, and is left out of the resolved config.
    """

    model_config = STRICT

    operator: Annotated[str, one_of(OPERATORS)]
    place: Annotated[str, one_of(PLACES)] = "mlp.end"
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
