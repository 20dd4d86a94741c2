"""What an executor owes to trials that run programs: every implementation's tests inherit this."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate.running.executors.port import Executor
from cbablate.running.isolation.limits import Limits
from cbablate.spec.program import Program
from cbablate.testing.feeds import Diary, Shelf, is_alive, trials_that
from cbablate.workloads.own_code.entry import Entry

__all__ = ["ProgramExecutorContract"]

_SCRIPT = r"""
echo "begun with $1"
echo $$ > "$0.$1.pid"
case "$1" in
    fails) echo "a reason" >&2; exit 3;;
    dies) kill -KILL $$;;
    hangs) sleep 100; exit 0;;
esac
for epoch in 1 2 3; do
    [ -e "$CBABLATE_CHECKPOINT/epoch" ] && [ "$epoch" -le "$(cat "$CBABLATE_CHECKPOINT/epoch")" ] &&
        continue
    sleep 0.4
    echo "epoch $epoch"
    echo $epoch > "$CBABLATE_CHECKPOINT/epoch"
    echo '{"epoch": '$epoch', "val/score": 0.'$epoch'}' >> "$CBABLATE_REPORT"
    [ "$1" = dies-late ] && [ "$epoch" = 2 ] && sleep 0.4 && kill -KILL $$
done
echo done
"""


class ProgramExecutorContract:
    """Give it an `executor` fixture."""

    @pytest.fixture
    def executor(self) -> Executor:
        raise LookupError("a test class that inherits the contract gives the executor")

    @pytest.fixture
    def program(self, tmp_path: Path) -> Entry:
        (tmp_path / "train.sh").write_text(_SCRIPT)
        words = ("sh", str(tmp_path / "train.sh"), "{how}")
        program = Program(words, str(tmp_path), declared=True)
        return Entry("cbablate.workloads.commands.run:run", program=program)

    def test_what_a_program_prints_is_told_whole_and_before_its_end(
        self, executor: Executor, program: Entry
    ) -> None:
        (trial,) = trials_that("works", epochs=3)
        diary = Diary((trial,))
        executor.execute(diary, program)
        kinds = [what for _, what, _ in diary.told]
        assert kinds[0] == "started"
        assert kinds[-2:] == ["printed", "ended"]
        printed = b"".join(diary.of(trial.id, "printed"))
        assert printed == b"begun with works\nepoch 1\nepoch 2\nepoch 3\ndone\n"
        assert [m.spent for m in diary.of(trial.id, "measured")] == [1, 2, 3]

    def test_a_program_that_fails_dies_or_hangs_touches_no_other(
        self, executor: Executor, program: Entry, tmp_path: Path
    ) -> None:
        trials = trials_that("fails", "works", "dies", "hangs", "works-too", epochs=3)
        diary = Diary(trials)
        executor.execute(diary, program, limits=Limits(silence=3.0))
        ends = {trial.id: diary.of(trial.id, "ended")[0] for trial in trials}
        assert {one: end.how for one, end in ends.items()} == {
            **dict.fromkeys(("works", "works-too"), "finished"),
            **dict.fromkeys(("fails", "dies", "hangs"), "raised"),
        }
        assert ends["fails"].sentence == "train.sh ended with code 3: a reason"
        assert ends["fails"].traceback == "begun with fails\na reason"
        assert ends["dies"].sentence == "train.sh was killed by SIGKILL: begun with dies"
        assert ends["hangs"].failure == "timeout"
        assert ends["hangs"].traceback == "begun with hangs"
        self._all_gone(tmp_path, len(trials))

    def test_a_program_that_is_stopped_leaves_no_process(
        self, executor: Executor, program: Entry, tmp_path: Path
    ) -> None:
        trials = trials_that("works", "works-too", epochs=3)
        diary = Diary(trials, stop_at=1)
        executor.execute(diary, program)
        assert diary.endings() == {"stopped"}
        assert [m.spent for m in diary.of_kind("measured")] == [1, 1]
        self._all_gone(tmp_path, len(trials))

    def test_a_program_goes_on_from_its_checkpoint(
        self, executor: Executor, program: Entry
    ) -> None:
        (trial,) = trials_that("dies-late", epochs=3)
        shelf = Shelf()
        for spent in ([1, 2], [3]):
            diary = Diary((trial,))
            executor.execute(diary, program, shelf)
            assert [m.spent for m in diary.of(trial.id, "measured")] == spent
        assert shelf.kept[:2] == [(trial.id, 1), (trial.id, 2)]

    def _all_gone(self, folder: Path, many: int) -> None:
        pids = [int(path.read_text()) for path in folder.glob("train.sh.*.pid")]
        assert len(pids) == many
        assert not any(is_alive(pid) for pid in pids)
