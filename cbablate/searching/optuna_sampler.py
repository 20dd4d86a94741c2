"""`OptunaSampler`: one search's proposals and verdicts, by Optuna's samplers and pruners.

With `optuna_space.py`, `optuna_parts.py` and `optuna_mirror.py` all there is of Optuna. The study
that is asked lives in memory and holds nothing that the ledger does not: whoever asks, reports and
tells in the recorded order again has the same sampler again.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import TrialState as Told

from cbablate.errors import StudyError
from cbablate.fingerprint import derive_seed
from cbablate.planning.search import (
    Search,
    parameter_constraints,
    settings,
    violations,
)
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.searching.optuna_parts import pruner_of, sampler_of, startup
from cbablate.searching.optuna_space import cells, drawing_order, spelled, suggested
from cbablate.spec.search_methods import SAMPLERS
from cbablate.spec.space import active
from cbablate.spec.sweep import Proposal, Sweep

__all__ = ["DRAWS", "Asked", "OptunaSampler"]

DRAWS = (20, 1000)
"""How many draws of a sampler, then of chance alone, may break a constraint between parameters
before a proposal is given up. A model of the objective knows nothing of such constraints, and may
insist on what they forbid."""
_NAME = "search"
"""Of every study in memory: Hyperband deals brackets by name, and arms shall be dealt the same."""


@dataclass(frozen=True)
class Asked:
    """What a search proposes for its trial of this number.

    `rejected` counts draws before it that broke a constraint between parameters. `refused` is why
    this one cannot be trained; "" if it can.
    """

    number: int
    proposal: Proposal
    rejected: int = 0
    refused: str = ""


class OptunaSampler:
    """One search, asked for proposals, reported to and told, from one thread.

    What it does follows from the search and the order of these calls and nothing else. Numbers
    count proposals from 0 and are ours: draws that broke a constraint are trials of Optuna's
    (PRUNED, without a value) and have none.

    Raises:
        EnvironmentFault: the sampler needs a library that is not there.
        StudyError: Optuna refuses the sweep.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._sweep = search.sweep
        self._order = tuple(drawing_order(self._sweep.space))
        self._kind = SAMPLERS[self._sweep.sampler.name]
        self._cells = cells(self._sweep) if self._kind.exhaustive else None
        self._before = parameter_constraints(search)
        self._asked = 0
        self._rejected = 0
        self._trained = 0
        self._trials: list[optuna.Trial | None] = []
        self._ended: set[int] = set()
        self._judged: dict[int, dict[int, str]] = {}
        with _quiet(), _refusals(self._sweep):
            gamma = self._good if self._before else None
            self._sampler = sampler_of(self._sweep, search.seed, gamma)
            self._study = optuna.create_study(
                study_name=_NAME,
                sampler=self._sampler,
                pruner=pruner_of(self._sweep.pruner, search),
                directions=[objective.direction for objective in search.objectives],
            )
        self._chance = optuna.samplers.RandomSampler(derive_seed(search.seed, "chance"))

    def ask(self) -> Asked:
        """The next proposal."""
        broken, proposal, rejected = "", dict[str, Any](), 0
        for draw in range(sum(DRAWS)):
            if self._asked == self._cells:
                return self._numbered(None, {}, rejected, "every cell of the grid was proposed")
            self._study.sampler = self._drawing(draw)
            with _quiet():
                trial = self._study.ask()
                proposal = self._drawn(trial)
            self._study.sampler = self._sampler
            self._asked += 1
            broken, violation = self._broken(proposal)
            if not broken:
                return self._numbered(trial, proposal, rejected)
            rejected += 1
            self._rejected += 1
            trial.set_constraint(broken, violation)
            self._tell(trial, Told.PRUNED)
        refused = f"{rejected:,} draws in a row do not keep '{broken}'"
        return self._numbered(None, proposal, rejected, refused)

    def replay(self, number: int, proposal: Proposal) -> bool:
        """Ask again as it was asked before; whether that gave what is recorded.

        If not (another version of Optuna, another processor), the record stands: the sampler is
        given the recorded proposal as if it had drawn it.
        """
        asked = self.ask()
        recorded = spelled(self._sweep, proposal)
        if asked.number == number and spelled(self._sweep, asked.proposal) == recorded:
            return True
        drawn = self._trials.pop()
        if drawn is not None:
            self._tell(drawn, Told.FAIL)
        with _quiet():
            self._study.enqueue_trial(recorded)
            trial = self._study.ask()
            self._drawn(trial)
        self._numbered(trial, proposal, 0)
        return False

    def report(self, number: int, measurement: Measurement) -> str:
        """Why the trial of this number shall stop after this measurement; "" if it shall go on.

        A trial that is run again after its driver died is judged as it was the first time: what
        was said at a point of its budget is said again, and only beyond it is judged anew. One
        that has spent its budget is not judged any more.
        """
        spent, budget = measurement.spent, self._search.budget
        if len(self._search.objectives) > 1 or number in self._ended:
            return ""
        judged = self._judged.setdefault(number, {})
        metric = self._search.objectives[0].metric
        value = measurement.metrics.get(metric)
        if value is None or spent in judged:
            return judged.get(spent, "")
        trial = self._trials[number]
        if trial is None:
            return ""
        with _quiet():
            trial.report(value, spent)
            prune = spent < budget.amount and trial.should_prune()
        if prune and self._sweep.pruner is not None:
            said = self._sweep.pruner.name.replace("_", " ")
            judged[spent] = f"{said} at {spent} {budget.unit}: {metric} {value:.4g}"
        return judged.setdefault(spent, "")

    def tell(
        self, number: int, state: TrialState, last: Measurement | None, proposal: Proposal
    ) -> None:
        """The trial of this number and proposal ended so, with this last measurement.

        Told a second time (a trial that failed was run again), a complete one is a further trial
        to the sampler, which cannot take back what it was told.
        """
        values: list[float] | None = None
        if state is TrialState.COMPLETE and last is not None:
            values = [last.metrics.get(one.metric, math.nan) for one in self._search.objectives]
            values = values if all(map(math.isfinite, values)) else None
        told = Told.FAIL if values is None else Told.COMPLETE
        if state is TrialState.PRUNED:
            told = Told.PRUNED
        trial = self._trials[number]
        if number in self._ended:
            if told is not Told.COMPLETE:
                return
            with _quiet():
                self._study.enqueue_trial(spelled(self._sweep, proposal))
                trial = self._study.ask()
                self._drawn(trial)
        if trial is None:
            return
        self._trained += told is not Told.FAIL
        self._ended.add(number)
        self._trials[number] = None  # Optuna's study has all that is needed of it from now on
        self._judged.pop(number, None)
        if told is not Told.FAIL:
            metrics = last.metrics if last else {}
            for text, violation in violations(self._search, proposal, metrics).items():
                if told is Told.COMPLETE or violation < math.inf:  # a pruned one may not know yet
                    trial.set_constraint(text, violation)
        self._tell(trial, told, values)

    def _tell(
        self, trial: optuna.Trial, state: Told, values: Sequence[float] | None = None
    ) -> None:
        try:
            with _quiet():
                self._study.tell(trial, values, state)
        except RuntimeError:
            # Its end is stored, then the grid sampler asks for an end to `optimize`, which we are
            # not in: that no cell is left is counted here.
            if self._cells is None:
                raise

    def _numbered(
        self, trial: optuna.Trial | None, proposal: Proposal, rejected: int, refused: str = ""
    ) -> Asked:
        self._trials.append(trial)
        return Asked(len(self._trials) - 1, proposal, rejected, refused)

    def _drawn(self, trial: optuna.Trial) -> dict[str, Any]:
        """A value for each parameter that exists, given those drawn before it."""
        drawn: dict[str, Any] = {}
        for name, parameter in self._order:
            if active(parameter, drawn):
                drawn[name] = suggested(trial, name, parameter)
        return drawn

    def _broken(self, proposal: Proposal) -> tuple[str, float]:
        """The first constraint between parameters that a proposal does not keep, and by how much
        it is broken.
        """
        if not self._before:
            return "", 0.0
        values = settings(self._search, proposal)
        found = ((c.text, c.violation(values)) for c in self._before if c.applies(values))
        return next((one for one in found if one[1] > 0), ("", 0.0))

    def _drawing(self, draw: int) -> optuna.samplers.BaseSampler:
        """What makes this draw for a proposal.

        Optuna's TPE counts rejected draws among its first random trials; here only those count
        that were trained.
        """
        if self._cells:
            return self._sampler
        first = self._kind.parzen and self._trained < startup(self._sweep)
        return self._chance if draw >= DRAWS[0] or (self._before and first) else self._sampler

    def _good(self, trials: int) -> int:
        """How many of so many trials TPE models as good ones, as Optuna has it, of trained ones."""
        return min(math.ceil(0.1 * max(0, trials - self._rejected)), 25)


@contextmanager
def _refusals(sweep: Sweep) -> Iterator[None]:
    """What Optuna refuses of a sweep's options, as a sentence."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise StudyError(f"Optuna cannot search as sweep '{sweep.name}' says: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's remarks: what is experimental, and that a study was made."""
    loudness = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(loudness)
