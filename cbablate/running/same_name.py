"""Two studies of one name, which would share one folder of tables and one page of MLflow."""

from __future__ import annotations

import os
from pathlib import Path

from cbablate.errors import EnvironmentFault, StudyError
from cbablate.planning.plan import Plan
from cbablate.records.book import Book
from cbablate.records.facts import StudyFact
from cbablate.records.place import Place
from cbablate.spec.loading.load import read_study
from cbablate.spec.loading.overrides import file_name
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe

__all__ = ["place", "refuse_namesake"]


def place(study: Study, results: Path) -> str:
    """Where a study's folder lies as seen from its results: it stays when both are moved."""
    try:
        return Path(os.path.relpath(study.folder.resolve(), results.resolve())).as_posix()
    except ValueError:  # on two drives
        return study.folder.resolve().as_posix()


def refuse_namesake(plan: Plan, book: Book, results: Path) -> None:
    """Refuse a study if these results hold another one of its name.

    A study is known by its content and by its place relative to its results, so one that was
    moved, copied or mounted elsewhere goes on. It is another one only if the file that the
    name came from is still there, at another place, and says something else.

    Raises:
        EnvironmentFault: it is another one.
    """
    told = book.last("study", plan.study.name)
    if told is None:
        return
    known, now = StudyFact.of(told), plan.study.folder.resolve()
    before = Path(known.folder or now)
    former = before / f"{file_name(plan.study.name, plan.study.overrides)}.yaml"
    if before == now or not _is_file(former):
        return
    if _moved_together(plan.study, known, results) or _is_same(plan, former):
        return
    raise EnvironmentFault(
        f"these results hold another study named '{plan.study.name}', from {before}: rename "
        "one of the two files, or use another folder with --results"
    )


def _is_same(plan: Plan, former: Path) -> bool:
    """Whether the former file asks the same question of the same code: one is a copy."""
    try:
        other = read_study(former, describe, overrides=plan.study.overrides)
    except StudyError:
        return False
    asked = other.study.model_dump(mode="json"), other.description.named_version
    return asked == (plan.study.model_dump(mode="json"), plan.description.named_version)


def _moved_together(study: Study, known: StudyFact, results: Path) -> bool:
    """Whether study and results were moved or copied together, from where the former file is."""
    if known.place:
        return bool(known.place == place(study, results))
    # Releases before 0.2 did not record it; but the original then has a ledger of its own there.
    original = Path(known.folder) / os.path.relpath(results, study.folder.resolve())
    return Place(original).has_another_ledger(Place(results))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # of another user, or on a mount that is gone
        return False
