"""`TransformersCallback`: a callback of Hugging Face's `Trainer` that reports what it logs.

trainer = Trainer(..., callbacks=[TransformersCallback()])
"""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from cbablate.workloads.own_code.report import current_trial, report

__all__ = ["TransformersCallback"]

_CLOCKS = ("_runtime", "_per_second")
_WHOLE = 1e-6
"""How far from a whole number of epochs the end of one may be, by rounding."""


class TransformersCallback(TrainerCallback):
    """Reports, after each evaluation, what was logged since the last one.

    Several evaluations at one point, on a data set each say, are one measurement: it is reported
    when the trainer goes on or ends. Where epochs are counted, an evaluation within one is left
    out. What is logged after training, by an evaluation on test data say, is added to the last
    measurement. A pruned trial ends by `TrialStopped`, which passes through the trainer.
    """

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}
        self._training = self._evaluated = False
        self._reached = 0
        self._clocked: set[str] = set()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any) -> None:
        """The trainer logs numbers: those of an evaluation just before `on_evaluate`."""
        self._logged.update({name: n for name, n in (logs or {}).items() if name != "epoch"})

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """A training begins."""
        self._training = True

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **others: Any
    ) -> None:
        """An evaluation has ended; another one may follow at the same point."""
        if _spent(state) is None:
            for name in metrics or {}:
                self._logged.pop(name, None)
            return
        self._evaluated = True
        if not self._training:
            self._report(state)

    def on_step_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """The training goes on."""
        if self._evaluated:
            self._report(state)

    def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """The training has ended, and what it took is logged."""
        self._training = False
        self._report(state)

    def _report(self, state: Any) -> None:
        spent, self._evaluated = _spent(state), False
        if spent is None or not self._logged:
            return
        if spent > self._reached:
            self._clocked.clear()
        numbers = {name: n for name, n in self._logged.items() if name not in self._clocked}
        self._clocked |= {name for name in numbers if name.endswith(_CLOCKS)}
        self._reached, self._logged = spent, {}
        report(numbers, spent=spent)


def _spent(state: Any) -> int | None:
    """What has been spent of the trial's budget; None before its start and within an epoch."""
    trial = current_trial() if state.is_world_process_zero else None
    if trial is None:
        return None
    passed = (state.epoch or 0) if trial.budget.unit == "epochs" else state.global_step
    spent = round(passed)
    return spent if spent > 0 and abs(passed - spent) < _WHOLE else None
