"""`LightningCallback`: a callback of PyTorch Lightning that reports what a module logs.

callback = LightningCallback()
trainer = Trainer(callbacks=[callback], max_epochs=...)
trainer.fit(model, ..., ckpt_path=callback.resume_from)
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import torch

from cbablate.workloads.own_code.report import current_trial, report

if TYPE_CHECKING or importlib.util.find_spec("lightning"):
    from lightning.pytorch import Callback
else:
    from pytorch_lightning import Callback

__all__ = ["LightningCallback"]

_FILE = "lightning.ckpt"


class LightningCallback(Callback):
    """Reports the scalars logged in each epoch; up to each validation, if steps are counted.

    A report is made when the trainer goes on or ends, since a module may log in hooks that come
    after a callback's. What was logged before the last report is not repeated, though the trainer
    keeps it. What is logged while testing afterwards is added to the last measurement. A pruned
    trial ends by `TrialStopped`, which passes through the trainer. A training of epochs leaves
    checkpoints when they are due, with the state of PyTorch's generators, and goes on from them by
    `resume_from`.
    """

    def __init__(self) -> None:
        self._generators: dict[str, Any] = {}
        self._spent: int | None = None
        """What was spent by the measurement that is still to be reported."""
        self._former: dict[str, Any] = {}
        """The tensors that the trainer kept at the last report."""
        self._progress: dict[str, Any] | None = None
        """Where the trainer was at the end of an epoch after which a checkpoint is due."""

    @property
    def resume_from(self) -> str | None:
        """The checkpoint that an earlier attempt left, for `ckpt_path`; None if there is none."""
        trial = current_trial()
        found = trial.checkpoint.found if trial is not None else None
        return str(found / _FILE) if found is not None and (found / _FILE).exists() else None

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """An epoch has ended, its validation too; the module may still log of it."""
        self._measured(trainer, "epochs", trainer.current_epoch + 1)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """A validation has ended, maybe within an epoch."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._measured(trainer, "steps", trainer.global_step)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Another epoch begins: all of the last one is done, also by hooks and schedulers."""
        trial = current_trial() if self._progress is not None else None
        if trial is not None:
            with trial.checkpoint.written() as folder:
                trainer.save_checkpoint(folder / _FILE)
        self._progress = None
        self._report(trainer)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, *batch: Any) -> None:
        """Another step begins."""
        self._report(trainer)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """The training is over."""
        self._report(trainer)

    def on_test_end(self, trainer: Any, pl_module: Any) -> None:
        """A test has ended."""
        if trainer.is_global_zero:
            report({name: float(value) for name, value in trainer.callback_metrics.items()})

    def _measured(self, trainer: Any, unit: str, spent: int) -> None:
        trial = current_trial()
        if trial is None or trial.budget.unit != unit:
            return
        self._spent = spent
        steady = trainer.world_size == 1 and not trainer.reload_dataloaders_every_n_epochs
        if unit == "epochs" and steady and trial.checkpoint.due:
            self._progress = trainer.fit_loop.state_dict()

    def _report(self, trainer: Any) -> None:
        spent, self._spent = self._spent, None
        if spent is None or not trainer.is_global_zero:
            return
        kept = dict(trainer.callback_metrics)
        fresh = {name: one for name, one in kept.items() if one is not self._former.get(name)}
        self._former = kept
        report({name: float(value) for name, value in fresh.items()}, spent=spent)

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        """Lightning goes on from the end of an epoch, not from the beginning of the next one."""
        if self._progress is not None:
            checkpoint["loops"]["fit_loop"] = self._progress

    def state_dict(self) -> dict[str, Any]:
        """The state of PyTorch's generators, which Lightning does not keep."""
        return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state from a checkpoint."""
        self._generators = state_dict

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Checkpoints are loaded; the batches are not yet shuffled."""
        if self._generators:
            torch.set_rng_state(self._generators["cpu"].cpu())
            torch.cuda.set_rng_state_all([each.cpu() for each in self._generators["cuda"]])
