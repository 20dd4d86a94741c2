"""`cbablate`: the command line. Thin: each command reads words, calls `api`, prints."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbablate.cli.commands.diff import diff
from cbablate.cli.commands.effects import with_views
from cbablate.cli.commands.explain import NumberedCommand, explain
from cbablate.cli.commands.fsck import fsck
from cbablate.cli.commands.logs import logs
from cbablate.cli.commands.methods import methods
from cbablate.cli.commands.report import report
from cbablate.cli.commands.run import run
from cbablate.cli.commands.verify import verify as verify_paper
from cbablate.cli.leaving import leave
from cbablate.cli.output import file_of, form_for, spelled, write_file
from cbablate.cli.run_options import Mlflow
from cbablate.cli.words import (
    RESULTS,
    CheckedPaths,
    Form,
    Json,
    Kept,
    Notes,
    ReaderLeft,
    Results,
    StudyPath,
    Written,
    discard_stdout,
    form_asked,
    ledger_folder,
    product,
    say,
    show_error,
    tell,
    tell_if_any,
)
from cbablate.errors import CbablateError, Interrupted, machine_fault

if TYPE_CHECKING:
    pass

__all__ = ["main"]

app = typer.Typer(
    name="cbablate",
    help="Ablations of vision transformers: from a question in YAML to a table one can defend.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def check(files: CheckedPaths, as_json: Json = False) -> None:
    """Validate files: name every fault, with line and column. Exit code 2 if there is any."""
    from cbablate.cli import json_shape
    from cbablate.cli.commands.checking import checked

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
                say(f"{path}: {said}")
        told.append({"path": str(path), "says": said, "faults": faults})
    if as_json:
        say(json_shape.printed(json_shape.check_shape(told)))
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
    """Show what running a study would train, and about how long; train nothing."""
    from cbablate import api
    from cbablate.cli import json_shape
    from cbablate.cli.commands import cost as probing
    from cbablate.overviews import overview

    if slots is not None and not probe:
        raise CbablateError("--slots says for how many slots --probe reckons: give both")
    planned, told = api.recorded(api.plan(api.load_study(study)), results)
    if not as_json:
        say(overview.planned(planned, told))
    found = probing.probe(planned, told, slots=slots or 1) if probe else None
    if as_json:
        extra = {} if found is None else {"probe": probing.probe_shape(found)}
        say(json_shape.printed(json_shape.plan_shape(planned, told) | extra))
    elif found is not None:
        say("\n".join(["", *probing.probe_lines(planned, found)]))
    if verify:
        notes = api.verify(planned, api.Resources(on="local"))
    if verify and not as_json:
        say(f"\nVerified: all {len(planned.arms)} arms can be built.")
        for name, sentences in notes.items():
            say("\n".join(f"  {name}: {sentence}" for sentence in sentences))
    if found is not None and any(price.sample.failure for price in found.prices):
        raise typer.Exit(3)


app.command()(run)


@app.command()
def status(study: StudyPath, results: Kept = None, as_json: Json = False) -> None:
    """Show what is done, running, pruned and failed, and why."""
    from cbablate import api
    from cbablate.cli import json_shape
    from cbablate.overviews import overview
    from cbablate.records.place import Place

    planned = api.plan(api.load_study(study))
    folder = ledger_folder(results)
    at_work = Place(folder).at_work  # before the facts: what ends meanwhile is not cut short
    planned, told = api.recorded(planned, folder)
    if as_json:
        say(json_shape.printed(json_shape.status_shape(planned, told, at_work=at_work)))
        return
    say(overview.standing(planned, told, at_work=at_work))
    say(overview.kept(folder), end="")


@app.command()
@with_views
def table(
    study: StudyPath,
    results: Kept = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--as",
            parser=form_asked,
            metavar=f"<{'|'.join(Form)}>",
            help="How it is written. [default: by the file's suffix, or text]",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it to a file.")
    ] = None,
    as_json: Json = False,
    *,
    notes: Annotated[
        Notes | None, typer.Option("--notes", help="Below the table. [default: the study's]")
    ] = None,
    view: str,
) -> None:
    """Print the ablation table of what was trained so far, or another table of the study."""
    from cbablate import api
    from cbablate.analysis.outcome import outcome
    from cbablate.cli import json_shape

    wanted = form_for(output, form, as_json=as_json)
    planned = api.plan(api.load_study(study))
    folder = ledger_folder(results)
    if view == "arms" and not as_json:
        view = "shown"  # in JSON a row is an arm, however the study has its table set
    found = api.table(planned, results=folder, view=view)
    if as_json:
        rows = outcome(*api.recorded(planned, folder)).plan
        text = json_shape.printed(json_shape.table_shape(rows, found)) + "\n"
    else:
        found = found if notes is None else found.noted(notes.value)
        text = spelled(found, wanted) if output is None else ""
    if output is None:
        say(text, end="")
    else:
        write_file(output, text.encode("utf-8") if as_json else file_of(found, wanted, output))


@app.command()
def sync(study: StudyPath, results: Kept = None, mlflow: Mlflow = None) -> None:
    """Send MLflow and Optuna what they miss; train nothing."""
    from cbablate import api
    from cbablate.mirrors.mlflow_store import unused_address

    planned = api.plan(api.load_study(study))
    folder = ledger_folder(results)
    tell_if_any(unused_address(mlflow, folder))
    api.sync(planned, results=folder, mlflow=mlflow)
    tell("MLflow and Optuna show what the ledger holds.")


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
    from cbablate.mirrors.mlflow_store import unused_address
    from cbablate.mirrors.mlflow_ui import serve

    tell_if_any(unused_address(None, results))
    name = None if study is None else api.load_study(study).study.name
    serve(results, port=port, study=name, open_browser=browser)


@app.command()
def models(
    pattern: Annotated[
        str | None, typer.Argument(metavar="[PATTERN]", help="A name of timm, or one with *.")
    ] = None,
) -> None:
    """List which models are known, and where in one context can be placed."""
    from cbablate.cli.commands.models import listed

    say(listed(pattern))


@app.command()
def data(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Read this one, or this folder, whole.")
    ] = None,
    get: Annotated[bool, typer.Option("--get", help="Fetch it, if it is not here.")] = False,
) -> None:
    """List data sets: size, splits, where they lie or how to get them."""
    from cbablate.cli.commands import data as words

    if get and name is None:
        raise CbablateError("--get needs the name of a data set: cbablate data NAME --get")
    if name is None:
        say(words.catalog())
    else:
        say(words.fetched(name) if get else words.checked(name))


@app.command()
def sweep(study: StudyPath, results: Kept = None) -> None:
    """Show what each arm's tuning has found so far, and which hyperparameters matter."""
    from cbablate import api
    from cbablate.cli.commands.sweep import swept

    planned = api.plan(api.load_study(study))
    say(swept(*api.recorded(planned, ledger_folder(results))))


