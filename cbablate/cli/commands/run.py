"""`cbablate run`: train what is missing, then print the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cbablate.cli.output import spelled
from cbablate.cli.run_options import Address, Every, Gpus, Mirrors, Mlflow, On, Slots, Smoke
from cbablate.cli.variant import planned_study, told_apart
from cbablate.cli.words import (
    RESULTS,
    TEXT,
    Form,
    Results,
    Studies,
    say,
    show_error,
    tell,
    tell_if_any,
)
from cbablate.errors import CbablateError, EnvironmentFault, StudyError
from cbablate.overviews.command import command

if TYPE_CHECKING:
    from cbablate.api import Resources
    from cbablate.planning.plan import Plan
    from cbablate.running.completion import Completion

__all__ = ["run"]

_BY_GRAVITY = (0, 3, 2, 4)
"""How one of several studies may end without keeping the later ones from running."""


def run(
    words: Studies,
    results: Results = RESULTS,
    on: On = "ray",
    gpus_per_trial: Gpus = None,
    slots: Slots = None,
    ray_address: Address = None,
    mlflow: Mlflow = None,
    mirrors: Mirrors = True,
    checkpoint_every: Every = 60.0,
    smoke: Smoke = False,
) -> None:
    """Train what is missing, then print the table. Running again is how to go on.

    Of several studies all are read before the first trains, and one that fails does not keep the
    others from running. The exit code is that of the study that ended worst.
    """
    from cbablate.running.isolation.signals import stoppable

    studies, overrides = told_apart(words)
    with stoppable():
        from cbablate import api
        from cbablate.cli.smoke import smoke_run
        from cbablate.mirrors.mlflow_store import unused_address

        plans = _planned(studies, overrides)
        if mirrors and not smoke:
            tell_if_any(unused_address(mlflow, results.absolute()))
    resources = api.Resources(
        on=on,
        gpus_per_trial=gpus_per_trial,
        slots=slots,
        address=ray_address,
        checkpoint_every=checkpoint_every,
    )
    runs: list[Callable[[], int]] = []
    for study, planned in zip(studies, plans, strict=True):
        to = _Mirrors(mlflow, mirrors, _sync_command(study, overrides, mlflow, results))
        one = partial(smoke_run, planned, resources)
        runs.append(one if smoke else partial(_run, planned, results, resources, to))
    worst = _one_after_another(runs, [planned.study.name for planned in plans])
    if worst:
        raise typer.Exit(worst)


def _one_after_another(runs: Sequence[Callable[[], int]], names: Sequence[str]) -> int:
    """The gravest exit code of several studies, each run whatever becomes of the others.

    Raises:
        CbablateError: there is but one study, or there is no going on.
    """
    codes = {0}
    for number, one in enumerate(runs):
        if len(runs) > 1:
            tell(f"{names[number]}: study {number + 1} of {len(runs)}")
        try:
            codes.add(one())
        except CbablateError as error:
            if len(runs) == 1 or error.exit_code not in _BY_GRAVITY:
                raise
            show_error(error)
            codes.add(error.exit_code)
    return max(codes, key=_BY_GRAVITY.index)


def _planned(studies: list[Path], overrides: list[str]) -> list[Plan]:
    """The plans of all studies.

    Raises:
        StudyError: with the faults of all files.
    """
    plans: list[Plan] = []
    faults: list[str] = []
    for study in studies:
        try:
            plans.append(planned_study(study, overrides))
        except StudyError as error:
            faults.append(str(error))
    if faults:
        raise StudyError("\n".join(faults))
    return plans


def _sync_command(study: Path, overrides: list[str], mlflow: str | None, results: Path) -> str:
    """What tells the mirrors of this run."""
    from cbablate.mirrors.mlflow_store import masked

    server = ("--mlflow", masked(mlflow)) if mlflow else ()
    return command("sync", study, *overrides, *server, results=results)


@dataclass(frozen=True)
class _Mirrors:
    """Who shows the trials: MLflow's address, whether it is told, and what tells it later."""

    mlflow: str | None
    told: bool
    sync: str


def _run(planned: Plan, results: Path, resources: Resources, to: _Mirrors) -> int:
    """Run one study and print its table; its exit code."""
    from cbablate import api
    from cbablate.overviews import overview
    from cbablate.running.isolation.signals import stoppable
    from cbablate.running.isolation.stdout import stdout_set_aside

    with stoppable():
        stdout_set_aside()
        done = api.run(
            planned,
            results=results.absolute(),  # a workload in this process may change directory
            resources=resources,
            mlflow=to.mlflow,
            mirrored=to.told,
        )
    text = spelled(api.table_of(planned, done.book, view="shown"), Form(TEXT))
    try:
        _show(text, done)
    finally:  # where the trials went is said though the table cannot be printed
        tell(overview.ended(planned, done, results, sync=to.sync, mirrored=to.told))
    return done.exit_code


def _show(text: str, done: Completion) -> None:
    """Print the table; what became of the trials is the answer if it cannot be printed."""
    try:
        say(text, end="")
    except EnvironmentFault as error:
        if not done.exit_code:
            raise
        show_error(error)
