"""`Standing`: all that follows from a plan and the facts so far, each worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from cbablate.analysis.course import Course, course, growing, narrowed
from cbablate.analysis.searches.confirmation import with_confirmations
from cbablate.analysis.searches.tuning import Tuning, best_proposals, tunings
from cbablate.planning.plan import Plan
from cbablate.planning.tuned_plan import confirmed, tuned_rows, versus_fixed
from cbablate.records.book import Book, Recorded
from cbablate.records.history import History
from cbablate.spec.sweep import Proposal

__all__ = ["Standing"]


class Standing:
    """Where a study stands: how far its looks have come, its searches, what they chose.

    It is of one moment. A driver's `Book` goes on; `Standing(plan, book)` is then made anew, which
    costs nothing until something is asked of it.

    Raises:
        DamagedState: from what rests on histories, where the ledger contradicts itself.
    """

    def __init__(self, plan: Plan, facts: Recorded = ()) -> None:
        self.plan = plan
        self.book = Book.of(facts)

    @property
    def histories(self) -> Mapping[str, History]:
        """Histories by trial id."""
        return self.book.histories

    @cached_property
    def course(self) -> Course | None:
        """Where the looks stand; None with a fixed number of replicates."""
        return course(self.plan, self.histories)

    @cached_property
    def asked(self) -> Plan:
        """The plan with the trials that its looks have asked for so far; a fixed one as it is."""
        return self.plan if self.course is None else narrowed(self.plan, self.course)

    @cached_property
    def may_come(self) -> Plan:
        """The plan with all trials that looks have asked for or may still ask for."""
        return self.plan if self.course is None else growing(self.plan, self.course)

    @cached_property
    def tunings(self) -> tuple[Tuning, ...]:
        """The tuning of each search, in the plan's order; none of a study that does not tune."""
        return tunings(self.plan, self.book)

    @cached_property
    def proposals(self) -> Mapping[str, Proposal]:
        """The best proposal of each search that is over and has one, by its search's id."""
        return best_proposals(self.tunings)

    @cached_property
    def confirmations(self) -> Plan:
        """The plan with each arm at its tuned hyperparameters, as far as its search is over.

        An arm whose search goes on, or found nothing, is as written and has no trials.
        """
        return confirmed(self.plan, self.proposals)

    @cached_property
    def rows(self) -> Plan:
        """The plan whose arms are the rows of the study's table, at the tuned hyperparameters; of a
        single arm beside the same arm as written.
        """
        made = versus_fixed if len(self.plan.arms) == 1 else tuned_rows
        return made(self.plan, self.proposals)

    @cached_property
    def whole(self) -> Plan:
        """Everything of a study but its searches: the plan as written, and the confirmations."""
        if self.plan.study.tune is None:
            return self.asked
        return with_confirmations(self.plan, self.confirmations)
