"""What a program calls: load a study, plan it, run it, read its table. The CLI calls it too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cbablate.analysis.outcome import outcome
from cbablate.analysis.provenance.recorded_version import as_recorded
from cbablate.errors import CbablateError, EnvironmentFault, StudyError, UsageError
from cbablate.overviews.command import RESULTS
from cbablate.planning import plan as planning
from cbablate.planning.plan import Plan
from cbablate.records.book import Book, Recorded
from cbablate.records.place import Place, results_folder
from cbablate.records.record import Record
from cbablate.spec.loading.load import StudyFile, read_study
from cbablate.spec.needs import Needs
from cbablate.workloads.catalog import SHIPPED, describe

if TYPE_CHECKING:
    from cbablate.mirrors.port import Mirror
    from cbablate.reporting.model.table import Table
    from cbablate.running.completion import Completion
    from cbablate.running.executors.port import Executor

__all__ = ["Resources", "load_study", "plan", "run", "sync", "table", "verify"]


@dataclass(frozen=True)
class Resources:
    """Where trials run, and what each may take.

    `on` is `ray` (side by side, on this machine or the cluster at `address`), `local` (in this
    process, one after another), or `module:Class` of an executor of one's own.
    `gpus_per_trial` may be a fraction; None is a whole one where there are GPUs. `slots` limits how
    many trials run at a time.
    `checkpoint_every` is how many seconds at least a trial trains between two checkpoints, from
    which it goes on when it is cut short; 0 is one with each measurement.
    """

    on: str = "ray"
    gpus_per_trial: float | None = None
    slots: int | None = None
    address: str | None = None
    checkpoint_every: float = 60.0

    @property
    def needs(self) -> Needs | None:
        """What each trial takes; None if nothing was said of it.

        Raises:
            UsageError: there is no such amount.
        """
        return None if self.gpus_per_trial is None else Needs(gpus=self.gpus_per_trial)

    def executor(self) -> Executor:
        """The executor that these words ask for, not entered yet.

        Raises:
            UsageError: a word is none of its values, or they do not go together.
            EnvironmentFault: Ray cannot be imported.
        """
        if not self.checkpoint_every >= 0:
            raise UsageError(
                f"checkpoints are taken every so many seconds, 0 or more, not every "
                f"{self.checkpoint_every:g}"
            )
        if self.address is not None and not self.address.strip():
            raise UsageError(
                "the address of the Ray cluster is empty (a variable that is not set?): give "
                "HOST:PORT, or leave it out for a Ray of this machine alone"
            )
        from cbablate.running.executors.catalog import executor_on

        return executor_on(self.on, needs=self.needs, slots=self.slots, address=self.address)


def _refuse_idle_gpus(plan: Plan, resources: Resources) -> None:
    """The workloads that we ship train on one GPU at most; more would be reserved and not used."""
    asked = resources.gpus_per_trial or 0.0
    if asked > 1 and plan.description.name in SHIPPED:
        raise EnvironmentFault(
            f"workload '{plan.description.name}' trains a trial on one GPU at most, and "
            f"--gpus-per-trial {asked:g} would hold {asked:g} for each. Say 1, or a share such as "
            "0.5, and trials run side by side on the GPUs there are."
        )


def load_study(path: str | Path, overrides: Sequence[str] = ()) -> StudyFile:
    """Read a study file; with overrides, `["budget.epochs=2"]`, the variant that they make of it.

    Raises:
        StudyError: with every fault of the file, each with line and column.
        UsageError: a word is no override.
    """
    return read_study(Path(path), describe, overrides=overrides)


def plan(file: StudyFile) -> Plan:
    """The arms and trials of a study.

    Raises:
        StudyError: arms that cannot be, or are the same, located in the file.
    """
    try:
        return planning.plan(file.study, file.description)
    except StudyError as error:
        raise file.located(error) from None


def verify(plan: Plan, resources: Resources = Resources()) -> dict[str, list[str]]:
    """Build every arm, train nothing; sentences about what each adds, by arm name.

    Raises:
        StudyError: arms that the workload's libraries cannot build.
    """
    from cbablate.running.verification import observe
    from cbablate.running.verification import verify as ask

    _refuse_idle_gpus(plan, resources)
    with resources.executor() as executor:
        ask(plan, executor)
        return observe(plan, executor)


def run(
    plan: Plan,
    *,
    results: str | Path = RESULTS,
    resources: Resources = Resources(),
    mlflow: str | None = None,
    mirrored: bool = True,
) -> Completion:
    """Train what is missing, write tables and figures, bring MLflow and Optuna up to date.

    Args:
        plan: what to run.
        results: folder of the ledger; tables go to `results/<study>/`.
        resources: where trials run.
        mlflow: tracking URI; None for a store under `results`.
        mirrored: whether MLflow and Optuna are written at all; what is left out now, `sync`
            sends later.

    Raises:
        CbablateError: see `running.drive.drive`.
    """
    from cbablate.reporting.pages.publication import publish
    from cbablate.running.drive import drive

    _refuse_idle_gpus(plan, resources)
    folder = results_folder(results).absolute()  # a workload in this process may change directory
    return drive(
        plan,
        results=folder,
        executor=resources.executor,
        checkpoint_every=resources.checkpoint_every,
        publish=lambda book: publish(as_recorded(plan, book.facts), book, folder / plan.study.name),
        mirrors=lambda: _mirrors(folder, mlflow) if mirrored else (),
    )


def sync(plan: Plan, *, results: str | Path = RESULTS, mlflow: str | None = None) -> None:
    """Bring MLflow and Optuna up to date with the ledger, training nothing.

    Raises:
        MirrorUnreachable: one of them cannot be reached.
        OwnedElsewhere: a study is running here, and brings them up to date itself.
    """
    from cbablate.reporting.pages.publication import publish
    from cbablate.running.drive import sync as bring

    folder = results_folder(results).absolute()
    mirrors = _mirrors(folder, mlflow)
    with Place(folder).writing() as ledger:  # mirrors have one writer, as the ledger has
        book = Book.of(ledger.records())
        known = as_recorded(plan, book.facts)
        bring(
            known,
            book,
            mirrors=mirrors,
            publish=lambda told: publish(known, told, folder / plan.study.name),
        )


def table(plan: Plan, *, results: str | Path = RESULTS, view: str = "arms") -> Table:
    """The ablation table of what the ledger holds of a plan; `str` of it is for a terminal.

    `view` is `arms`, a row each; `two_way`, two factors crossed; `shown`, that of both which the
    study's `report` asks for; or another of its tables, by its name in `VIEWS`.

    Raises:
        CbablateError: the study does not tell what is asked for, or there is no such view.
    """
    return table_of(plan, facts(results), view=view)


def table_of(plan: Plan, facts: Recorded, *, view: str = "arms") -> Table:
    """As `table`, of facts that were read already: a `Completion` has the book of its end.

    Raises:
        CbablateError: the study does not tell what is asked for, or there is no such view.
    """
    from cbablate.reporting.tables.arms import outcome_table
    from cbablate.reporting.tables.two_way import shown_table, two_way_table

    book = Book.of(facts)
    found = outcome(as_recorded(plan, book.facts), book)
    own = {"arms": outcome_table, "two_way": two_way_table, "shown": shown_table}
    if view in own:
        return own[view](found)
    from cbablate.reporting.tables.catalog import VIEWS
    from cbablate.reporting.tables.view import view as other_table

    if view not in VIEWS:
        listed = ", ".join(("arms", *VIEWS, "two_way", "shown"))
        raise CbablateError(f"a study has no table '{view}'; there are {listed}")
    return other_table(view, found.plan, found.summary)


def recorded(plan: Plan, results: str | Path) -> tuple[Plan, Sequence[Record]]:
    """A plan as the ledger of a results folder knows it, with that ledger's facts."""
    there = facts(results)
    return as_recorded(plan, there), there


def facts(results: str | Path) -> Sequence[Record]:
    """Every fact of a results folder, in order; none where nothing has run.

    Raises:
        DamagedState: the ledger is not whole.
        EnvironmentFault: it cannot be read, or this is not a folder.
    """
    with Place.at(results).reading() as ledger:
        return ledger.records()


def _mirrors(results: Path, mlflow: str | None) -> Sequence[Mirror]:
    """The mirrors whose libraries are here. A tracking server that was named must be possible."""
    from cbablate.mirrors.mlflow_mirror import MlflowMirror
    from cbablate.mirrors.optuna_mirror import OptunaMirror

    if any(sign in str(results) for sign in "%?#") or not str(results).isprintable():
        raise EnvironmentFault(
            f"MLflow and Optuna cannot address a folder with %, ? or # in its path: {results!r}; "
            "choose another with --results"
        )
    found: list[Mirror] = []
    if find_spec("optuna") is not None:
        found.append(OptunaMirror(results))  # first: it is quick, and a server may not be
    if find_spec("mlflow") is not None:
        found.append(MlflowMirror(mlflow, results))
    elif mlflow is not None:
        raise EnvironmentFault("--mlflow needs MLflow, which is not installed: pip install mlflow")
    return found
