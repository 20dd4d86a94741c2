"""The report: one page, whole, the same each time, that runs nothing but our own script."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cbablate.analysis.outcome import outcome
from cbablate.analysis.summary import summarize
from cbablate.analysis.trial_outcome import outcomes
from cbablate.character import visible
from cbablate.errors import EnvironmentFault
from cbablate.planning.plan import Plan
from cbablate.records.facts import Started
from cbablate.records.record import Record
from cbablate.reporting.figures.picture import pictures
from cbablate.reporting.forms import typesetter
from cbablate.reporting.pages import report_pdf as pdf
from cbablate.reporting.pages.environment import environment_rows
from cbablate.reporting.pages.report import efforts, report
from cbablate.reporting.sentences.claim import claims
from cbablate.reporting.tables.arms import ablation_table
from tests.analysis.fabrication import Telling, patchy, placement, sizes, told
from tests.analysis.tuned import BOTH, searched, sweep, tuned_places, tuned_toys
from tests.reporting.browser import needs_browser, visited
from tests.reporting.typesetting import bare, needs_tex, typeset

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>' {{ 7*7 }} {% raw %}",
    "a_b & 50% #1 {x} ~^\\ \u202eback \x1b[2J",
    "n" * 100,
)
QUESTION = "</title></script><script>alert('x')</script> & \u2028 more?"


class Reader(HTMLParser):
    """The tags that are open at the end, every tag's name, and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader


def failing(plan: Plan) -> list[Record]:
    """Facts in which one trial raised."""
    facts = told(plan, skip=patchy)
    telling = Telling()
    telling.facts = facts
    trial = plan.trials[-1]
    telling.tell(trial.id, Started(2, "session 1"))
    trace = 'Traceback:\n  File "<x>"\n    boom & <b>\x1b[31m\nValueError: no'
    telling.end(trial, "failed", "error", reason="ValueError: <no>", traceback=trace)
    return facts


@pytest.fixture(scope="module")
def hostile() -> tuple[Plan, list[Record], str]:
    plan = placement(names=HOSTILE, question=QUESTION, factor="<i>factor</i>")
    facts = failing(plan)
    return plan, facts, report(plan, facts)


@pytest.mark.slow
def test_the_same_records_give_the_same_bytes_in_any_order(
    hostile: tuple[Plan, list[Record], str],
) -> None:
    plan, facts, page = hostile
    assert report(plan, facts[::-1]) == page


def test_the_cells_are_those_of_the_table(hostile: tuple[Plan, list[Record], str]) -> None:
    plan, facts, page = hostile
    shown = unescape(page)
    table = ablation_table(plan, summarize(plan, facts))
    for row in table.rows:
        for cell in row.cells[1:]:
            assert f">{cell.plain}</td>" in shown


def test_nothing_of_a_study_becomes_a_tag_a_script_or_an_address(
    hostile: tuple[Plan, list[Record], str],
) -> None:
    *_, page = hostile
    reader = read(page)
    scripts = [tag for tag in reader.tags if tag[0] == "script"]
    assert len(scripts) == 1
    assert "alert(1)</script>" not in page
    assert "{{ 7*7 }} {% raw %}" in unescape(page)
    assert "<U+202E>back <U+001B>[2J" in unescape(page)
    assert not set(page) & {"\u202e", "\x1b", "\u2028"}
    for tag, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/svg+xml;base64,")), (tag, value)
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_ids_are_unique_and_every_link_inside_leads_somewhere(
    hostile: tuple[Plan, list[Record], str],
) -> None:
    tags = read(hostile[2]).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in tags if tag == "a"]
    assert links
    assert {str(link)[1:] for link in links} <= set(ids)


def test_headers_have_scopes_images_words_and_fields_labels(
    hostile: tuple[Plan, list[Record], str],
) -> None:
    tags = read(hostile[2]).tags
    assert {a.get("scope") for tag, a in tags if tag == "th"} == {"col", "row"}
    assert all(a.get("alt") for tag, a in tags if tag == "img")
    assert [tag for tag, _ in tags if tag in ("header", "main", "nav", "footer", "h1")] == [
        *("header", "h1", "nav", "main", "footer")
    ]


