"""What a notebook shows, executed in a real kernel."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import cbablate
from tests.toys import toy_file

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"
LARGEST = 20_000
"""Characters that an output of a small study may have in its file, but for pictures."""
START = """\
from cbablate import *
here = Resources(on="local")
study = load_study("toys.yaml")
study"""
PLAN = "planned = plan(study)\nplanned"
RUN = "done = run(planned, resources=here, mirrored=False)\ndone"


def executed(folder: Path, *cells: str) -> Sequence[Any]:
    """The cells of a notebook after all of them ran in a fresh kernel, in this folder."""
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return notebook.cells


def shown(cell: Any) -> Any:
    """What the last line of a cell showed, by type of media."""
    results = [one for one in cell.outputs if one.output_type == "execute_result"]
    assert len(results) == 1, cell.outputs
    return results[0].data


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Any]:
    folder = tmp_path_factory.mktemp("notebook")
    toy_file(folder)
    return executed(
        folder,
        START,
        PLAN,
        RUN,
        "table(planned)",
        "trials(planned)",
        "trials(planned).to_pandas().groupby('arm')['test/score'].mean().round(6).to_dict()",
        "figures(planned)",
        "figures(planned)['curves']",
        "explain(planned, 'two', 'Score')",
        "status(planned)",
        "report_page(planned)",
        "diff(planned, until='1')",
        "trials(planned).curves()",
        "table(planned).to_pandas().query('metric == \"test/score\"')['mean'].round(6).tolist()",
        "print(table(planned))",
    )


@pytest.mark.parametrize("place", range(15))
def test_no_output_floods_its_notebook(cells: Sequence[Any], place: int) -> None:
    pictures = cells[place].source in ("figures(planned)", "report_page(planned)")
    size = sum(len(str(one.get("data", one))) for one in cells[place].outputs)
    assert 0 < size < (LARGEST * 15 if pictures or "curves'" in cells[place].source else LARGEST)


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 6, 8, 9, 10, 11, 12])
def test_values_are_shown_as_pages_and_have_a_short_text(cells: Sequence[Any], place: int) -> None:
    data = shown(cells[place])
    assert data["text/html"].lstrip().startswith(('<div class="cbablate"', "<iframe"))
    assert len(data["text/plain"]) < 2_500
    if place < 5:
        assert data["text/plain"].count("\n") == 0
        assert len(data["text/plain"]) < 120
    if place not in (6, 10):
        assert data["text/markdown"].strip()


def test_a_table_offers_latex_that_mathjax_sets_and_nothing_else_does(cells: Sequence[Any]) -> None:
    offered = [place for place, cell in enumerate(cells) if "text/latex" in str(cell.outputs)]
    assert offered == [3]
    latex = shown(cells[3])["text/latex"]
    assert latex.startswith("$$\n\\begin{array}{lrrrr}")
    assert r"\text{two} & \text{1.772 }\pm \text{ 0.168}" in latex
    assert "tabular" not in latex


def test_a_run_is_one_panel_that_ends_with_what_was_reached(cells: Sequence[Any]) -> None:
    kinds = [one.output_type for one in cells[2].outputs]
    assert kinds == ["display_data", "execute_result"]
    panel = cells[2].outputs[0].data
    assert "12/12" in panel["text/html"]
    assert "12 complete" in panel["text/plain"]
    assert "writing tables" not in panel["text/plain"]


def test_trials_and_tables_are_data_frames(cells: Sequence[Any]) -> None:
    means = {"four": 3.501698, "one": 0.907704, "three": 2.637033, "two": 1.772368}
    assert literal_eval(shown(cells[5])["text/plain"]) == pytest.approx(means, abs=1e-5)
    listed = literal_eval(shown(cells[13])["text/plain"])
    assert sorted(listed) == pytest.approx(sorted(means.values()), abs=1e-5)


def test_one_figure_is_a_picture_though_nobody_imported_pyplot(cells: Sequence[Any]) -> None:
    assert "image/png" in shown(cells[7])
    assert shown(cells[6])["text/html"].count('<img src="data:image/svg+xml;base64,') == 2


def test_a_printed_table_is_the_one_of_a_terminal(cells: Sequence[Any]) -> None:
    assert "two      1.772 ± 0.168  +0.865" in cells[14].outputs[0].text


@pytest.mark.ray
def test_under_ray_a_run_is_one_panel_too(tmp_path: Path) -> None:
    toy_file(tmp_path, replicates=1)
    run = "done = run(planned, mirrored=False)"
    outputs = executed(tmp_path, START, PLAN, run, "done.trained")[2].outputs
    panels = [one.data for one in outputs if one.output_type == "display_data"]
    assert len(panels) == 1
    assert "4 complete" in panels[0]["text/plain"]
    assert sum(len(one.text) for one in outputs if one.output_type == "stream") < 2_000


WORKLOAD = """\
%%writefile own.py
from cbablate import Budget, Measurement
from part import LOSS

