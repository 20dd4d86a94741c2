"""What a notebook calls."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import cbablate
from cbablate import api
from cbablate.errors import CbablateError, OwnedElsewhere, StudyError, UsageError
from cbablate.notebook import reading
from cbablate.records.place import Place
from cbablate.records.state import TrialState
from tests.toys import toy_file


def test_the_package_offers_names_and_imports_them_late() -> None:
    assert set(api.__all__) < set(cbablate.__all__)
    assert set(reading.__all__) < set(cbablate.__all__)
    for name in cbablate.__all__:
        assert getattr(cbablate, name) is not None
    for name in api.__all__:
        assert getattr(cbablate, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="no attribute 'tabel'"):
        _ = cbablate.tabel
    program = "import sys, cbablate; sys.exit('pydantic' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_tab_completion_shows_what_is_ours_and_nothing_else() -> None:
    assert dir(cbablate) == sorted([*cbablate.__all__, "__version__"])
    assert {"run", "plan", "table", "trials", "figures", "Measurement"} <= {*dir(cbablate)}
    assert not {"Any", "TYPE_CHECKING", "annotations", "import_module"} & {*dir(cbablate)}


def test_type_checkers_are_told_the_names_that_the_package_offers() -> None:
    tree = ast.parse(Path(cbablate.__file__).read_text())
    (told,) = (node for node in tree.body if isinstance(node, ast.If))
    names = {
        alias.asname: f"{node.module}"
        for node in told.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert names == {name: f"cbablate.{home}" for name, home in cbablate._HOMES.items()}


def test_a_workload_and_a_script_import_from_the_package_itself() -> None:
    from cbablate import Budget, CbablateError, Measurement, __version__

    assert Measurement(1, {"val/loss": 1.0}).spent == Budget(epochs=1).amount
    assert issubclass(CbablateError, Exception)
    assert __version__ == version("cbablate")


def test_reading_a_ledger_imports_nothing_heavy(tmp_path: Path) -> None:
    path = toy_file(tmp_path)
    program = (
        "import sys, cbablate as c\n"
        f"study = c.load_study({str(path)!r}); planned = c.plan(study)\n"
        f"c.table(planned, results={str(tmp_path)!r})._repr_html_()\n"
        f"c.trials(planned, results={str(tmp_path)!r})._repr_html_()\n"
        "heavy = {'torch', 'ray', 'optuna', 'mlflow', 'pandas', 'matplotlib', 'IPython'}\n"
        "print(sorted(heavy & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.slow
def test_a_study_runs_and_its_table_reads_in_a_few_lines(tmp_path: Path) -> None:
    planned = api.plan(api.load_study(toy_file(tmp_path)))
    done = api.run(
        planned,
        results=tmp_path / "results",
        resources=api.Resources(on="local"),
        mirrored=False,
    )
    assert done.states == {TrialState.COMPLETE: 12}
    assert "four" in str(api.table(planned, results=tmp_path / "results"))
    assert {path.suffix for path in done.published} >= {".tex", ".md", ".csv"}
    assert not (tmp_path / "results" / "mlflow.sqlite").exists()


def test_twin_arms_are_told_with_their_place_in_the_file(tmp_path: Path) -> None:
    path = toy_file(tmp_path)
    path.write_text(path.read_text().replace("ceiling: 3.0", "ceiling: 2.0"))
    with pytest.raises(StudyError, match=r"toys\.yaml:9:9: .*'two' and 'three' are the same"):
        api.plan(api.load_study(path))


def test_a_place_to_run_that_is_none_is_a_sentence() -> None:
    with pytest.raises(CbablateError, match="'ray' or 'local', not on 'mars'"):
        api.Resources(on="mars").executor()


def test_verify_asks_nothing_of_a_workload_that_has_nothing_to_verify(tmp_path: Path) -> None:
    planned = api.plan(api.load_study(toy_file(tmp_path)))
    api.verify(planned, api.Resources(on="local"))


OWN = """\
from cbablate.records.measurement import Measurement
import neighbour

