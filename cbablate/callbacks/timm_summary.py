"""`update_summary`: timm's function of that name, which reports what it writes, too.

In a copy of timm's `train.py`, after its imports:

    from cbablate.callbacks import timm_summary
    utils.update_summary = timm_summary.update_summary
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from timm.utils import summary

from cbablate.workloads.own_code.report import report

__all__ = ["update_summary"]


def update_summary(
    epoch: int,
    train_metrics: Mapping[str, float],
    eval_metrics: Mapping[str, float] | None,
    *others: Any,
    **named: Any,
) -> None:
    """Add an epoch, counted from 0, to the summary, and report it under the summary's names."""
    summary.update_summary(epoch, train_metrics, eval_metrics, *others, **named)
    numbers = {f"train_{name}": value for name, value in train_metrics.items()}
    numbers |= {f"eval_{name}": value for name, value in (eval_metrics or {}).items()}
    report(numbers, spent=epoch + 1)