def test_a_failure_is_told_with_its_traceback_line_by_line(
    hostile: tuple[Plan, list[Record], str],
) -> None:
    page = unescape(hostile[2])
    assert "ValueError: <no>" in page
    assert 'Traceback:\n  File "<x>"\n    boom & <b><U+001B>[31m\nValueError: no</pre>' in page


def test_a_machine_without_gpus_is_said_in_words(hostile: tuple[Plan, list[Record], str]) -> None:
    assert "gpus none" in hostile[2]
    assert "gpus []" not in hostile[2]


@pytest.mark.slow
def test_nothing_run_and_a_factorial_have_a_page_too() -> None:
    empty = report(placement(), [])
    read(empty)
    assert "Nothing has been trained yet." in empty
    assert 'id="figures"' not in empty
    assert 'id="failures"' not in empty
    plan = sizes()
    page = report(plan, told(plan))
    read(page)
    assert page.count('<tr class="opens">') == 3
    assert page.count("<img ") == 4


def test_the_figures_say_in_words_what_they_show() -> None:
    plan = placement(replicates=2)
    facts = told(plan)
    trials = outcomes(plan, facts)
    found = list(pictures(outcome(plan, facts), trials))
    assert [one.word for one in found] == ["differences", "curves", "attention/entropy"]
    assert all(len(one.words) > 40 for one in found)


@pytest.mark.slow
def test_a_study_that_tunes_shows_its_searches_in_the_same_bytes_each_time() -> None:
    plan, telling = tuned_toys({"ceiling": 2.0}, how=sweep(objectives=BOTH)), Telling()
    telling.session()
    searched(telling, plan, lambda s, n, _p: {"val/score": s + float(n), "cost": float(n % 3)})
    drawn = list(pictures(outcome(plan, telling.facts), outcomes(plan, telling.facts)))
    assert [one.word.removeprefix("tuning-") for one in drawn] == [
        *("history", "slices", "parallel", "pareto")
    ]
    page = report(plan, telling.facts)
    read(page)
    for one in drawn:
        assert one.title in page
        assert one.words in unescape(page)
    assert report(plan, telling.facts) == page


def test_tuning_trials_are_counted_by_arm_and_only_when_they_ended() -> None:
    fixed = placement(replicates=1)
    assert efforts(outcome(fixed, told(fixed))) == {}
    plan, telling = tuned_places(), Telling()
    ends = [["complete", "pruned", "open"], ["complete", "out_of_memory", "proposed"]]
    searched(
        telling,
        plan,
        lambda _search, number, _proposal: {"val/top1": float(number)},
        ending=lambda search, number: ends[search % 2][number],
        trials=3,
    )
    assert [*efforts(outcome(plan, telling.facts)).values()] == [2] * len(plan.arms)


PROBE = """
<script>
const said = {};
const rows = () => [...document.querySelectorAll("#every tbody tr")];
const seen = () => rows().filter((row) => !row.hidden);
const column = (row) => row.cells[3].textContent;
said.all = seen().length;
const head = document.querySelectorAll("#every thead th")[3];
head.querySelector("button").click();
said.up = seen().map(column); said.upSort = head.getAttribute("aria-sort");
head.querySelector("button").click();
said.down = seen().map(column); said.downSort = head.getAttribute("aria-sort");
const put = (id, value) => {
  const field = document.getElementById(id);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
};
put("filter-state", "failed"); said.failed = seen().map((row) => row.cells[2].textContent);
put("filter-state", ""); put("filter-text", "diverged"); said.text = seen().length;
put("filter-text", "");
const boxes = document.querySelectorAll("#filters input[name=arm]");
boxes[0].click(); boxes[1].click();
said.arms = [...new Set(seen().map((row) => row.cells[0].textContent))];
said.compared = document.querySelectorAll("#compared tbody tr").length;
said.points = document.querySelectorAll("#strip circle").length;
said.pairs = document.querySelectorAll("#strip .pair").length;
const point = document.querySelector("#strip circle");
point.dispatchEvent(new Event("mouseenter"));
said.pointed = document.getElementById("pointed").textContent;
point.dispatchEvent(new Event("click"));
said.found = document.querySelectorAll("#every .found").length;
const told = document.createElement("pre");
told.id = "probe"; told.textContent = JSON.stringify(said);
document.body.append(told);
</script></body>"""