@app.command()
def schema(
    of: Annotated[Written, typer.Option("--of", help="Of which kind of file.")] = Written.study,
) -> None:
    """Print the JSON Schema of study, sweep or workload files, for editors."""
    import json

    from cbablate.spec.loading.schema import study_schema, sweep_schema, workload_schema
    from cbablate.workloads.catalog import SHIPPED

    if of is Written.study:
        say(json.dumps(study_schema([make() for make in SHIPPED.values()]), indent=2))
    else:
        said = sweep_schema() if of is Written.sweep else workload_schema()
        say(json.dumps(said, indent=2))


app.command()(diff)
app.command(cls=NumberedCommand)(explain)
app.command(cls=NumberedCommand)(logs)
app.command()(report)
app.command()(methods)
app.command()(verify_paper)
app.command()(fsck)


def main() -> None:
    """Run the command line; every error ends as a sentence and an exit code."""
    try:
        _command()
    except SystemExit as leaving:
        leave(leaving.code)
        raise


def _command() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows another
    stdout = sys.stdout
    try:
        sys.exit(app(standalone_mode=False))
    except CbablateError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except ReaderLeft as error:
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(Interrupted.exit_code)
    except SystemExit:
        if product() is not stdout:  # so typer tells that whoever read its help has left
            sys.stdout = stdout
            discard_stdout()
            sys.exit(ReaderLeft.exit_code)
        raise
    except Exception as error:
        fault = machine_fault(error) if isinstance(error, OSError) else None
        if fault is not None:
            show_error(fault)
            sys.exit(fault.exit_code)
        if not hasattr(error, "format_message"):
            raise
        usage = io.StringIO()  # typer's own error: it repeats the words that were typed
        error.show(file=usage)  # type: ignore[attr-defined]
        tell(usage.getvalue().rstrip())
        sys.exit(error.exit_code)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
