"""`Board`: the runs that MLflow has of one study from one ledger, and how they are brought up."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cbablate.mirrors.mlflow_entry import MetricPoint, MlflowRun, batches
from cbablate.mirrors.mlflow_spelling import key_of

__all__ = ["Board", "Shown", "subject_of"]

_OWN_TAGS = ("cbablate.", "factor.", "note.")
_ARTIFACT = "cbablate.artifact."
_ENDED = ("FINISHED", "FAILED", "KILLED")


@dataclass
class Shown:
    """A run as MLflow has it."""

    run: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    status: str
    name: str
    deleted: bool = False


@dataclass
class Board:
    """What MLflow has of one study from one ledger, kept in step with what is sent.

    Runs are found again by tags, never by name or order: the study's own are `parents`, all others
    are `found` by the tag `cbablate.trial` (a trial's or a search's id) or `cbablate.summary`. One
    that must look otherwise than it can be made to look is deleted in MLflow's sense, which can be
    undone there, and written anew.
    """

    client: Any
    experiment: str
    study: str
    ledger: str
    parents: list[Shown] = field(default_factory=list)
    found: dict[str, list[Shown]] = field(default_factory=dict)

    def read(self) -> Board:
        """The board with every run of its study and ledger, deleted ones too."""
        from mlflow.entities import ViewType

        clause = (
            f"tags.`cbablate.study` = '{self.study}' and tags.`cbablate.ledger` = '{self.ledger}'"
        )
        token: str | None = None
        while True:
            page = self.client.search_runs(
                [self.experiment], clause, ViewType.ALL, max_results=500, page_token=token
            )
            for run in page:
                shown = Shown(
                    run=run.info.run_id,
                    tags=dict(run.data.tags),
                    params=dict(run.data.params),
                    metrics=dict(run.data.metrics),
                    status=run.info.status,
                    name=run.info.run_name,
                    deleted=run.info.lifecycle_stage == "deleted",
                )
                if shown.tags.get("cbablate.role") == "study":
                    self.parents.append(shown)
                else:
                    self._known(subject_of(shown.tags)).append(shown)
            token = page.token
            if not token:
                return self

    def heading(self, entry: MlflowRun) -> Shown:
        """The study's own run, there and with its counts as they are now, still open."""
        return self._current(self.parents, entry, entry.tags)

    def standing(self, entry: MlflowRun, *, parent: Shown) -> Shown:
        """A run whose numbers may change, there and with its numbers as they are now."""
        tags = {**entry.tags, "mlflow.parentRunId": parent.run}
        return self._current(self._known(subject_of(entry.tags)), entry, tags)

    def trial(self, entry: MlflowRun, *, parent: Shown) -> None:
        """An ended trial, whose curves are written once; timings may arrive later."""
        tags = {**entry.tags, "mlflow.parentRunId": parent.run}
        shown = self._chosen(self._known(subject_of(entry.tags)), entry, tags)
        timed = hashlib.sha256(repr(entry.timings).encode()).hexdigest()[:20]
        lacking = entry.timings if shown.tags.get("cbablate.timed") != timed else ()
        if shown.status in _ENDED:
            self._log(shown, lacking, {}, {})
        else:
            self._log(shown, entry.points + lacking, self._lacking(shown, entry), {})
        if entry.timings:  # said only when they have arrived
            tags["cbablate.timed"] = timed
        self._tag(shown, tags, entry.name)
        self.close(shown, entry)

    def close(self, shown: Shown, entry: MlflowRun) -> None:
        """A run that has ended, ended."""
        if entry.status != "RUNNING" and shown.status != entry.status:
            self.client.set_terminated(shown.run, entry.status, end_time=entry.ended)
            shown.status = entry.status

    def hide_others(self, told: set[str], *, roles: Collection[str]) -> None:
        """Delete the runs of these roles of which nothing is told."""
        for subject, candidates in self.found.items():
            for shown in candidates:
                if subject not in told and shown.tags.get("cbablate.role") in roles:
                    self._delete(shown)

    def upload(self, parent: Shown, path: Path) -> None:
        """A file among a run's artifacts, sent only when its bytes are new."""
        key = key_of(f"{_ARTIFACT}{path.name}")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if parent.tags.get(key) != digest:
            self.client.log_artifact(parent.run, str(path))
            self.client.set_tag(parent.run, key, digest)
            parent.tags[key] = digest

    def _known(self, subject: str) -> list[Shown]:
        return self.found.setdefault(subject, [])

    def _current(self, candidates: list[Shown], entry: MlflowRun, tags: Mapping[str, str]) -> Shown:
        """The run for an entry, with its numbers, params and tags as they are now."""
        shown = self._chosen(candidates, entry, tags)
        if shown.status != "RUNNING" and entry.status == "RUNNING":
            self.client.update_run(shown.run, status="RUNNING")
            shown.status = "RUNNING"
        numbers = {point.key: point.value for point in entry.points}
        stale = any(shown.metrics.get(key) != value for key, value in numbers.items())
        self._log(shown, entry.points if stale else (), self._lacking(shown, entry), {})
        shown.metrics.update(numbers)
        self._tag(shown, tags, entry.name)
        return shown

    def _chosen(self, candidates: list[Shown], entry: MlflowRun, tags: Mapping[str, str]) -> Shown:
        """The one run for an entry: found by its content, or new; all others are deleted."""
        right = [s for s in candidates if s.tags.get("cbablate.content") == entry.content]
        right.sort(key=lambda shown: (shown.deleted, shown.status not in _ENDED, shown.run))
        if right:
            kept = right[0]
            if kept.deleted:
                self.client.restore_run(kept.run)
                kept.deleted = False
        else:
            given = {**tags, "cbablate.content": entry.content}
            created = self.client.create_run(
                self.experiment, start_time=entry.began, tags=given, run_name=entry.name
            )
            if not created.info.run_id:
                raise ValueError("a run without an id: this is no MLflow server")
            kept = Shown(created.info.run_id, given, {}, {}, "RUNNING", entry.name)
            candidates.append(kept)
        for other in candidates:
            if other is not kept:
                self._delete(other)
        return kept

    @staticmethod
    def _lacking(shown: Shown, entry: MlflowRun) -> dict[str, str]:
        """Params that MLflow has not got yet; they are written once and never altered."""
        lacking = {key: value for key, value in entry.params.items() if key not in shown.params}
        shown.params.update(lacking)
        return lacking

    def _tag(self, shown: Shown, tags: Mapping[str, str], name: str) -> None:
        """Exactly these of our tags; tags that a person has added are left alone."""
        differing = {key: value for key, value in tags.items() if shown.tags.get(key) != value}
        self._log(shown, (), {}, differing)
        for key in list(shown.tags):
            kept = key in tags or key == "cbablate.content" or key.startswith(_ARTIFACT)
            if key.startswith(_OWN_TAGS) and not kept:
                self.client.delete_tag(shown.run, key)
                del shown.tags[key]
        shown.tags.update(differing)
        if shown.name != name:
            self.client.update_run(shown.run, name=name)
            shown.name = name

    def _log(
        self,
        shown: Shown,
        points: Sequence[MetricPoint],
        params: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        for some, named, said in batches(points, params, tags):
            self.client.log_batch(
                shown.run,
                metrics=[Metric(p.key, p.value, p.at, p.step) for p in some],
                params=[Param(key, value) for key, value in named],
                tags=[RunTag(key, value) for key, value in said],
            )

    def _delete(self, shown: Shown) -> None:
        if not shown.deleted:
            self.client.delete_run(shown.run)
            shown.deleted = True


def subject_of(tags: Mapping[str, str]) -> str:
    """What a run tells of: a trial or a search by its id, or an arm's summary."""
    return tags.get("cbablate.trial") or f"summary {tags['cbablate.summary']}"
