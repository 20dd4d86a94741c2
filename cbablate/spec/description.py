"""`Description`: what may be asked of a workload, known without importing the workload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from cbablate.spec.budget import Budget
from cbablate.spec.code import Code, ProgramFile
from cbablate.spec.fault import Fault
from cbablate.spec.metric import DeclaredMetric, Metric, Objective, described
from cbablate.spec.needs import Needs
from cbablate.spec.outline import Outline
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.program import Program
from cbablate.spec.under_test import Mechanism, Shared

__all__ = ["Config", "Describe", "Description", "Together", "Undescribed"]

Config = Mapping[str, Any]
"""A workload's settings: nested mappings of strings, numbers, booleans, lists and None."""


def _never(_config: Config, _budget: Budget) -> bool:
    return False


def _not_known() -> frozenset[str] | None:
    return None


def _whole(config: Config) -> Config:
    return config


def _unsaid(_config: Config) -> Needs | None:
    return None


@dataclass(frozen=True)
class Together:
    """That a workload can train several trials at once, with which entry, and how many at most.

    The entry is a `workloads.port.GroupWorkload`. Trials are alike, and may be a group, if they
    have one budget and if `alike` gives the same of their resolved configs: the whole config as a
    rule, so that a group is replicates of one arm.
    """

    entry: str
    most: int
    alike: Callable[[Config], Config] = _whole


@dataclass(frozen=True)
class Description:
    """A workload seen from outside: names, schema, metrics and where its code lies.

    The entries (`run`, `verify`, `observe`, `throughput`, `cost`) are `module:function`; they are
    resolved where a trial runs, so that reading or planning a study imports neither torch nor a
    user's code.
    `code` is that of a user's own workload, None for a shipped one; `version` is then its digest,
    or the version that the user vouches for.
    `former_versions` are what earlier releases of cbablate called the same code, and
    `former_gaps` the files of it that these did not look at.

    `resolve` turns a config as written into the full typed config (defaults filled in), and
    raises pydantic's `ValidationError`. `data` gives the fingerprint of the data that a config
    names. `unmeasured` gives, of a resolved config, the metrics that its trials will not have,
    each with what to write so that they will. Two configs with equal resolved forms, version and
    data are one arm.
    """

    name: str
    version: str
    run: str
    resolve: Callable[[Config], dict[str, Any]]
    data: Callable[[Config], str]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    """The metrics that are known; others may be reported too, unless it is `closed`."""
    closed: bool = False
    """Whether `metrics` are all there are, so that another name is a mistake."""
    declared: Mapping[str, DeclaredMetric] = field(default_factory=dict)
    """What the workload's own file says of its metrics; a study's words go before."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema of the config; None where any key is allowed that the baseline has."""
    unmeasured: Callable[[Config], Mapping[str, str]] = lambda _config: {}
    verify: str | None = None
    observe: str | None = None
    """What a person should know of arms that can be: sentences by arm name."""
    throughput: str | None = None
    cost: str | None = None
    """What a trial costs, from a few of its steps; None where only a trial can tell."""
    shape: Callable[[Config], Config] = _whole
    """What of a resolved config a trial's cost depends on: arms of one shape are measured once."""
    code: Code | None = None
    program: Program | None = None
    """The command that trains; None where a function does."""
    chosen: Callable[[Config], tuple[ProgramFile, ...]] = lambda _config: ()
    """The files of a command that a resolved config names; they are in its `data`."""
    unseen: Callable[[Config], tuple[str, ...]] = lambda _config: ()
    """What of a command no digest has, as far as its words tell: sentences."""
    vouched: str = ""
    """The version that the user vouches for, which then stands for the digest of the code."""
    former_versions: tuple[str, ...] = ()
    former_gaps: tuple[str, ...] = ()
    open_ended: Callable[[Config, Budget], bool] = _never
    """Whether a training of this config to this budget is, bit for bit, the beginning of every
    longer one. The workload then leaves a checkpoint with its last measurement too."""
    needs: Callable[[Config], Needs | None] = _unsaid
    """What a trial of a resolved config takes; None for what the executor gives each trial. What a
    person asks for with a command goes before it."""
    together: Together | None = None
    """How several trials are trained at once; None where each is trained by itself."""
    identity: Callable[[Config], Config] = _whole
    """What an arm's identity is made of: the resolved config, less what its outcome does not
    depend on, as the path of a file whose content is in it."""

    mechanism: Mechanism | None = None
    """What is under test by name; None where the workload does not say."""
    shared: tuple[Shared, ...] = ()
    """What all arms may share, and a finding then rests on: the model, the data."""
    libraries: Callable[[], frozenset[str] | None] = _not_known
    """The libraries that trials are computed with, of those whose versions are recorded; None where
    that is not known."""
    recipe: tuple[str, ...] = ()
    """Keys of a config that hold what one would tune, looked at even where all arms agree."""

    @property
    def named_version(self) -> str:
        """The version that its file gives it, whatever a ledger calls it: the one that the user
        vouches for (of this command), or the digest of its code.
        """
        if self.own is None:
            return self.version
        if self.vouched and self.program is not None:
            return f"{self.vouched} ({self.program.call[:8]})"
        return self.vouched or self.own.digest

    @property
    def ran(self) -> str:
        """The digest of the code that runs, where the version is another's word; "" else."""
        return self.own.digest if self.own is not None and self.vouched else ""

    @property
    def own(self) -> Code | Program | None:
        """What of the user's trains, a function's code or a command; None of a shipped workload."""
        return self.code or self.program

    @cached_property
    def outline(self) -> Outline:
        """The keys that the schema allows; none where there is no schema."""
        return Outline(self.schema or {})

    def in_study(
        self,
        said: Mapping[str, DeclaredMetric],
        *,
        objectives: Iterable[Objective] = (),
        report: Iterable[str] = (),
    ) -> Description:
        """The workload as a study has it, which may say more of its metrics."""
        asked = [*objectives]
        names = [*report, *(one.metric for one in asked)]
        metrics = described(self.metrics, self.declared, said, objectives=asked, names=names)
        if self.closed:  # a name beyond these is a mistake, and told as one
            metrics = {name: metrics[name] for name in self.metrics}
        return replace(self, metrics=metrics)


Describe = Callable[[str | OwnWorkload, Path], Description]
"""Finds the description of a workload by what a file says of it, and the file's folder.

Raises `LookupError` with a sentence when there is none, `Undescribed` where more can be said.
"""


class Undescribed(LookupError):
    """Why there is no description of an own workload: faults, by their paths in its mapping."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(fault.sentence for fault in faults))
        self.faults = faults
