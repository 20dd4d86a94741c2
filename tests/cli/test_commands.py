"""The commands as a person types them: words in, text and exit code out."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toys import toy_file

CBABLATE = f"{shlex.quote(sys.executable)} -m cbablate.cli.main"
"""What a shell calls."""


def cbablate(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cbablate.cli.main", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100"},
        timeout=120,
    )


# One process runs the study that these look at.
pytestmark = [pytest.mark.xdist_group("commands"), pytest.mark.slow]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A study that has run: its file, its results, and what the command printed."""
    folder = tmp_path_factory.mktemp("done")
    study = toy_file(folder)
    ran = cbablate("run", study, "--on", "local", "--results", folder / "results")
    assert ran.returncode == 0, ran.stderr
    return study, folder / "results", ran.stdout


def run_bare(study: Path, results: Path, *words: str) -> list[str]:
    """The words of a run in one process that tells no mirror: importing MLflow takes seconds."""
    return ["run", str(study), "--on", "local", "--no-mirrors", "--results", str(results), *words]


def test_run_prints_the_table_on_stdout_and_progress_on_stderr(
    done: tuple[Path, Path, str],
) -> None:
    study, results, printed = done
    for arm in ("one", "two", "three", "four"):
        assert arm in printed
    assert "12/12" not in printed
    again = cbablate(*run_bare(study, results))
    assert again.stdout == printed, "a second run prints the same bytes"
    assert "Nothing to train: all 12 trials were finished." in again.stderr
    assert "MLflow and Optuna have not been told. This tells them: cbablate sync" in again.stderr


def test_table_prints_what_run_printed_in_every_form(
    done: tuple[Path, Path, str], tmp_path: Path
) -> None:
    study, results, printed = done
    assert cbablate("table", study, "--results", results).stdout == printed
    for form, sign in {"latex": "\\toprule", "markdown": "| --", "csv": "test/score"}.items():
        shown = cbablate("table", study, "--results", results, "--as", form).stdout
        assert sign in shown or sign.replace(" ", "") in shown, shown
    out = tmp_path / "paper.tex"
    cbablate("table", study, "--results", results, "--as", "latex", "-o", out)
    assert "\\bottomrule" in out.read_text()


def test_a_terminal_without_unicode_is_shown_plain_ascii(done: tuple[Path, Path, str]) -> None:
    study, results, printed = done
    words = [sys.executable, "-m", "cbablate.cli.main", "table", study, "--results", results]
    shown = subprocess.run(
        words, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=True
    ).stdout
    assert not printed.isascii()
    assert "+-" in shown.decode("ascii")


def test_plan_says_what_is_left_and_how_long(done: tuple[Path, Path, str], tmp_path: Path) -> None:
    study, results, _ = done
    fresh = cbablate("plan", study, "--results", tmp_path / "none").stdout
    assert "4 arms (one_at_a_time) x 3 replicates = 12 trials of 4 epochs" in fresh
    assert "Finished: 0. To train: 12 trials, 48 epochs." in fresh
    assert "Time: unknown" in fresh
    assert not (tmp_path / "none").exists(), "planning writes nothing"
    after = cbablate("plan", study, "--results", results).stdout
    assert "Finished: 12. To train: 0 trials" in after
    more = toy_file(tmp_path, replicates=5)
    longer = cbablate("plan", more, "--results", results).stdout
    assert "Finished: 12. To train: 8 trials, 32 epochs." in longer
    assert "from completed trials of 4 of the 4 arms concerned" in longer


def test_status_tells_states_arm_by_arm_and_why(tmp_path: Path) -> None:
    study = toy_file(tmp_path)
    study.write_text(study.read_text().replace("changes: {ceiling: 2.0}", "changes: {fault: nan}"))
    study.write_text(
        study.read_text().replace("changes: {ceiling: 3.0}", "changes: {fault: raise}")
    )
    before = cbablate("status", study, cwd=tmp_path).stdout
    assert "12 trials: 12 waiting" in before
    assert "checkpoint" not in before
    ran = cbablate(*run_bare(study, tmp_path / "r", "--checkpoint-every", "0"))
    assert ran.returncode == 3
    assert "6 trials failed" in ran.stderr
    after = cbablate("status", study, "--results", tmp_path / "r").stdout
    assert "12 trials: 6 complete, 6 failed" in after
    assert "6 checkpoints of all studies here" in after, "the diverged need none"
    assert "two #0 (2/4 epochs): diverged: val/score is nan after 3 epochs" in after


def test_check_tells_every_file_and_exits_2_if_any_is_wrong(tmp_path: Path) -> None:
    good = toy_file(tmp_path)
    bad = toy_file(tmp_path, name="bad")
    bad.write_text(bad.read_text().replace("ceiling: 2.0", "cieling: 2.0"))
    said = cbablate("check", good, bad)
    assert said.returncode == 2
    assert "toys.yaml: 4 arms, 12 trials" in said.stdout
    assert "bad.yaml:8:" in said.stderr
    assert "ceiling" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_wrong_study_writes_nothing(tmp_path: Path) -> None:
    bad = toy_file(tmp_path, name="bad")
    bad.write_text(bad.read_text().replace("workload: toy", "workload: tyo"))
    said = cbablate("run", bad, "--results", tmp_path / "r")
    assert said.returncode == 2
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "words",
    [["--help"], ["plan", "STUDY"], ["table", "STUDY"], ["status", "STUDY"], ["check", "STUDY"]],
    ids=lambda words: words[0],
)
def test_reading_commands_import_nothing_heavy(
    words: list[str], done: tuple[Path, Path, str]
) -> None:
    study, results, _ = done
    typed = [str(study) if word == "STUDY" else word for word in words]
    if words[0] in ("plan", "table", "status"):
        typed += ["--results", str(results)]
    program = (
        "import sys\n"
        f"sys.argv = ['cbablate', *{typed!r}]\n"
        "from cbablate.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'timm', 'ray', 'mlflow', 'optuna', 'matplotlib', 'sklearn', 'pandas'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or None)\n"
    )
    done_ = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done_.returncode == 0, f"imported {done_.stderr}"


