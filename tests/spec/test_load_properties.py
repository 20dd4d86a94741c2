"""Whatever is written, reading it ends in a study or in a `StudyError`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cbablate.errors import StudyError
from cbablate.planning.plan import plan
from cbablate.spec.loading.load import read_study
from cbablate.spec.study import Study
from cbablate.workloads.catalog import describe
from tests.spec.study_files import IMAGE, OWN, TOY

SIGNS = "{}[]:,-#&*!|>'\"%@`?~\n\t <=.0\\\u00a0"
MARKS = [*SIGNS, "<<: ", "---\n", "&a ", "*a"]
WORDS = ["null", "true", "1e400", "-1", "'x'", "[]", "{}", "seed", "none", "!!set", "10.5", "a.b"]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "mine.py").write_text("def train():\n    yield\n")
        yield Path(made)


def outcome(folder: Path, content: bytes, *, planned: bool = True) -> Study | str:
    """The study, or the sentences; any other exception fails the test."""
    path = folder / "x.yaml"
    path.write_bytes(content)
    try:
        file = read_study(path, describe)
    except StudyError as error:
        return str(error)
    try:
        if planned:
            plan(file.study, file.description)
    except StudyError as error:
        return str(file.located(error))
    return file.study


def placed(folder: Path, told: str) -> bool:
    """Whether each line tells a place of the file, or is a hint below one that does."""
    lines = told.splitlines()
    return bool(lines) and all(line.startswith((f"{folder / 'x.yaml'}:", "    ")) for line in lines)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A good study with a few pieces cut out, moved, or put in."""
    text = draw(st.sampled_from([TOY, IMAGE, OWN]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from(MARKS) | st.sampled_from(WORDS) | st.text(max_size=4))
        text = text[:start] + piece + text[end:]
    return text


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(mutations())
def test_a_mangled_study_is_read_or_refused_with_places(folder: Path, text: str) -> None:
    ended = outcome(folder, text.encode("utf-8", "surrogatepass"))
    assert isinstance(ended, Study) or placed(folder, ended)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=SIGNS + "ab1", max_size=80) | st.text(max_size=80))
def test_text_that_is_no_study_is_refused_with_places(folder: Path, text: str) -> None:
    ended = outcome(folder, text.encode("utf-8", "surrogatepass"))
    assert isinstance(ended, str)
    assert placed(folder, ended)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_refused_with_places(folder: Path, content: bytes) -> None:
    ended = outcome(folder, content)
    assert isinstance(ended, str)
    assert placed(folder, ended)


numbers = st.floats(1e-6, 1e6, allow_nan=False)
names = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20
)


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    """What the file of a study of `toy` may say."""
    keys = ["ceiling", "start", "rate", "noise"]
    factors = [
        {
            "name": f"{name} {i}",
            "levels": [
                {"name": f"{name} off {i}"},
                {"name": f"{name} on {i}", "changes": {keys[i]: draw(numbers)}},
            ],
        }
        for i, name in enumerate(draw(st.lists(names, max_size=3)))
    ]
    return {
        "question": draw(names),
        "workload": "toy",
        "baseline": draw(st.dictionaries(st.sampled_from(keys), numbers)),
        "factors": factors,
        "design": draw(st.sampled_from(["one_at_a_time", "factorial", "leave_one_out"])),
        "budget": {draw(st.sampled_from(["epochs", "steps"])): draw(st.integers(1, 1000))},
        "replicates": draw(st.integers(1, 1000)),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "objective": {"metric": "val/score", "direction": "maximize"},
        "report": ["test/score"],
    }


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(studies(), st.booleans())
def test_a_study_survives_being_written_and_read(
    folder: Path, written: dict[str, Any], flow: bool
) -> None:
    text = yaml.safe_dump(written, allow_unicode=True, default_flow_style=flow, sort_keys=flow)
    first = outcome(folder, text.encode(), planned=False)
    assert isinstance(first, Study), first
    said = first.model_dump(mode="json", exclude={"name"}, exclude_none=True)
    again = outcome(folder, yaml.safe_dump(said).encode(), planned=False)
    assert again == first
    assert [factor.name for factor in first.factors] == [f["name"] for f in written["factors"]]
