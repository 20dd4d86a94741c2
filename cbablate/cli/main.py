"""`cbablate`: the command line. Thin: each command reads words, calls `api`, prints."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbablate.cli.words import Form, Where, show_error
from cbablate.errors import CbablateError, EnvironmentFault

if TYPE_CHECKING:
    from cbablate.reporting.table import Table

__all__ = ["main"]

app = typer.Typer(
    name="cbablate",
    help="Ablations of vision transformers: from a question in YAML to a table one can defend.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="A study file.")]
StudyPaths = Annotated[list[Path], typer.Argument(metavar="STUDY...", help="Study files.")]
Results = Annotated[
    Path, typer.Option("--results", metavar="DIR", help="Folder of the ledger and the tables.")
]
On = Annotated[Where, typer.Option("--on", help="Where trials run.")]
Gpus = Annotated[
    float | None,
    typer.Option("--gpus-per-trial", metavar="N", help="GPUs a trial takes; 0.25 puts 4 on one."),
]
Slots = Annotated[
    int | None,
    typer.Option("--slots", metavar="N", min=1, help="Most trials at a time. [default: what fits]"),
]
Address = Annotated[
    str | None, typer.Option("--ray-address", metavar="HOST:PORT", help="Join this Ray cluster.")
]
Every = Annotated[
    float,
    typer.Option(
        "--checkpoint-every",
        metavar="SECONDS",
        min=0,
        help="Least time between two checkpoints of a trial; 0 is one with each measurement.",
    ),
]
Mlflow = Annotated[
    str | None,
    typer.Option("--mlflow", metavar="URI", help="MLflow tracking URI. [default: in --results]"),
]
RESULTS = Path("results")


@app.command()
def check(studies: StudyPaths) -> None:
    """Say every fault of every file, with line and column. Exit code 2 if there is any."""
    from cbablate import api

    faulty = 0
    for path in studies:
        try:
            found = api.plan(api.load_study(path))
        except CbablateError as error:
            faulty += 1
            show_error(error)
        else:
            print(f"{path}: {len(found.arms)} arms, {len(found.trials)} trials")
    if faulty:
        raise typer.Exit(2)


@app.command()
def plan(
    study: StudyPath,
    results: Results = RESULTS,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also build every arm, in this process.")
    ] = False,
) -> None:
    """Say what running a study would train, and about how long; train nothing."""
    from cbablate import api
    from cbablate.cli import overview

    planned = api.plan(api.load_study(study))
    print(overview.planned(planned, api.facts(results)))
    if verify:
        api.verify(planned, api.Resources(on="local"))
        print(f"\nVerified: all {len(planned.arms)} arms can be built.")


@app.command()
def run(
    study: StudyPath,
    results: Results = RESULTS,
    on: On = Where.ray,
    gpus_per_trial: Gpus = None,
    slots: Slots = None,
    ray_address: Address = None,
    mlflow: Mlflow = None,
    checkpoint_every: Every = 60.0,
) -> None:
    """Train what is missing, then print the table. Running again is how to go on."""
    from cbablate import api
    from cbablate.cli import overview
    from cbablate.running.signals import stoppable

    planned = api.plan(api.load_study(study))
    shown, results = results, results.absolute()
    with stoppable():
        done = api.run(
            planned,
            results=results,
            resources=api.Resources(
                on=on.value,
                gpus_per_trial=gpus_per_trial,
                slots=slots,
                address=ray_address,
                checkpoint_every=checkpoint_every,
            ),
            mlflow=mlflow,
        )
    _write(_spelled(api.table(planned, results=results), Form.text))
    print(overview.ended(planned, done, shown), file=sys.stderr)
    if done.exit_code:
        raise typer.Exit(done.exit_code)


@app.command()
def status(study: StudyPath, results: Results = RESULTS) -> None:
    """Say what is done, running, pruned and failed, and why."""
    from cbablate import api
    from cbablate.cli import overview

    print(overview.standing(api.plan(api.load_study(study)), api.facts(results)))
    print(overview.kept(results), end="")


@app.command()
def table(
    study: StudyPath,
    results: Results = RESULTS,
    form: Annotated[Form, typer.Option("--as", help="How it is written.")] = Form.text,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it to a file.")
    ] = None,
) -> None:
    """Print the ablation table of what has been trained so far."""
    from cbablate import api

    text = _spelled(api.table(api.plan(api.load_study(study)), results=results), form)
    if output is None:
        _write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CbablateError(f"{output} cannot be written: {error.strerror}") from error
    print(f"wrote {output}", file=sys.stderr)


@app.command()
def sync(study: StudyPath, results: Results = RESULTS, mlflow: Mlflow = None) -> None:
    """Send MLflow and Optuna what they miss; train nothing."""
    from cbablate import api

    api.sync(api.plan(api.load_study(study)), results=results, mlflow=mlflow)
    print("MLflow and Optuna show what the ledger holds.", file=sys.stderr)


@app.command()
def ui(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="Open it on this study.")
    ] = None,
    results: Results = RESULTS,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Serve MLflow's UI on this machine only, until Ctrl-C."""
    from cbablate import api
    from cbablate.running.mlflow_ui import serve

    name = None if study is None else api.load_study(study).study.name
    serve(results, port=port, study=name, open_browser=browser)


@app.command()
def data(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Read this one, or this folder, whole.")
    ] = None,
    get: Annotated[bool, typer.Option("--get", help="Fetch it, if it is not here.")] = False,
) -> None:
    """List data sets: size, splits, where they lie or how to get them."""
    from cbablate.cli import data as words

    if get and name is None:
        raise CbablateError("--get needs the name of a data set: cbablate data NAME --get")
    if name is None:
        print(words.catalog())
    else:
        print(words.fetched(name) if get else words.checked(name))


@app.command()
def schema() -> None:
    """Print the JSON Schema of study files, for editors."""
    import json

    from cbablate.spec.schema import study_schema
    from cbablate.workloads.catalog import SHIPPED

    print(json.dumps(study_schema([make() for make in SHIPPED.values()]), indent=2))


def _spelled(table: Table, form: Form) -> str:
    """The table in a form; in plain ASCII where this terminal cannot show more."""
    from cbablate.reporting.form import render
    from cbablate.reporting.terminal import terminal

    if form is not Form.text:
        return render(table, form.value)
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return terminal(table, ascii_only=not encoding.startswith("utf"))


def _write(text: str) -> None:
    """Text on stdout as it is; every form ends its last line by itself."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (AttributeError, OSError) as error:  # stdout is closed, or its disk is full
        raise EnvironmentFault(f"the table cannot be printed: {error}") from error


def main() -> None:
    """Run the command line; every error ends as a sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows another
    try:
        app()
    except CbablateError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain once more when it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
