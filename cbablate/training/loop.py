"""One network in training: its update, and the stream of its epochs."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cbablate.data.batches import Batch
from cbablate.data.images import Images
from cbablate.errors import TrialFailure
from cbablate.fingerprint import derive_seed
from cbablate.spec.budget import Budget
from cbablate.training.augmentation import Augmentation
from cbablate.training.compute import Compute
from cbablate.training.recipe import Recipe

__all__ = ["Progress", "Update", "fit", "updates", "updates_per_epoch"]

_LOOK = 100
"""Updates between two looks at the losses: each look waits for the device."""


@dataclass(frozen=True)
class Progress:
    """What an epoch, or the part of one that the budget left, came to.

    `loss` is the mean over its updates of what was minimised, augmentation and smoothing
    included; `images` and `seconds` are this part's own. `model` is the network to evaluate: the
    one in training, or the average of its weights where the recipe takes one. `state` gives what a
    training needs to go on from here (`Update.state`); to be called before the next item is asked
    for. `observed` is what was asked to be read off the gradients of its last update.
    """

    spent: int
    loss: float
    images: int
    seconds: float
    model: nn.Module = field(repr=False)
    state: Callable[[], Mapping[str, Any]] = field(repr=False)
    observed: tuple[float, ...] = ()


class Update:
    """One step of training: forward, backward, optimizer, schedule.

    Everything random in it (dropout, stochastic depth, augmentation) is drawn from `seed` and the
    number of the update.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Images,
        recipe: Recipe,
        *,
        seed: int,
        steps: int,
        compute: Compute,
    ) -> None:
        self.done = 0
        self._model = model
        self._compute = compute
        self._seed = seed
        self._clip = recipe.clip_grad
        self._average = recipe.average_for(model)
        self._optimizer = recipe.optimizer_for(model)
        self._schedule = recipe.schedule_for(
            self._optimizer, steps=steps, per_epoch=updates_per_epoch(len(images.train), recipe)
        )
        self._augment = Augmentation(
            recipe.batchwise if images.streamed else recipe.augment,
            seed=seed,
            num_classes=images.facts.num_classes,
            background=images.background,
            compute=compute,
        )
        self._smoothing: float = recipe.augment["smoothing"]

    def __call__(
        self, images: Tensor, labels: Tensor, *, observe: Callable[[], object] | None = None
    ) -> Tensor:
        """The loss of the batch before the update, on the device and without its graph.

        `images` is the update's own copy: mixing writes into it. `observe` is called while the
        parameters hold the gradient, before it is clipped.
        """
        images, targets = self._augment(images, labels, self.done)
        self._compute.seed(derive_seed(self._seed, "step", self.done))
        with self._compute.autocast():
            outputs = self._model(images)
        loss = self._loss(outputs, targets)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it bare
        if observe is not None:
            observe()
        if self._clip is not None:
            nn.utils.clip_grad_norm_(self._model.parameters(), self._clip)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.done += 1
        self._schedule.step_update(self.done)
        if self._average is not None:
            self._average.update(self._model, step=self.done)
        return loss.detach()

    @property
    def evaluated(self) -> nn.Module:
        """The network to evaluate: the average of the weights, or the model where there is none."""
        return self._model if self._average is None else self._average.module

    def state(self) -> dict[str, Any]:
        """All that the next update depends on, but for what the config says.

        Tensors are the live ones, not copies. The schedule's rate, the order of the images and
        whatever is random follow from the number of updates, and no generator's state is needed.
        """
        state = {
            "model": dict(self._model.state_dict()),
            "optimizer": self._optimizer.state_dict(),
            "updates": self.done,
        }
        if self._average is not None:
            state["average"] = dict(self._average.module.state_dict())
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state, of a training with the same config.

        Raises:
            KeyError, RuntimeError, TypeError, ValueError: it is not one of this training.
        """
        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        if self._average is not None:
            self._average.module.load_state_dict(state["average"])
        self.done = int(state["updates"])
        self._schedule.step_update(self.done)

    def _loss(self, outputs: Tensor | tuple[Tensor, ...], targets: Tensor) -> Tensor:
        """Cross-entropy; of a model with several heads in training, the mean over them."""
        # mixing has smoothed its targets already
        smoothing = self._smoothing if targets.ndim == 1 else 0.0
        heads = outputs if isinstance(outputs, tuple) else (outputs,)
        losses = [cross_entropy(o.float(), targets, label_smoothing=smoothing) for o in heads]
        return losses[0] if len(losses) == 1 else torch.stack(losses).mean()


def fit(
    model: nn.Module,
    images: Images,
    recipe: Recipe,
    *,
    seed: int,
    budget: Budget,
    compute: Compute,
    since: Mapping[str, Any] | None = None,
    observe: Callable[[], tuple[float, ...]] | None = None,
) -> Generator[Progress, None, None]:
    """Train `model` on `images.train`, one item an epoch; the last has spent the whole budget.

    With a state from the end of an earlier epoch, `since`, the training goes on from there; on a
    CPU every bit is then as if it had never stopped.

    Every epoch is a fresh order of the images, drawn from the seed and the epoch's number. Each
    batch is full: the images left over are not seen in that epoch. The model is in training mode
    when the work of an epoch begins. `observe` reads the gradients of the last update of each.

    Raises:
        StudyError: optimizer or schedule cannot be made, or the warm-up outlasts the budget.
        TrialFailure: a loss was not finite (`diverged`), or the device ran out of memory.
    """
    batch = _batch(len(images.train), recipe)
    per_epoch = updates_per_epoch(len(images.train), recipe)
    steps = updates(budget, per_epoch)
    update = Update(model, images, recipe, seed=seed, steps=steps, compute=compute)
    if since is not None:
        update.restore(since)
    epoch = update.done // per_epoch
    while update.done < steps:
        began = time.perf_counter()
        count = min(per_epoch, steps - update.done)
        batches = images.train.epoch(batch, count=count, seed=seed, epoch=epoch)
        try:
            loss, observed = _pass(model, update, batches, count=count, observe=observe)
        except torch.OutOfMemoryError as error:
            raise _too_large(recipe, compute, error) from error
        epoch += 1
        yield Progress(
            spent=epoch if budget.unit == "epochs" else update.done,
            loss=loss,
            images=count * batch,
            seconds=time.perf_counter() - began,
            model=update.evaluated,
            state=update.state,
            observed=observed,
        )


def _too_large(recipe: Recipe, compute: Compute, error: torch.OutOfMemoryError) -> TrialFailure:
    return TrialFailure(
        f"{compute.name} ran out of memory at batch_size {recipe.batch_size}: make the batch "
        f"smaller, or run fewer trials on the device ({error})"
    )


def updates_per_epoch(images: int, recipe: Recipe) -> int:
    """How many full batches the training images make; one, where they do not fill a batch."""
    return images // _batch(images, recipe)


def updates(budget: Budget, per_epoch: int) -> int:
    """How many updates a budget is."""
    return budget.amount if budget.unit == "steps" else budget.amount * per_epoch


def _batch(images: int, recipe: Recipe) -> int:
    """Images an update; of fewer than a batch all there are, an even number where they mix."""
    held = min(recipe.batch_size, images)
    mixing = recipe.augment["mixup"] > 0 or recipe.augment["cutmix"] > 0
    return held - held % 2 if mixing else held


def _pass(
    model: nn.Module,
    update: Update,
    batches: Iterator[Batch],
    *,
    count: int,
    observe: Callable[[], tuple[float, ...]] | None,
) -> tuple[float, tuple[float, ...]]:
    """An update for each of `count` batches; the mean loss, and what was observed in the last."""
    model.train()
    total = 0.0
    losses: list[Tensor] = []
    observed: tuple[float, ...] = ()

    def note() -> None:
        nonlocal observed
        observed = observe() if observe is not None else ()

    for index, (images, labels) in enumerate(batches, start=1):
        look = note if observe is not None and index == count else None
        losses.append(update(images, labels, observe=look))
        if len(losses) == _LOOK or index == count:
            total += _sum(torch.stack(losses).double().cpu(), last=update.done)
            losses = []
    return total / count, observed


def _sum(losses: Tensor, *, last: int) -> float:
    """The sum of losses, of which the last belongs to update number `last`, counted from 1."""
    bad = torch.nonzero(~losses.isfinite()).flatten().tolist()
    if bad:
        raise TrialFailure(
            f"the training loss was {losses[bad[0]].item()} at update "
            f"{last - len(losses) + bad[0] + 1}: the training diverged",
            failure="diverged",
        )
    return float(losses.sum())
