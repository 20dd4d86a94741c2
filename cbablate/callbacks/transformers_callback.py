"""`TransformersCallback`: a callback of Hugging Face's `Trainer` that reports what it logs.

trainer = Trainer(..., callbacks=[TransformersCallback()])
"""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from cbablate.workloads.own_code.report import current_trial, report

__all__ = ["TransformersCallback"]

_CLOCKS = ("_runtime", "_per_second")


class TransformersCallback(TrainerCallback):
    """Reports, at each evaluation, what was logged since the last one.

    What is logged after training, by an evaluation on test data say, is added to the last
    measurement. A pruned trial ends by `TrialStopped`, which passes through the trainer.
    """

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}
        self._reached = 0
        self._clocked: set[str] = set()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any) -> None:
        """The trainer logs numbers: those of an evaluation just before `on_evaluate`."""
        self._logged.update({name: n for name, n in (logs or {}).items() if name != "epoch"})

    def on_evaluate(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """An evaluation has ended."""
        self._report(state)

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """The training has ended, and what it took is logged."""
        self._report(state)

    def _report(self, state: Any) -> None:
        trial = current_trial() if state.is_world_process_zero else None
        if trial is None or not self._logged:
            return
        epochs = trial.budget.unit == "epochs"
        spent = round(state.epoch or 0) if epochs else state.global_step
        if spent > self._reached:
            self._clocked.clear()
        numbers = {name: n for name, n in self._logged.items() if name not in self._clocked}
        self._clocked |= {name for name in numbers if name.endswith(_CLOCKS)}
        self._reached, self._logged = spent, {}
        report(numbers, spent=spent)