def test_a_damaged_ledger_is_refused_with_exit_code_5_and_left_alone(
    done: tuple[Path, Path, str], tmp_path: Path
) -> None:
    study, results, _ = done
    with sqlite3.connect(results / "ledger.sqlite") as ledger:
        copy = sqlite3.connect(tmp_path / "ledger.sqlite")
        ledger.backup(copy)
        copy.execute("UPDATE records SET body = replace(body, '1', '2') WHERE kind = 'measured'")
        copy.commit()
        copy.close()
    before = (tmp_path / "ledger.sqlite").read_bytes()
    for command in ("run", "table", "status"):
        said = cbablate(command, study, "--results", tmp_path)
        assert said.returncode == 5, said.stderr
        assert "does not match its checksum" in said.stderr
        assert "Traceback" not in said.stderr
    assert (tmp_path / "ledger.sqlite").read_bytes() == before


def test_a_second_run_at_once_exits_6_and_names_the_first(tmp_path: Path) -> None:
    study = toy_file(tmp_path, seconds=0.2)
    words = run_bare(study, tmp_path / "r")
    first = subprocess.Popen(
        [sys.executable, "-m", "cbablate.cli.main", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert first.stderr is not None
    first.stderr.readline()  # it speaks once it has the lock
    second = cbablate(*words)
    first.terminate()
    told = first.stderr.read()
    assert second.returncode == 6
    assert f"process {first.pid}" in second.stderr
    assert first.wait(30) == 75, told
    assert "stopped by SIGTERM" in told


def test_ctrl_c_exits_130_and_running_again_goes_on(tmp_path: Path) -> None:
    study = toy_file(tmp_path, seconds=0.05, epochs=2)
    words = run_bare(study, tmp_path / "r")
    running = subprocess.Popen(
        [sys.executable, "-m", "cbablate.cli.main", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    while "3/12" not in running.stderr.readline():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    after = cbablate("status", study, "--results", tmp_path / "r").stdout
    assert "waiting" in after
    again = cbablate(*words)
    assert again.returncode == 0
    assert "4/12" in again.stderr
    assert "3/12" not in again.stderr, "what had finished was not trained again"


def test_schema_is_json_that_names_the_study_keys() -> None:
    schema = json.loads(cbablate("schema").stdout)
    assert {"question", "baseline", "factors", "budget"} <= set(schema["properties"])


def test_a_reader_that_leaves_early_causes_no_traceback(done: tuple[Path, Path, str]) -> None:
    study, results, _ = done
    command = f"{CBABLATE} table {study} --results {results} | head -c 1"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in said.stderr
    assert "BrokenPipe" not in said.stderr


@pytest.mark.parametrize("sink", [">&-", "> /dev/full"])
def test_a_table_that_cannot_be_printed_is_a_sentence(
    sink: str, done: tuple[Path, Path, str]
) -> None:
    study, results, _ = done
    command = f"{CBABLATE} table {study} --results {results} {sink}"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert said.returncode == 4
    assert "the output cannot be printed" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("sink", [">&-", "> /dev/full"])
def test_a_table_that_cannot_be_printed_takes_no_failed_trial_s_exit_code(
    sink: str, tmp_path: Path
) -> None:
    study = toy_file(tmp_path, epochs=1, replicates=1)
    study.write_text(study.read_text().replace("{ceiling: 2.0}", "{fault: raise}"))
    words = " ".join(run_bare(study, tmp_path / "r"))
    command = f"{CBABLATE} {words} {sink}"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert said.returncode == 3, said.stderr
    assert "the output cannot be printed" in said.stderr
    assert "1 trial failed:" in said.stderr
    assert "Traceback" not in said.stderr


def test_an_unknown_option_is_a_usage_error(tmp_path: Path) -> None:
    said = cbablate("run", toy_file(tmp_path), "--gpu-per-trial", "1")
    assert said.returncode == 2
    assert "--gpus-per-trial" in said.stderr


def test_a_probe_adds_to_the_plan_what_the_trials_left_take(
    done: tuple[Path, Path, str], tmp_path: Path
) -> None:
    study, results, _ = done
    said = cbablate("plan", study, "--results", tmp_path / "none", "--probe", "--slots", "2")
    assert said.returncode == 0, said.stderr
    assert "Time for 12 trials on 2 slots: " in said.stdout
    assert "Disk: at most " in said.stdout
    assert not (tmp_path / "none").exists(), "probing records nothing"
    told = json.loads(cbablate("plan", study, "--results", results, "--probe", "--json").stdout)
    assert (told["probe"]["left"], told["probe"]["seconds"]) == (0, 0)
    assert told["probe"]["ledger_bytes_measured"] is True
    assert [len(shape["arms"]) for shape in told["probe"]["shapes"]] == [1, 1, 1, 1]


def test_slots_without_a_probe_are_refused(done: tuple[Path, Path, str]) -> None:
    refused = cbablate("plan", done[0], "--slots", "2")
    assert refused.returncode != 0
    assert "give both" in refused.stderr
