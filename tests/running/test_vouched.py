"""What becomes of trials when code, data or a vouched version change; with commands as with
functions.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cbablate import api
from cbablate.analysis.summary import summarize
from cbablate.cli.main import app
from cbablate.errors import EnvironmentFault, UsageError
from cbablate.notebook.reading import diff
from cbablate.overviews import overview
from cbablate.planning.plan import Plan
from cbablate.records.facts import Started
from cbablate.reporting.sentences.note import notes
from cbablate.running.completion import Completion
from cbablate.running.drive import drive
from cbablate.running.executors.local_executor import LocalExecutor
from tests.workloads import own_code

STUDY = own_code.STUDY.replace("epochs: 2", "epochs: 1")
SCRIPT = """\
import json, os, sys
from core import value
with open(os.environ["CBABLATE_REPORT"], "a") as report:
    print(json.dumps({"spent": 1, "metrics": {"val/loss": value(float(sys.argv[1]))}}), file=report)
"""
FUNCTION = """\
from cbablate.records.measurement import Measurement
from core import value

def train(config, *, seed, budget, workdir):
    yield Measurement(spent=1, metrics={"val/loss": value(config["lr"])})
"""
CORE = "def value(lr):\n    return {factor} * lr\n"
COMMAND = 'command: [python, train.py, "{lr}", "{seed}"]'
WAYS = {"command": COMMAND, "function": "function: wl:train"}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(params=WAYS.values(), ids=[*WAYS])
def way(request: pytest.FixtureRequest) -> str:
    """A workload's mapping, less its braces."""
    return str(request.param)


def lay(folder: Path, workload: str, files: Mapping[str, str] | None = None) -> Path:
    """A project in a folder: its study."""
    folder.mkdir(parents=True, exist_ok=True)
    base = {"train.py": SCRIPT, "wl.py": FUNCTION, "core.py": CORE.format(factor=1)}
    for name, content in {**base, **(files or {})}.items():
        (folder / name).write_text(content)
    study = folder / "s.yaml"
    study.write_text(STUDY.format(workload=f"{{{workload}}}"))
    return study


def run(study: Path) -> Completion:
    planned = api.plan(api.load_study(study))
    return drive(
        planned,
        results=study.parent / "r",
        executor=LocalExecutor,
        publish=lambda _facts: [],
    )


def told(study: Path) -> Plan:
    return api.recorded(api.plan(api.load_study(study)), study.parent / "r")[0]


def screen(study: Path) -> str:
    """What status says."""
    return overview.standing(*api.recorded(api.plan(api.load_study(study)), study.parent / "r"))


def under_the_table(study: Path) -> str:
    plan, facts = api.recorded(api.plan(api.load_study(study)), study.parent / "r")
    return " ".join(notes(plan, summarize(plan, facts)))


def codes(study: Path) -> list[str]:
    facts = api.recorded(api.plan(api.load_study(study)), study.parent / "r")[1]
    return [Started.of(fact).code for fact in facts if fact.kind == "started"]


def test_an_edit_trains_anew_and_says_who_made_the_rest(tmp_path: Path, way: str) -> None:
    study = lay(tmp_path, way)
    assert (run(study).trained, run(study).trained) == (4, 0)
    before = told(study).description.version
    (tmp_path / "core.py").write_text("# as ever\n" + CORE.format(factor=1))
    assert run(study).trained == 0
    (tmp_path / "core.py").write_text(CORE.format(factor=2))
    for said in (screen(study), under_the_table(study)):
        assert "4 complete trials were made by an earlier version of" in said
        assert f"({before[:8]}, the last 20" in said
        assert "count again if the code is put back" in said
    assert run(study).trained == 4
    (tmp_path / "core.py").write_text(CORE.format(factor=1))
    assert run(study).trained == 0


def test_other_data_train_anew_and_are_told(tmp_path: Path, way: str) -> None:
    study = lay(tmp_path, f"{way}, data: [pets]", {"pets": "1"})
    assert run(study).trained == 4
    (tmp_path / "pets").write_text("2")
    assert "4 complete trials were made with other data" in screen(study)
    assert run(study).trained == 4
    (tmp_path / "pets").write_text("1")
    assert run(study).trained == 0