def train(config, *, seed, budget: Budget, workdir):
    yield Measurement(spent=budget.amount, metrics={"val/loss": LOSS + config["x"]})
"""
OWN = """\
%%writefile own.yaml
question: What is trained after an edit?
workload: own:train
baseline: {x: 0.0}
budget: {epochs: 1}
replicates: 2
objective: {metric: val/loss, direction: minimize}
report: [val/loss]
"""
ASKED = """\
planned = plan(load_study("own.yaml"))
done = run(planned, resources=Resources(on="local"), mirrored=False)
(done.trained, [row["val/loss"] for row in trials(planned)])"""


def test_code_edited_between_two_cells_is_what_the_second_one_trains(tmp_path: Path) -> None:
    cells = executed(
        tmp_path,
        "from cbablate import *",
        "%%writefile part.py\nLOSS = 1.0\n",
        WORKLOAD,
        OWN,
        ASKED,
        "%%writefile part.py\nLOSS = 30.0\n",
        ASKED,
        ASKED,
    )
    said = [shown(cells[place])["text/plain"] for place in (4, 6, 7)]
    assert said == ["(2, [1.0, 1.0])", "(2, [30.0, 30.0])", "(0, [30.0, 30.0])"]


def test_a_kernel_that_is_interrupted_stops_the_study_and_goes_on_after_it(tmp_path: Path) -> None:
    toy_file(tmp_path, seconds=2.0, epochs=20, replicates=1)
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        client.execute_interactive(f"{START}\n{PLAN}", timeout=60, output_hook=lambda _: None)
        asked = client.execute(RUN, stop_on_error=False)  # else the next cell may be dropped
        while "/20 epochs" not in str(client.get_iopub_msg(timeout=60)["content"]):
            pass
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != asked:
            pass
        assert reply["content"]["status"] == "error"
        shown = list[str]()
        client.execute_interactive(
            "print(status(planned))",
            timeout=60,
            output_hook=lambda message: shown.append(str(message["content"].get("text"))),
        )
        assert "1 interrupted (run again to go on)" in "".join(shown)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_the_notebook_of_the_documentation_runs_and_finds_what_it_shows(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, 4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    cells = executed(tmp_path, *code)
    table = next(cell for cell in cells if cell.source.startswith("table("))
    assert "helps: standardised" in shown(table)["text/html"]
    assert "Accuracy" in shown(table)["text/html"]
    described = next(cell for cell in cells if ".describe()" in cell.source)
    assert "0.94" in shown(described)["text/plain"], "the numbers behind it are as recorded"
    assert sum(len(str(cell.outputs)) for cell in cells) < 300_000
    assert (tmp_path / "scaling.html").stat().st_size > 10_000


def test_the_page_of_the_api_has_every_name_that_the_package_offers() -> None:
    page = (NOTEBOOK.parent / "python.md").read_text()
    missing = [name for name in (*cbablate.__all__, "__version__") if f"`{name}" not in page]
    assert missing == []


def test_an_error_in_a_notebook_ends_with_its_sentence(tmp_path: Path) -> None:
    toy_file(tmp_path)
    with pytest.raises(CellExecutionError, match="a study has no table 'forest'"):
        executed(tmp_path, START, PLAN, "table(planned, view='forest')")
