"""`Recipe`: how a network is trained, whatever the network."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import timm
import timm.optim
from timm.scheduler import create_scheduler_v2
from timm.scheduler.scheduler import Scheduler
from timm.utils import ModelEmaV3
from torch import nn
from torch.optim import Optimizer

from cbablate.errors import StudyError, library_errors

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Optimizer, schedule, augmentation and batch, as a resolved config writes them."""

    optimizer: Mapping[str, Any]
    """`name`, `lr`, `weight_decay`, `momentum`."""
    schedule: Mapping[str, Any]
    """`name`, `warmup_epochs`, `warmup_lr`, `min_lr`."""
    augment: Mapping[str, Any]
    """`shift`, `mixup`, `cutmix`, `smoothing`, `reprob`; where they are said, `hflip`, and for
    streams `auto_augment`, `color_jitter`, `scale`, `repeats`."""
    batch_size: int
    clip_grad: float | None = None
    model_ema_decay: float | None = None
    """Of the running average of the weights that is evaluated; None where there is none."""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Recipe:
        """The recipe in a resolved config of `image_classification`."""
        return cls(
            optimizer=config["optimizer"],
            schedule=config["schedule"],
            augment=config["augment"],
            batch_size=config["batch_size"],
            clip_grad=config.get("clip_grad"),
            model_ema_decay=config.get("model_ema_decay"),
        )

    @property
    def batchwise(self) -> Mapping[str, Any]:
        """The augmentation that is left to do where images were flipped as they were read."""
        return {key: value for key, value in self.augment.items() if key != "hflip"}

    def optimizer_for(self, model: nn.Module) -> Optimizer:
        """timm's optimizer of this name over the model; vectors and scalars are not decayed.

        Raises:
            StudyError: timm has no such optimizer, or it does not take these arguments.
        """
        name = self.optimizer["name"]
        known = timm.optim.list_optimizers()
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3)
            hint = f"; close to it are {', '.join(close)}" if close else ""
            raise StudyError(f"timm {timm.__version__} has no optimizer '{name}'{hint}")
        with library_errors(f"timm cannot make optimizer '{name}'"):
            made = timm.optim.get_optimizer_class(name, bind_defaults=False)
            fused = {"fused": True} if "fused" in inspect.signature(made).parameters else {}
            optimizer: Optimizer = timm.optim.create_optimizer_v2(
                model,
                opt=name,
                lr=self.optimizer["lr"],
                weight_decay=self.optimizer["weight_decay"],
                momentum=self.optimizer["momentum"],
                **fused,
            )
        return optimizer

    def average_for(self, model: nn.Module) -> ModelEmaV3 | None:
        """timm's exponential moving average of the model, buffers with it, if the recipe has one.

        It is a copy of the model; with `update(model, step=k)`, k counted from 1, it becomes the
        weights after the first update, and then moves by 1 - decay towards those after each.
        """
        if self.model_ema_decay is None:
            return None
        with library_errors("timm cannot keep an average of the weights of this model"):
            return ModelEmaV3(model, decay=self.model_ema_decay)

    def schedule_for(self, optimizer: Optimizer, *, steps: int, per_epoch: int) -> Scheduler:
        """timm's schedule over a number of updates; the optimizer's rate is set to its first value.

        Raises:
            StudyError: the warm-up does not end within the budget.
        """
        warm_up = self.schedule["warmup_epochs"] * per_epoch
        if warm_up > steps:
            raise StudyError(
                f"schedule.warmup_epochs is {self.schedule['warmup_epochs']:g}, which is "
                f"{warm_up:g} updates of {per_epoch} an epoch, but the budget is {steps} updates "
                "in all: make the warm-up shorter or the budget larger"
            )
        with library_errors(f"timm cannot make the schedule '{self.schedule['name']}'"):
            scheduler, _ = create_scheduler_v2(
                optimizer,
                sched=self.schedule["name"],
                num_epochs=steps,
                warmup_epochs=warm_up,
                warmup_lr=self.schedule["warmup_lr"],
                min_lr=self.schedule["min_lr"],
                step_on_epochs=False,
                updates_per_epoch=1,
            )
            if not isinstance(scheduler, Scheduler):
                raise TypeError(f"it made {type(scheduler).__name__} of it")
            return scheduler