def test_a_vouched_version_counts_on_and_the_table_names_the_code(tmp_path: Path, way: str) -> None:
    study = lay(tmp_path, f"{way}, version: 3")
    assert run(study).trained == 4
    plan = told(study)
    assert plan.description.own is not None
    one = plan.description.own.digest
    assert codes(study) == [one] * 4
    assert f"Vouched for as version 3: made by 1 version of {name(way)} ({one[:8]})." in (
        under_the_table(study)
    )
    (tmp_path / "core.py").write_text(CORE.format(factor=2))
    assert run(study).trained == 0
    study.write_text(study.read_text().replace("replicates: 2", "replicates: 3"))
    assert run(study).trained == 2
    two = told(study).description.own
    assert two is not None
    wanted = f"made by 2 versions of {name(way)} ({one[:8]}, {two.digest[:8]})."
    assert wanted in under_the_table(study)
    assert wanted in screen(study)


def test_trials_go_on_counting_when_a_version_is_written_for_the_first_time(
    tmp_path: Path, way: str
) -> None:
    study = lay(tmp_path, way)
    assert run(study).trained == 4
    digest = told(study).description.version
    lay(tmp_path, f"{way}, version: 1")
    assert run(study).trained == 0
    assert codes(study) == [""] * 4
    (tmp_path / "core.py").write_text(CORE.format(factor=2))
    study.write_text(study.read_text().replace("replicates: 2", "replicates: 3"))
    assert run(study).trained == 2
    assert f"made by 2 versions of {name(way)} ({digest[:8]}, " in under_the_table(study)
    lay(tmp_path, way)
    study.write_text(study.read_text().replace("replicates: 2", "replicates: 3"))
    assert run(study).trained == 0
    assert f"2 trials were made by another version of {name(way)} (" in under_the_table(study)
    lay(tmp_path, f"{way}, version: 2", {"core.py": CORE.format(factor=2)})
    assert run(study).trained == 4
    lay(tmp_path, f"{way}, version: 5", {"core.py": CORE.format(factor=2)})
    assert "4 complete trials were made under version 2" in screen(study)


def test_earlier_code_can_be_compared_with_what_is_here_now(tmp_path: Path, way: str) -> None:
    study = lay(tmp_path, way)
    run(study)
    first = told(study).description.version
    (tmp_path / "core.py").write_text(CORE.format(factor=2))
    run(study)
    plan = api.plan(api.load_study(study))
    said = str(diff(plan, results=tmp_path / "r", code=first[:8]))
    assert f"workload version: {first} -> {plan.description.version}" in said
    assert "Complete trials: 4 -> 4, 0 of them the same" in said
    typed = CliRunner().invoke(
        app, ["diff", str(study), "--code", first[:8], "--results", str(tmp_path / "r")]
    )
    assert "Complete trials: 4 -> 4, 0 of them the same" in typed.stdout
    with pytest.raises(UsageError, match=r"no version of .* begins with 'xyz'"):
        diff(plan, results=tmp_path / "r", code="xyz")


def test_a_project_can_move_with_its_results(tmp_path: Path, way: str) -> None:
    study = lay(tmp_path / "here", f"{way}, data: [pets]", {"pets": "1"})
    assert run(study).trained == 4
    shutil.copytree(tmp_path / "here", tmp_path / "copied")
    shutil.move(tmp_path / "here", tmp_path / "moved")
    assert run(tmp_path / "copied" / "s.yaml").trained == 0
    assert run(tmp_path / "moved" / "s.yaml").trained == 0


def test_another_study_of_the_name_is_still_told_apart(tmp_path: Path, way: str) -> None:
    study = lay(tmp_path / "a", way)
    run(study)
    other = lay(tmp_path / "b", way)
    other.write_text(other.read_text().replace("replicates: 2", "replicates: 3"))
    planned = api.plan(api.load_study(other))
    with pytest.raises(EnvironmentFault, match="these results hold another study named 's'"):
        drive(
            planned,
            results=tmp_path / "a" / "r",
            executor=LocalExecutor,
            publish=lambda _facts: [],
        )


