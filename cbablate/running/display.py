"""`Display`: a study in progress: a live panel in a terminal or a notebook, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cbablate.analysis.searches.tuning import Tuning
from cbablate.character import brief, spaced, visible
from cbablate.phrases import counted, duration
from cbablate.planning.plan import Plan
from cbablate.planning.trial import Trial
from cbablate.records.history import LONGEST_REASON, History
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.running.isolation.signals import announced
from cbablate.running.notebook_panel import NotebookPanel, notebook_shell
from cbablate.spec.metric import Objective

__all__ = ["Display"]

_COLOURS = {
    TrialState.COMPLETE: "green",
    TrialState.RUNNING: "cyan",
    TrialState.WAITING: "dim",
    TrialState.PRUNED: "yellow",
    TrialState.FAILED: "red",
}
_ECHO = 3
"""Columns that a line of the panel leaves free: the `^C` that a terminal echoes would else break
the last one, and what is drawn then would stay.
"""


class Console(RichConsole):
    """A console that falls silent when whoever read it has left: the training goes on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class Display:
    """Follows a study: trials by state, the running ones with their last values, time left.

    A context manager. In a terminal it redraws a panel, and so it does in a notebook, below the
    cell; otherwise it writes one line to stderr when a trial ends, so that a log file reads well.
    Of a study that tunes it also shows how far each arm's search is, and the best value it has met.
    """

    def __init__(
        self,
        plan: Plan,
        told: Mapping[str, History],
        *,
        tunings: Sequence[Tuning] = (),
        console: RichConsole | None = None,
    ) -> None:
        self._plan = plan
        self._searches = {tuning.search.id: _Progress.of(tuning) for tuning in tunings}
        self._tuned: dict[str, str] = {}
        self._still = len(plan.trials) if tunings else 0
        """How many confirmations are expected that are not planned yet."""
        self._most = _most(plan)
        self.slots = 1
        """How many trials run at a time; the time left is reckoned with it."""
        self._console = console or Console(file=sys.stderr, highlight=False, force_jupyter=False)
        unknown = History(trial="")
        self._states = {
            trial.id: history.state if history.settled else TrialState.WAITING
            for trial in plan.trials
            for history in (told.get(trial.id, unknown),)
        }
        self._running: dict[str, tuple[Trial, float, Measurement | None]] = {}
        self._took: list[float] = []
        self._failed: list[str] = []
        self._note = ""
        self._live: Live | NotebookPanel | None = None
        self._announced = announced(self._stopping)

    def __enter__(self) -> Self:
        if notebook_shell() is not None:  # which may say that it is a terminal
            self._live = NotebookPanel(self.__rich__)
        elif self._console.is_terminal:
            self._live = Live(
                get_renderable=self.__rich__,
                console=self._console,
                refresh_per_second=4,
                transient=True,
            )
        if self._live is not None:
            self._live.start()
        self._announced.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._announced.__exit__(kind, error, trace)
        if self._live is not None:
            self._note = ""
            self._live.stop()
            self._live = None

    def _stopping(self, sentence: str) -> None:
        """A signal has come: the panel ends, and a line stands in its place."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        self._line(sentence)
        if self._running:
            count = counted(len(self._running), "trial")
            self._line(
                f"waiting a few seconds for {count} to end; run again to go on from what "
                "checkpoints hold"
            )

    def say(self, sentence: str) -> None:
        """What is going on outside the trials: starting Ray, verifying arms, timing."""
        self._note = visible(sentence)
        if self._live is None:
            self._line(sentence)
        self._changed()

    def planned(self, plan: Plan, over: Sequence[str]) -> None:
        """The confirmations of what the searches with these ids chose, as far as they found
        something; or the replicates that a look asks for.
        """
        self._tuned |= {arm.id: arm.name for arm in plan.arms if arm.id not in self._plan.arm_of}
        study = self._plan.study
        each = study.most_replicates // study.searches
        self._still = max(0, self._still - len(over) * each)
        for search in map(self._searches.__getitem__, over):
            search.wanted = search.counts.total()  # fewer than asked, if it was stopped
        new = [trial for trial in plan.trials if trial.id not in self._states]
        self._states |= dict.fromkeys((trial.id for trial in new), TrialState.WAITING)
        self._most = _most(plan)
        if study.sequential is not None:
            arms = len({trial.arm for trial in new})
            self.say(f"looked: undecided, so {arms} arms get one replicate more")
        self._changed()

    def started(self, trial: Trial) -> None:
        """A trial began."""
        self._note = ""
        if trial.search:
            self._searches[trial.search].began(trial)
        else:
            self._states[trial.id] = TrialState.RUNNING
        self._running[trial.id] = (trial, time.monotonic(), None)
        self._changed()

    def measured(self, trial: Trial, measurement: Measurement) -> None:
        """A trial reported."""
        _, began, _ = self._running[trial.id]
        self._running[trial.id] = (trial, began, measurement)
        self._changed()

    def ended(self, trial: Trial, state: TrialState, reason: str) -> None:
        """A trial ended."""
        _, began, last = self._running.pop(trial.id)
        took = time.monotonic() - began
        if trial.search:
            self._searches[trial.search].ended(trial, state, last)
        else:
            self._states[trial.id] = state
        if state in (TrialState.COMPLETE, TrialState.PRUNED):
            self._took.append(took)
        words = f"{self._label(trial)}: {state.value}"
        values = self._values(last) if last is not None else ""
        if values:
            words += f", {values}"
        words += f" ({duration(took)})"
        if reason:
            words += f": {visible(brief(reason, LONGEST_REASON))}"
        if state is TrialState.FAILED:
            self._failed.append(words)
        if self._live is None:
            done, total = self._progress()
            left = self._left()
            told = f" [{self._searches[trial.search].words()}]" if trial.search else ""
            self._line(
                f"{done}/{total}{self._may_come(total)} {words}{told}"
                + (f"; {left}" if left else "")
            )
        self._changed()

    def _changed(self) -> None:
        """A notebook's panel is drawn again; a terminal's does so by itself."""
        if isinstance(self._live, NotebookPanel):
            self._live.changed()

    def _line(self, text: str) -> None:
        self._console.print(Text(spaced(text)), soft_wrap=not self._console.is_terminal)

    def _values(self, last: Measurement) -> str:
        """The objective first, then one more value, so that a line stays a line."""
        objective = self._plan.study.objective.metric
        names = [objective, *(name for name in last.metrics if name.startswith("train/"))]
        return ", ".join(
            f"{visible(name)} {last.metrics[name]:.4g}" for name in names if name in last.metrics
        )

    def _label(self, trial: Trial) -> str:
        """What a person calls a trial, of the plan, a confirmation or of a search."""
        if trial.search:
            return self._searches[trial.search].label(trial.replicate)
        if trial.arm in self._tuned:
            return visible(f"{self._tuned[trial.arm]} tuned #{trial.replicate}")
        return visible(self._plan.label(trial))

    def _progress(self) -> tuple[int, int]:
        """How many trials of all kinds have ended, and of how many."""
        done = sum(state.ended for state in self._states.values())
        done += sum(search.counts.total() for search in self._searches.values())
        wanted = sum(search.wanted for search in self._searches.values())
        return done, len(self._states) + self._still + wanted

    def _may_come(self, total: int) -> str:
        """How many trials there are at most, where looks may ask for more."""
        return f" (at most {self._most})" if self._most > total else ""

    def _left(self) -> str:
        done, total = self._progress()
        waiting = total - done
        if not self._took or not waiting:
            return ""
        each = sum(self._took[-20:]) / len(self._took[-20:])
        return f"about {duration(waiting * each / self.slots)} left"

    def __rich__(self) -> RenderableType:
        counts = Counter(self._states.values())
        counts[TrialState.WAITING] += self._still
        done, total = self._progress()
        states = ", ".join(
            f"[{_COLOURS[state]}]{counts[state]} {state.value}[/]"
            for state in TrialState
            if counts[state]
        )
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(self._plan.study.name, style="bold"),
            ProgressBar(total=max(1, total), completed=done, width=30),
            Text.from_markup(f"{done}/{total}{self._may_come(total)}  {states}  {self._left()}"),
        )
        rows = Table.grid(padding=(0, 2))
        now = time.monotonic()
        for trial, began, last in self._running.values():
            spent = f"{last.spent if last else 0}/{trial.budget}"
            rows.add_row(
                Text(self._label(trial)),
                Text(spent, style="dim"),
                Text(self._values(last) if last else "starting"),
                Text(duration(now - began), style="dim"),
            )
        failed = [Text(line, style="red") for line in self._failed[-3:]]
        note = [Text(self._note, style="dim")] if self._note else []
        found = [Text(f"{s.name}: {s.words()}", style="dim") for s in self._searches.values()]
        below = Group(*found, rows, *failed, *note)
        room = self._console.width - _ECHO
        return Constrain(Group(head, Padding(below, (0, 0, 0, 2), expand=False)), room)


def _most(plan: Plan) -> int:
    """How many trials may come of a plan whose looks have asked for these; 0 if no more can.

    An arm that has fewer than another was decided, and gets no more.
    """
    if plan.study.sequential is None:
        return 0
    counts = Counter(trial.arm for trial in plan.trials)
    last = max(counts.values(), default=0)
    most = plan.study.most_replicates
    return sum(most if count == last else count for count in counts.values())


@dataclass
class _Progress:
    """How far one search is: trials by their end, and the best first objective so far."""

    name: str
    several: bool
    wanted: int
    objective: Objective
    counts: Counter[TrialState]
    failed: set[str]
    best: float | None

    @classmethod
    def of(cls, tuning: Tuning) -> _Progress:
        best = tuning.best
        return cls(
            name=visible(tuning.search.name),
            several=tuning.search.many > 1,
            wanted=tuning.wanted,
            objective=tuning.search.objectives[0],
            counts=Counter(a.state for a in tuning.attempts if a.state.ended),
            failed={a.trial for a in tuning.attempts if a.state is TrialState.FAILED},
            best=best.values[0] if best and best.values else None,
        )

    def began(self, trial: Trial) -> None:
        if trial.id in self.failed:  # it is run again
            self.failed.remove(trial.id)
            self.counts[TrialState.FAILED] -= 1

    def ended(self, trial: Trial, state: TrialState, last: Measurement | None) -> None:
        self.counts[state] += 1
        if state is TrialState.FAILED:
            self.failed.add(trial.id)
        value = last.metrics.get(self.objective.metric) if last else None
        if state is TrialState.COMPLETE and value is not None:
            score = self.objective.score
            if self.best is None or score(value) > score(self.best):
                self.best = value

    def label(self, number: int) -> str:
        """What a person calls the trial of this number."""
        return f"{self.name} {'trial' if self.several else 'search'} {number}"

    def words(self) -> str:
        shown = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)
        said = ", ".join(f"{self.counts[s]} {s.value}" for s in shown if self.counts[s])
        best = "" if self.best is None else f", best {self.objective.metric} {self.best:.4g}"
        return f"{self.counts.total()}/{self.wanted} tried: {said or 'none'}{best}"
