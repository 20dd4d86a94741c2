"""`cbablate run`: train what is missing, then print the table."""

from __future__ import annotations

import typer

from cbablate.cli.output import spelled
from cbablate.cli.run_options import Address, Every, Gpus, Mirrors, Mlflow, On, Slots
from cbablate.cli.words import (
    RESULTS,
    TEXT,
    Form,
    ReaderLeft,
    Results,
    StudyPath,
    command,
    say,
    show_error,
    tell,
    tell_if_any,
)
from cbablate.errors import EnvironmentFault

__all__ = ["run"]


def run(
    study: StudyPath,
    results: Results = RESULTS,
    on: On = "ray",
    gpus_per_trial: Gpus = None,
    slots: Slots = None,
    ray_address: Address = None,
    mlflow: Mlflow = None,
    mirrors: Mirrors = True,
    checkpoint_every: Every = 60.0,
) -> None:
    """Train what is missing, then print the table. Running again is how to go on."""
    from cbablate.running.isolation.signals import stoppable

    with stoppable():
        from cbablate import api
        from cbablate.mirrors.mlflow_store import masked, unused_address
        from cbablate.overviews import overview
        from cbablate.running.isolation.stdout import stdout_set_aside

        planned = api.plan(api.load_study(study))
        shown, results = results, results.absolute()
        stdout_set_aside()
        if mirrors:
            tell_if_any(unused_address(mlflow, results))
        done = api.run(
            planned,
            results=results,
            resources=api.Resources(
                on=on,
                gpus_per_trial=gpus_per_trial,
                slots=slots,
                address=ray_address,
                checkpoint_every=checkpoint_every,
            ),
            mlflow=mlflow,
            mirrored=mirrors,
        )
    text = spelled(api.table_of(planned, done.book, view="shown"), Form(TEXT))
    try:
        _show(text, done.exit_code)
    finally:  # where the trials went is said though nobody reads the table
        server = ("--mlflow", masked(mlflow)) if mlflow else ()
        sent = command("sync", study, *server, results=shown)
        tell(overview.ended(planned, done, shown, sync=sent, mirrored=mirrors))
    if done.exit_code:
        raise typer.Exit(done.exit_code)


def _show(text: str, exit_code: int) -> None:
    """Print the table; what became of the trials is the answer if it cannot be printed."""
    try:
        say(text, end="")
    except (ReaderLeft, EnvironmentFault) as error:
        if not exit_code:
            raise
        if isinstance(error, EnvironmentFault):
            show_error(error)