@pytest.mark.slow
@needs_browser
def test_in_a_browser_the_trials_sort_filter_and_compare_without_an_error(
    hostile: tuple[Plan, list[Record], str], tmp_path: Path
) -> None:
    page = hostile[2].replace("</body>", PROBE)
    page = re.sub(r"script-src '[^']*'", "script-src 'unsafe-inline'", page)
    shown, errors = visited(page, tmp_path)
    assert errors == []
    (told_,) = re.findall(r'<pre id="probe">(.*?)</pre>', shown)
    said = json.loads(unescape(told_))
    assert said["all"] == 30
    numbers = [float(value) for value in said["up"] if value]
    assert numbers == sorted(numbers)
    assert len(numbers) == 25
    assert said["up"][25:] == [""] * 5, "what has no value comes last"
    assert [float(value) for value in said["down"] if value] == numbers[::-1]
    assert (said["upSort"], said["downSort"]) == ("ascending", "descending")
    assert len(said["failed"]) == 4
    assert all(text.startswith("failed") for text in said["failed"])
    assert said["text"] == 1
    assert set(said["arms"]) == {"none", "<script>alert(1)</script>"}
    assert said["compared"] == 2
    assert said["points"] == 12
    assert said["pairs"] == 6
    assert re.match(r".+ #\d: 9\d", said["pointed"])
    assert said["found"] == 1


@pytest.mark.slow
@needs_browser
def test_in_a_browser_the_policy_lets_our_script_run_and_no_other(
    hostile: tuple[Plan, list[Record], str], tmp_path: Path
) -> None:
    foreign = hostile[2].replace("</body>", "<script>document.title = 'owned'</script></body>")
    shown, errors = visited(foreign, tmp_path)
    assert "All 30 trials." in shown, "ours ran"
    assert "<title>owned" not in shown
    assert len(errors) == 1
    assert "Content Security Policy" in errors[0]


@pytest.mark.parametrize("reader", [pytest.param("pdflatex", marks=needs_tex)])
def test_the_pdf_sets_hostile_names_and_lists_every_trial(
    reader: str, hostile: tuple[Plan, list[Record], str], tmp_path: Path
) -> None:
    plan, facts, _ = hostile
    trials = outcomes(plan, facts)
    source = pdf.report_tex(outcome(plan, facts), trials, pictures=[], questions=[])
    shown, _ = typeset(source, tmp_path)
    page = bare(shown)
    for name in HOSTILE[:2]:
        assert bare(name) in page
    for one in trials:
        assert one.trial.id in page


@pytest.mark.parametrize("reader", [pytest.param("pdflatex", marks=needs_tex)])
def test_the_pdf_has_figures_and_nothing_that_changes_with_the_day(reader: str) -> None:
    plan = placement(replicates=2)
    made = pdf.report_pdf(plan, told(plan))
    assert made.startswith(b"%PDF")
    assert made.count(b"/Subtype/Form") + made.count(b"/Subtype /Form") >= 3
    assert b"CreationDate" not in made
    assert b"/ID" not in made


def test_without_tex_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetter.shutil, "which", lambda _name: None)
    with pytest.raises(EnvironmentFault, match="apt-get install texlive-latex-base"):
        pdf.report_pdf(placement(), [])


def test_the_page_says_findings_once_and_its_environment_in_few_rows(
    hostile: tuple[Plan, list[Record], str],
) -> None:
    plan, facts, page = hostile
    shown = unescape(page)
    for claim in claims(plan, summarize(plan, facts)):
        assert shown.count(visible(claim)) == 1
    assert "host." not in page
    assert "versions." not in page
    assert "GPUs none" in environment_text(page)
    assert "the upright bar the mean of its arm" in page


def environment_text(page: str) -> str:
    return page.partition('id="h-provenance"')[2].partition("</dl>")[0]


def test_the_environment_is_a_row_a_group_with_all_values_of_mixed_traits() -> None:
    rows = environment_rows(
        {
            "commit": ("abc",),
            "host.gpus": ("",),
            "host.cores": ("2", "8"),
            "versions.torch": ("2.9",),
            "versions.ray": ("2.60",),
        }
    )
    assert rows == [
        ("Commit", "abc"),
        ("Machine", "GPUs none, cores 2 or 8"),
        ("Versions", "torch 2.9, ray 2.60"),
    ]
