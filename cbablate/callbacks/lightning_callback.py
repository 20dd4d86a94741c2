"""`LightningCallback`: a callback of PyTorch Lightning that reports what a module logs.

trainer = Trainer(callbacks=[LightningCallback()], max_epochs=...)
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from cbablate.workloads.own_code.report import current_trial, report

if TYPE_CHECKING or importlib.util.find_spec("lightning"):
    from lightning.pytorch import Callback
else:
    from pytorch_lightning import Callback

__all__ = ["LightningCallback"]


class LightningCallback(Callback):
    """Reports all logged scalars after each epoch; after each validation, if steps are counted.

    What is logged while testing afterwards is added to the last measurement. A pruned trial ends
    by `TrialStopped`, which passes through the trainer.
    """

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """An epoch has ended, its validation too."""
        self._report(trainer, "epochs", trainer.current_epoch + 1)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """A validation has ended, maybe within an epoch."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._report(trainer, "steps", trainer.global_step)

    def on_test_end(self, trainer: Any, pl_module: Any) -> None:
        """A test has ended."""
        if trainer.is_global_zero:
            report({name: float(value) for name, value in trainer.callback_metrics.items()})

    def _report(self, trainer: Any, unit: str, spent: int) -> None:
        trial = current_trial() if trainer.is_global_zero else None
        if trial is not None and trial.budget.unit == unit:
            metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
            report(metrics, spent=spent)
