"""`cbablate`: the command line. Thin: each command reads words, calls `api`, prints."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbablate.cli.diff import diff
from cbablate.cli.effects import (
    Alignment,
    Components,
    Effects,
    Mechanism,
    Pairs,
    Robust,
    chosen,
)
from cbablate.cli.explain import explain
from cbablate.cli.fsck import fsck
from cbablate.cli.report import report
from cbablate.cli.verify import verify
from cbablate.cli.words import (
    RESULTS,
    CheckedPaths,
    Form,
    Json,
    Results,
    StudyPath,
    Where,
    Written,
    show_error,
)
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
Mirrors = Annotated[
    bool,
    typer.Option("--mirrors/--no-mirrors", help="Whether MLflow and Optuna are kept up to date."),
]


@app.command()
def check(files: CheckedPaths, as_json: Json = False) -> None:
    """Say every fault of every file, with line and column. Exit code 2 if there is any."""
    from cbablate.cli import json_shape
    from cbablate.cli.checking import checked

    faulty = 0
    told = []
    for path in files:
        said, faults = "", list[str]()
        try:
            said = checked(path)
        except CbablateError as error:
            faulty += 1
            faults = str(error).splitlines()
            if not as_json:
                show_error(error)
        else:
            if not as_json:
                print(f"{path}: {said}")
        told.append({"path": str(path), "says": said, "faults": faults})
    if as_json:
        print(json_shape.printed(json_shape.check_shape(told)))
    if faulty:
        raise typer.Exit(2)


@app.command()
def plan(
    study: StudyPath,
    results: Results = RESULTS,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also build every arm, in this process.")
    ] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Also time a few steps of each shape, here.")
    ] = False,
    slots: Annotated[
        int | None, typer.Option("--slots", metavar="N", min=1, help="Of --probe. [default: 1]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what running a study would train, and about how long; train nothing."""
    from cbablate import api
    from cbablate.cli import json_shape, overview
    from cbablate.cli import probe as probing

    if slots is not None and not probe:
        raise CbablateError("--slots says for how many slots --probe reckons: give both")
    planned = api.plan(api.load_study(study))
    told = api.facts(results)
    if not as_json:
        print(overview.planned(planned, told), flush=True)
    found = probing.probe(planned, told, slots=slots or 1) if probe else None
    if as_json:
        extra = {} if found is None else {"probe": probing.probe_shape(found)}
        print(json_shape.printed(json_shape.plan_shape(planned, told) | extra))
    elif found is not None:
        print("", *probing.probe_lines(planned, found), sep="\n")
    if verify:
        notes = api.verify(planned, api.Resources(on="local"))
    if verify and not as_json:
        print(f"\nVerified: all {len(planned.arms)} arms can be built.")
        for name, sentences in notes.items():
            print("\n".join(f"  {name}: {sentence}" for sentence in sentences))
    if found is not None and any(price.sample.failure for price in found.prices):
        raise typer.Exit(3)


@app.command()
def run(
    study: StudyPath,
    results: Results = RESULTS,
    on: On = Where.ray,
    gpus_per_trial: Gpus = None,
    slots: Slots = None,
    ray_address: Address = None,
    mlflow: Mlflow = None,
    mirrors: Mirrors = True,
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
            mirrored=mirrors,
        )
    _write(_spelled(api.table_of(planned, done.facts, view="shown"), Form.text))
    print(overview.ended(planned, done, shown, mirrored=mirrors), file=sys.stderr)
    if done.exit_code:
        raise typer.Exit(done.exit_code)


@app.command()
def status(study: StudyPath, results: Results = RESULTS, as_json: Json = False) -> None:
    """Say what is done, running, pruned and failed, and why."""
    from cbablate import api
    from cbablate.cli import json_shape, overview

    if as_json:
        planned = api.plan(api.load_study(study))
        print(json_shape.printed(json_shape.status_shape(planned, api.facts(results))))
        return
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
    effects: Effects = False,
    components: Components = False,
    pairs: Pairs = False,
    mechanism: Mechanism = False,
    alignment: Alignment = False,
    robust: Robust = False,
    as_json: Json = False,
) -> None:
    """Print the ablation table of what was trained so far, or another table of the study."""
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.cli import json_shape

    view = chosen(
        effects=effects,
        components=components,
        pairs=pairs,
        mechanism=mechanism,
        alignment=alignment,
        robust=robust,
    )
    planned = api.plan(api.load_study(study))
    if view == "arms" and not as_json:
        view = "shown"  # in JSON a row is an arm, however the study has its table set
    found = api.table(planned, results=results, view=view)
    if as_json:
        rows = outcome(planned, api.facts(results)).plan
        text = json_shape.printed(json_shape.table_shape(rows, found)) + "\n"
    else:
        text = _spelled(found, form)
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
def models(
    pattern: Annotated[
        str | None, typer.Argument(metavar="[PATTERN]", help="A name of timm, or one with *.")
    ] = None,
) -> None:
    """Say which models are known, and where in one context can be placed."""
    from cbablate.cli.models import listed

    print(listed(pattern))


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
def sweep(study: StudyPath, results: Results = RESULTS) -> None:
    """Say what each arm's tuning has found so far, and which hyperparameters matter."""
    from cbablate import api
    from cbablate.cli.sweep import swept

    print(swept(api.plan(api.load_study(study)), api.facts(results)))


@app.command()
def schema(
    of: Annotated[Written, typer.Option("--of", help="Of which kind of file.")] = Written.study,
) -> None:
    """Print the JSON Schema of study files, or of sweep files, for editors."""
    import json

    from cbablate.spec.schema import study_schema, sweep_schema
    from cbablate.workloads.catalog import SHIPPED

    if of is Written.sweep:
        print(json.dumps(sweep_schema(), indent=2))
    else:
        print(json.dumps(study_schema([make() for make in SHIPPED.values()]), indent=2))


app.command()(diff)
app.command()(explain)
app.command()(report)
app.command()(verify)
app.command()(fsck)


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
        if sys.stdout is not None:
            _give_up_stdout()
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
        _give_up_stdout()  # whoever read our output has left
        sys.exit(0)


def _give_up_stdout() -> None:
    """Let what could not be written be lost: Python would try again when it shuts down, complain,
    and exit with a code of its own.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
