"""`Tally`: rows of a program made measurements, each with the budget that was spent by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cbablate.character import brief
from cbablate.errors import TrialFailure
from cbablate.phrases import listed
from cbablate.records.measurement import Measurement
from cbablate.spec.budget import Budget
from cbablate.spec.own_workload import Reads
from cbablate.workloads.commands.row import Row, Value, quoted

__all__ = ["Tally"]

_COUNTS = ("spent", "epoch", "epochs", "step", "steps")
"""What a count may be called, in any case of letters."""


class Tally:
    """Counts what is spent, from rows in the order in which a program has written them.

    A row that is `whole` is a measurement. Others are parts of one, which is complete when another
    amount has been spent, or where nothing is said of that, when a name comes again. The one that
    has spent the whole budget is held back until the program ends, and rows after it that say other
    names are parts of it: a test after training.

    A name that comes before anything is said of what was spent (`acc 0.5`, then `epoch 1 done`)
    belongs to the amount that is said next, each time; others, to the amount that was said last.

    Of a program that never says what it spent, each measurement is one more, and the last one is
    held back: it has spent the whole budget, if the program ends well.
    """

    def __init__(self, budget: Budget, reads: Reads, *, whole: bool, counted_by: str = "") -> None:
        self._budget, self._names, self._from = budget, reads.names, reads.counts_from
        self._whole = whole
        unit = budget.unit.removesuffix("s")
        usual = (counted_by,) if counted_by else ("spent", unit)
        self._counted_by = (reads.spent,) if reads.spent is not None else usual
        self._must_say = reads.spent is not None
        self._held: Row | None = None
        self._says = self._guessed = False
        self._early: frozenset[str] | None = None
        self._ahead: Row | None = None
        self._last = 0

    def taken(self, rows: Iterable[Row]) -> Iterator[Measurement]:
        """The measurements that are complete with these rows.

        Raises:
            TrialFailure: what is spent is no whole number, or does not grow.
        """
        for row in filter(None, map(self._in_time, map(self._counted, rows))):
            held = self._held
            if held is not None and not self._belongs(row, held):
                yield self._measurement(held)
                held = None
            self._held = row if held is None else held.joined(row)
            if self._whole and self._says and not self._is_last(self._held):
                yield self._measurement(self._held)

    def ended(self) -> Iterator[Measurement]:
        """The measurement that is complete since the program has ended, if there is one.

        Raises:
            TrialFailure: numbers came whose place cannot be known.
        """
        self._left_over()
        if self._held is not None and (self._held.values or self._held.notes):
            held = self._held
            if not self._says and not self._must_say:
                self._check_order(held)
                held = replace(held, spent=float(max(self._budget.amount, self._last + 1)))
            yield self._measurement(held)

    def seen(self, row: Row) -> int | None:
        """What a row says that was spent by then; None if it does not."""
        spent = self._counted(row).spent
        return None if spent is None else int(spent)

    def is_ahead(self, row: Row) -> bool:
        """Whether all that a row says belongs to the amount that is said next."""
        return self._counted(row).spent is None and row.values.keys() <= (self._early or set())

    def _in_time(self, row: Row) -> Row | None:
        """The row as far as it belongs here: with what came ahead of it, without what is ahead."""
        if self._whole:
            return row
        if row.spent is not None:
            if self._early is None:
                before = self._held
                alone = before is not None and before.spent is None
                self._early = frozenset(before.values if before is not None and alone else ())
            ahead, self._ahead = self._ahead, None
            return row if ahead is None else ahead.joined(row)
        early = row.values.keys() & (self._early or ())
        if not early:
            return row
        ahead = replace(row, values={name: row.values[name] for name in early})
        self._ahead = ahead if self._ahead is None else self._ahead.joined(ahead)
        rest = {name: value for name, value in row.values.items() if name not in early}
        return replace(row, values=rest) if rest else None

    def _left_over(self) -> None:
        """Refuse what came ahead of an amount that never came, if it says something new."""
        if self._ahead is None:
            return
        held = {} if self._held is None else self._held.values
        for name, value in self._ahead.values.items():
            if name not in held or _differ(value, held[name]):
                raise TrialFailure(
                    f"{self._ahead.where}: {name} comes after the last time that it is said how "
                    f"many {self._budget.unit} are spent, and came before the first time, too: "
                    "whether it belongs to what was said before it or after it cannot be known. "
                    "Let the same line or row say both, or leave out the first or the last of them"
                )

    def _belongs(self, row: Row, held: Row) -> bool:
        """Whether a row is a part of what is held."""
        again = row.values.keys() & held.values.keys()
        if self._whole:
            same = row.spent is not None and row.spent == held.spent
            other = not any(_differ(row.values[name], held.values[name]) for name in again)
            return self._is_last(held) and (other if same else row.spent is None and not again)
        if held.spent is not None:
            return row.spent is None or row.spent == held.spent
        return row.anew or not again or self._must_say

    def _is_last(self, row: Row) -> bool:
        """Whether it has spent the whole budget."""
        return self._budget.amount == (self._last + 1 if row.spent is None else row.spent)

    def _counted(self, row: Row) -> Row:
        """The row, with what it says of `spent` counted from 1 and out of its values."""
        if row.spent is not None:
            self._says = True
            if not row.spent.is_integer():
                raise TrialFailure(
                    f"{row.where}: {row.spent} is spent, not a whole number of {self._budget.unit}"
                )
            return row
        if row.step is not None and "step" in self._counted_by:
            row = replace(row, values={"step": row.step, **row.values})
        for name in self._counted_by:
            if name in row.values:
                self._says = True
                said = row.values[name]
                values = {key: value for key, value in row.values.items() if key != name}
                if isinstance(said, tuple) or said != said // 1:
                    raise TrialFailure(
                        f"{row.where}: {name} is {said}, not a whole number of {self._budget.unit}"
                    )
                return replace(row, values=values, spent=said + 1 - self._from)
            if name in row.others:
                raise TrialFailure(
                    f"{row.where}: {name} is {quoted(row.others[name])}, not a whole number of "
                    f"{self._budget.unit}"
                )
        return row

    def _measurement(self, row: Row) -> Measurement:
        if self._must_say and row.spent is None:
            raise TrialFailure(
                f"{row.where}: there is no {self._counted_by[0]}, which `spent` under reads names "
                "as what counts the budget"
            )
        spent = self._last + 1 if row.spent is None else self._grown(row)
        if spent > self._budget.amount:
            raise TrialFailure(
                f"{row.where}: after {brief(str(spent), 20)} {self._budget.unit}, which is more "
                f"than the budget of {self._budget}; the program is to train for {{budget}} "
                "(CBABLATE_BUDGET)"
            )
        if row.spent is None:
            self._guessed = True
            self._check_order(row)
        self._last, self._held = spent, None
        named = self._named(row)
        return Measurement(
            spent=spent,
            metrics={name: value for name, value in named.items() if isinstance(value, float)},
            vectors={name: value for name, value in named.items() if isinstance(value, tuple)},
            seconds=row.seconds or 0.0,
            notes=row.notes,
        )

    def _check_order(self, row: Row) -> None:
        """Refuse to count by the order of rows where one seems to say what is spent.

        Raises:
            TrialFailure: it has a number that is called like what counts.
        """
        for name in row.values:
            if name.casefold() in _COUNTS and name not in self._names:
                raise TrialFailure(
                    f"{row.where}: there is {name}, and {listed(self._counted_by, 'or')} would "
                    f"count the budget of {self._budget}. If {name} does, say `spent: {name}` "
                    "under reads; if it is a number like others, let `names` give it a name, such "
                    f"as `{{{name}: at/{name.casefold()}}}`"
                )

    def _named(self, row: Row) -> dict[str, Value]:
        """The values by the study's names.

        Raises:
            TrialFailure: two of the program's names come to one.
        """
        named: dict[str, Value] = {}
        for name, value in row.values.items():
            new = self._names.get(name, name)
            if new in named:
                raise TrialFailure(
                    f"{row.where}: two of its numbers come to the name '{new}', {name} and another "
                    "one: let `names` under reads give each a name of its own"
                )
            named[new] = value
        return named

    def _grown(self, row: Row) -> int:
        """What a row says that was spent, if it may come next."""
        spent = int(row.spent or 0.0)
        if spent <= 0 and self._last == 0:
            raise TrialFailure(
                f"{row.where}: {spent} {self._budget.unit} are spent. Where the first one is "
                "called 0, say `counts_from: 0` under reads"
            )
        if spent <= self._last and self._guessed:
            raise TrialFailure(
                f"{row.where}: {spent} {self._budget.unit} are spent, and {self._last} were "
                "counted before anything was said of that, by numbers that came again. Name what "
                "counts, by `spent` under reads: then numbers before it belong to it. Where the "
                "first one is called 0, say `counts_from: 0`"
            )
        if spent <= self._last:
            raise TrialFailure(
                f"{row.where}: {spent} {self._budget.unit} are spent, and a measurement after "
                f"{self._last} came before: each must have spent more than the one before it"
            )
        return spent


def _differ(one: Value, other: Value) -> bool:
    return one != other and not (one != one and other != other)
