"""The documentation is whole: made from the types where it can be, linked, readable offline."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from cbablate import load_study, plan
from docs.generator.key import Key
from docs.generator.reference import all_keys, example_of, pages
from tests.documents import ROOT, blocks, titled

KEYS = {f"{owner}: {key.name}": (owner, key) for owner, keys in all_keys().items() for key in keys}


def test_no_key_lacks_a_description() -> None:
    assert [name for name, (_, key) in KEYS.items() if not key.description] == []


def test_every_key_has_an_example_that_its_schema_takes() -> None:
    def faults(owner: str, key: Key) -> list[str]:
        schema = {**key.schema, "$defs": key.root.get("$defs", {})}
        example = example_of(key, owner)
        return [fault.message for fault in Draft202012Validator(schema).iter_errors(example)]

    assert {name: faults(*each) for name, each in KEYS.items() if faults(*each)} == {}


def test_every_key_of_the_image_workload_is_there() -> None:
    named = {key.name for owner, key in KEYS.values() if owner == "image_classification"}
    assert {"schedule.warmup_epochs", "precision", "clip_grad", "model_ema"} <= named
    assert {"augment.mixup", "model.weight_init", "context.place", "probes"} <= named


@pytest.mark.parametrize("name", pages())
def test_the_reference_is_the_one_of_the_types(name: str) -> None:
    kept = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert kept == pages()[name], "write it anew: python -m docs.generator"


def test_the_study_that_the_reference_begins_with_is_right(tmp_path: Path) -> None:
    page = pages()["study-file.md"]
    (tmp_path / "train.py").touch()
    (tmp_path / "study.yaml").write_text(titled(page)["study.yaml"], encoding="utf-8")
    study = plan(load_study(tmp_path / "study.yaml")).study
    assert len(study.factors) == 2
    heads = re.findall(r"^### `(\w+)`$", page, re.MULTILINE)
    assert list(yaml.safe_load(titled(page)["study.yaml"])) == heads[:9], "in the page's order"


def test_each_key_of_a_study_has_its_words_once() -> None:
    heads = re.findall(r"^#{3,} `(.+)`$", pages()["study-file.md"], re.MULTILINE)
    keys = {key.name for owner, key in KEYS.values() if owner == "study"}
    assert len(heads) == len(set(heads))
    assert {name for name in keys if name not in heads} == {
        f"workload.{name}" for name in heads if name.startswith("metrics.")
    }


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


class _Loads(HTMLParser):
    """What a page loads by itself, from where."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        loads = said.get("href") if tag == "link" else said.get("src")
        if loads:
            self.found.append(loads)


@pytest.mark.slow
def test_the_site_loads_nothing_from_the_network(site: Path) -> None:
    for page in site.rglob("*.html"):
        loads = _Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.found, "a page has its style"
        assert [where for where in loads.found if re.match(r"(https?:)?//", where)] == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )[\"']?(https?:)?//", sheet.read_text()), sheet


@pytest.mark.slow
def test_what_is_outside_of_docs_is_a_page_too(site: Path) -> None:
    studies = sorted(path.relative_to(ROOT) for path in (ROOT / "studies").rglob("*.yaml"))
    assert len(studies) > 10
    for name in (*(f"{study}.html" for study in studies), "index.html", "CONTRIBUTING.html"):
        assert (site / "repository" / name).exists(), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("[a](nowhere.md)", "nowhere.md"),
        ("[a](data.md#nothing-there)", "#nothing-there"),
        ("[a](../studies/none.yaml)", "../studies/none.yaml"),
    ],
)
def test_a_dead_link_ends_the_build(tmp_path: Path, link: str, told: str) -> None:
    pytest.importorskip("material", reason="needs the extra docs")
    _copied(tmp_path)
    index = tmp_path / "docs" / "index.md"
    index.write_text(index.read_text(encoding="utf-8") + f"\n{link}\n", encoding="utf-8")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode != 0
    assert told in built.stderr


def _copied(to: Path) -> None:
    for folder in ("docs", "studies", "benchmarks"):
        shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, to / name)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_the_search_works_from_a_folder(site: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000",
         f"--user-data-dir={tmp_path}", "--dump-dom", f"file://{site}/index.html?q=weight_init"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = re.findall(r"href=\"([^\"]+)\?h=weight_init", shown.stdout)
    assert found, shown.stderr[-500:]
    pages = [Path(where).name for where in found]
    assert {"shipped-workloads.html", "models.html"} == set(pages[:2]), "what explains it is first"


def test_the_rows_that_are_explained_are_those_of_the_demo() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = blocks((ROOT / "docs/statistics-in-words.md").read_text(encoding="utf-8"), "text")
    assert len(shown.splitlines()) == 6
    assert [row for row in shown.splitlines() if row not in readme] == []


def test_the_citation_names_the_version_that_is_installed() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])


def test_the_container_is_given_what_the_build_needs() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = {name for line in copied for name in line.split()}
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in sources} <= set(let_in)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"pyproject.toml", "cbablate", project["readme"], *project["license-files"]} <= sources
    assert all((ROOT / name).exists() for name in sources)


def test_the_study_on_the_start_page_is_the_one_of_the_tutorial(tmp_path: Path) -> None:
    """Written shorter, and with the tutorial's table."""
    start, tutorial = (
        (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("index", "tutorial")
    )
    planned = []
    for name, page in (("start", start), ("tutorial", tutorial)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "train.py").write_text(titled(tutorial)["train.py"], encoding="utf-8")
        (folder / "scale.yaml").write_text(titled(page)["scale.yaml"], encoding="utf-8")
        planned.append([trial.id for trial in plan(load_study(folder / "scale.yaml")).trials])
    assert planned[0] == planned[1]
    (table,) = blocks(start, "text")
    assert table in tutorial
    assert max(len(line) for line in titled(start)["scale.yaml"].splitlines()) < 85