def train(config, *, seed, budget, workdir):
    from neighbour import LOSS
    for spent in range(1, budget.amount + 1):
        yield Measurement(spent=spent, metrics={"val/loss": LOSS + neighbour.LOSS + config["x"]})
"""
STUDY = """\
question: What is trained after an edit?
workload: own:train
baseline: {x: 0}
budget: {epochs: 1}
replicates: 1
objective: {metric: val/loss, direction: minimize}
report: [val/loss]
"""


def test_an_edited_neighbour_is_other_code_in_the_same_process_too(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "own.yaml").write_text(STUDY)
    here = api.Resources(on="local")
    shown = []
    for loss in ("1.0", "30.0"):
        (tmp_path / "neighbour.py").write_text(f"LOSS = {loss}\n")
        planned = api.plan(api.load_study(tmp_path / "own.yaml"))
        done = api.run(planned, results=tmp_path / "r", resources=here, mirrored=False)
        assert done.trained == 1
        shown.append(str(api.table(planned, results=tmp_path / "r")))
    assert " 2 " in shown[0]
    assert " 60 " in shown[1]


def test_code_edited_between_planning_and_running_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "neighbour.py").write_text("LOSS = 1.0\n")
    (tmp_path / "own.yaml").write_text(STUDY)
    planned = api.plan(api.load_study(tmp_path / "own.yaml"))
    (tmp_path / "own.py").write_text(OWN.replace("config", "settings"))
    with pytest.raises(CbablateError, match="was edited after the study was read"):
        api.run(
            planned, results=tmp_path / "r", resources=api.Resources(on="local"), mirrored=False
        )


@pytest.mark.slow
def test_two_studies_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second = toy_file(tmp_path), toy_file(tmp_path / "other", epochs=5)
    here = api.Resources(on="local")

    def ran(path: Path) -> None:
        api.run(
            api.plan(api.load_study(path)),
            results=tmp_path / "r",
            resources=here,
            mirrored=False,
        )

    ran(first)
    with pytest.raises(CbablateError, match="another study named 'toys', from"):
        ran(second)
    first.unlink()
    ran(second)


@pytest.mark.parametrize("gpus", [-1.0, 1.5, float("nan"), float("inf")])
def test_a_share_of_a_gpu_that_cannot_be_is_refused(gpus: float) -> None:
    with pytest.raises(CbablateError, match="a share of one GPU") as refused:
        api.Resources(gpus_per_trial=gpus).executor()
    assert refused.value.exit_code == 2


def test_words_for_ray_are_not_ignored_in_process() -> None:
    with pytest.raises(CbablateError, match="are words for 'ray'") as refused:
        api.Resources(on="local", slots=4).executor()
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("address", ["", " "])
def test_an_empty_address_does_not_stand_for_this_machine(address: str) -> None:
    with pytest.raises(UsageError, match="the address of the Ray cluster is empty"):
        api.Resources(address=address).executor()


def test_a_results_folder_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    planned = api.plan(api.load_study(toy_file(tmp_path)))
    (tmp_path / "file").write_text("")
    (tmp_path / "odd" / "lock").mkdir(parents=True)
    here = api.Resources(on="local")
    with pytest.raises(CbablateError, match="is a file, not a folder"):
        api.table(planned, results=tmp_path / "file")
    for folder in ("file", "odd"):
        with pytest.raises(CbablateError, match="--results"):
            api.run(planned, results=tmp_path / folder, resources=here, mirrored=False)
    with pytest.raises(CbablateError, match="cannot address a folder"):
        api.run(planned, results=tmp_path / "50%", resources=here)


def test_a_sync_beside_a_running_study_is_turned_away(tmp_path: Path) -> None:
    planned = api.plan(api.load_study(toy_file(tmp_path)))
    with Place(tmp_path / "r").writing(), pytest.raises(OwnedElsewhere):
        api.sync(planned, results=tmp_path / "r")


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_time_between_checkpoints_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(CbablateError, match="0 or more"):
        api.Resources("local", checkpoint_every=seconds).executor()