def test_two_studies_with_a_helper_each_run_each_its_own_in_one_process(
    tmp_path: Path, way: str
) -> None:
    one = lay(tmp_path / "one", way)
    two = lay(tmp_path / "two", way, {"core.py": CORE.format(factor=10)})
    run(one)
    run(two)
    for study, factor in ((one, 1.0), (two, 10.0)):
        plan, facts = api.recorded(api.plan(api.load_study(study)), study.parent / "r")
        means = [arm.estimates["val/loss"].mean for arm in summarize(plan, facts).arms]
        assert means == pytest.approx([0.1 * factor, 0.3 * factor])


def test_a_study_that_was_read_before_an_edit_is_refused(tmp_path: Path, way: str) -> None:
    study = lay(tmp_path, way)
    planned = api.plan(api.load_study(study))
    (tmp_path / "core.py").write_text(CORE.format(factor=2))
    with pytest.raises(EnvironmentFault, match=r"core\.py was edited"):
        drive(planned, results=tmp_path / "r", executor=LocalExecutor, publish=lambda _facts: [])


def name(way: str) -> str:
    return "train.py" if way == COMMAND else "wl.py"


EDITS = """\
import json, os, sys
from core import value
with open(os.environ["CBABLATE_REPORT"], "a") as report:
    found = {{"val/loss": value(float(sys.argv[1]))}}
    print(json.dumps({{"spent": 1, "metrics": found}}), file=report)
open(os.path.join(os.path.dirname(__file__), {file!r}), "a").write("{text}")
"""


@pytest.mark.parametrize(
    ("file", "text", "words", "sentence"),
    [
        ("core.py", "A = 1", "", "core.py was edited or is another"),
        ("pets", "2", "", "are other data"),
        ("log.txt", "x", ", log.txt", "log.txt was not there before the command ran"),
        ("core.py", "# a comment", "", ""),
        ("log.txt", "x", "", ""),
    ],
)
def test_a_command_whose_files_change_under_it_fails_and_nothing_else_starts(
    tmp_path: Path, file: str, text: str, words: str, sentence: str
) -> None:
    command = COMMAND.replace("]", f"{words}]")
    files = {"train.py": EDITS.format(file=file, text=text), "pets": "1"}
    study = lay(tmp_path, f"{command}, data: [pets]", files)
    done = run(study)
    assert (done.exit_code, done.trained) == ((3, 1) if sentence else (0, 4))
    if sentence:
        (failed,) = done.failures.values()
        assert failed.failure == "other code"
        assert sentence in failed.reason


def test_data_that_a_function_reads_are_held_against_what_was_recorded(tmp_path: Path) -> None:
    text = FUNCTION + "    open(__file__.replace('wl.py', 'pets'), 'w').write('2')\n"
    study = lay(tmp_path, "function: wl:train, data: [pets]", {"wl.py": text, "pets": "1"})
    done = run(study)
    assert (done.exit_code, done.trained) == (3, 1)
    assert [failed.failure for failed in done.failures.values()] == ["other code"]


RESERVED = """\
import ray
from cbablate.records.measurement import Measurement

def train(config, *, seed, budget, workdir):
    given = ray.get_runtime_context().get_assigned_resources()
    yield Measurement(spent=1, metrics={"val/loss": float(given.get("CPU", -1))})
"""


@pytest.mark.ray
@pytest.mark.slow
def test_ray_reserves_what_a_workload_says_that_a_trial_takes(
    tmp_path: Path, ray_session: None
) -> None:
    study = lay(tmp_path, "function: wl:train, needs: {cpus: 0.5}", {"wl.py": RESERVED})
    plan = api.plan(api.load_study(study))
    done = api.run(plan, results=tmp_path / "r", mirrored=False)
    assert done.exit_code == 0
    told, facts = api.recorded(plan, tmp_path / "r")
    assert {arm.estimates["val/loss"].mean for arm in summarize(told, facts).arms} == {0.5}
    greedy = lay(tmp_path, "function: wl:train, needs: {cpus: 4000}")
    with pytest.raises(EnvironmentFault, match=r"4,?000 cores"):
        api.run(api.plan(api.load_study(greedy)), results=tmp_path / "r", mirrored=False)
