"""What every mirror promises, as a suite that the tests of each mirror inherit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from cbablate.mirrors.port import Mirror, StudyState
from cbablate.testing.mirror_facts import Story, toy_plan

__all__ = ["MirrorContract"]

RUNNING, COMPLETE = StudyState.RUNNING, StudyState.COMPLETE


class _Killed(BaseException):
    """Ends a sync where a SIGKILL would: nothing of ours catches it."""


class MirrorContract:
    """Give `mirror`, `trials` and `writes`, and a new mirror is tested.

    `trials` is what the mirror shows of a study: by trial id, plain values, without ids or
    times of the mirror's own.
    """

    writes: ClassVar[list[tuple[Any, str]]] = []
    """The class and method of every call by which the mirror alters its store."""

    def mirror(self, folder: Path) -> Mirror:
        raise NotImplementedError

    def trials(self, folder: Path, study: str) -> dict[str, dict[str, Any]]:
        raise NotImplementedError

    def state(self, shown: dict[str, Any]) -> str:
        """The state that the mirror itself gives a trial, in our words."""
        raise NotImplementedError

    def lose(self, folder: Path) -> None:
        """Remove all that the mirror has written."""
        raise NotImplementedError

    def test_syncing_twice_adds_nothing(self, folder: Path) -> None:
        plan = toy_plan()
        story = Story().complete(*plan.trials).timed(plan)
        self.mirror(folder).sync(plan, story.facts, state=COMPLETE)
        once = self.trials(folder, "pace")
        mirror = self.mirror(folder)
        mirror.sync(plan, story.facts, state=COMPLETE)
        mirror.sync(plan, story.facts, state=COMPLETE)
        assert len(once) == 4
        assert self.trials(folder, "pace") == once

    def test_growing_facts_end_where_one_sync_with_all_ends(
        self, folder: Path, other_folder: Path
    ) -> None:
        plan = toy_plan()
        story, mirror = Story(), self.mirror(folder)
        for number, trial in enumerate(plan.trials, start=1):
            story.complete(trial)
            mirror.sync(plan, story.facts, state=RUNNING)
            assert len(self.trials(folder, "pace")) == number
        story.timed(plan)
        mirror.sync(plan, story.facts, state=COMPLETE)
        self.mirror(other_folder).sync(plan, story.facts, state=COMPLETE)
        assert self.trials(folder, "pace") == self.trials(other_folder, "pace")

    def test_only_what_is_new_is_written(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan = toy_plan()
        story = Story().complete(*plan.trials)
        mirror = self.mirror(folder)
        mirror.sync(plan, story.facts, state=RUNNING)
        count = self._counted(monkeypatch)
        mirror.sync(plan, story.facts, state=RUNNING)
        assert count() == 0
        self.mirror(folder).sync(plan, story.facts, state=RUNNING)
        assert count() == 0

    def test_each_state_is_told_as_such(self, folder: Path) -> None:
        plan = toy_plan()
        complete, failed, pruned, running = plan.trials
        story = Story().complete(complete).failed(failed).pruned(pruned)
        story.started(running)
        story.measured(running, until=2)
        self.mirror(folder).sync(plan, story.facts, state=RUNNING)
        shown = self.trials(folder, "pace")
        assert {trial: self.state(one) for trial, one in shown.items()} == {
            complete.id: "complete",
            failed.id: "failed",
            pruned.id: "pruned",
        }

    def test_a_mirror_that_was_deleted_comes_back_equal(self, folder: Path) -> None:
        plan = toy_plan(replicates=1)
        story = Story().complete(plan.trials[0]).failed(plan.trials[1]).timed(plan)
        self.mirror(folder).sync(plan, story.facts, state=COMPLETE)
        before = self.trials(folder, "pace")
        self.lose(folder)
        self.mirror(folder).sync(plan, story.facts, state=COMPLETE)
        assert self.trials(folder, "pace") == before

    def test_a_later_attempt_takes_the_place_of_a_failed_one(
        self, folder: Path, other_folder: Path
    ) -> None:
        plan = toy_plan(replicates=1)
        story = Story().failed(plan.trials[0]).complete(plan.trials[1])
        mirror = self.mirror(folder)
        mirror.sync(plan, story.facts, state=COMPLETE)
        story.complete(plan.trials[0], lift=0.5)
        mirror.sync(plan, story.facts, state=COMPLETE)
        shown = self.trials(folder, "pace")
        assert self.state(shown[plan.trials[0].id]) == "complete"
        self.mirror(other_folder).sync(plan, story.facts, state=COMPLETE)
        assert shown == self.trials(other_folder, "pace")

    def test_an_edited_study_shows_its_own_trials_and_takes_back_old_ones(
        self, folder: Path
    ) -> None:
        narrow, wide = toy_plan(replicates=1), toy_plan(levels=("slow", "steep"), replicates=1)
        story = Story().complete(*narrow.trials)
        self.mirror(folder).sync(narrow, story.facts, state=COMPLETE)
        before = self.trials(folder, "pace")
        story.complete(wide.trials[1])
        self.mirror(folder).sync(wide, story.facts, state=COMPLETE)
        assert set(self.trials(folder, "pace")) == {trial.id for trial in wide.trials}
        self.mirror(folder).sync(narrow, story.facts, state=COMPLETE)
        assert self.trials(folder, "pace") == before

    def test_two_studies_that_share_trials_both_show_them(self, folder: Path) -> None:
        one, two = toy_plan(replicates=1), toy_plan(replicates=1, name="other")
        assert {t.id for t in one.trials} == {t.id for t in two.trials}
        story = Story().complete(*one.trials)
        for plan in (one, two):
            self.mirror(folder).sync(plan, story.facts, state=COMPLETE)
        assert set(self.trials(folder, "pace")) == set(self.trials(folder, "other"))

    def test_a_sync_killed_at_any_write_is_repaired_by_the_next(
        self, make_folder: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan = toy_plan(replicates=1)
        story = Story().complete(plan.trials[0]).failed(plan.trials[1]).timed(plan)
        whole = make_folder()
        self.mirror(whole).sync(plan, story.facts, state=COMPLETE)
        expected = self.trials(whole, "pace")
        for fatal in range(1, 100):
            folder = make_folder()
            with monkeypatch.context() as patch:
                count = self._counted(patch, fatal=fatal)
                try:
                    self.mirror(folder).sync(plan, story.facts, state=COMPLETE)
                except _Killed:
                    killed = True
                else:
                    killed = False
            self.mirror(folder).sync(plan, story.facts, state=COMPLETE)
            assert self.trials(folder, "pace") == expected, f"killed at write {fatal}"
            if not killed:
                assert count() == fatal - 1
                break
        assert fatal > 4, "too few writes were counted: is `writes` complete?"

    def _counted(self, patch: pytest.MonkeyPatch, *, fatal: int = 0) -> Any:
        """Count writes from now on; the one numbered `fatal` never happens."""
        counted = 0

        def wrapped(original: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal counted
                counted += 1
                if counted == fatal:
                    raise _Killed
                return original(*args, **kwargs)

            return call

        for owner, name in self.writes:
            patch.setattr(owner, name, wrapped(getattr(owner, name)))
        return lambda: counted
