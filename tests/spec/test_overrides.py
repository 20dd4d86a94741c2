"""Overrides: what the command line says of a study goes through the door that its file goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate import api
from cbablate.errors import StudyError, UsageError
from cbablate.planning.plan import Plan
from cbablate.spec.loading.overrides import is_override, variant_name
from tests.toys import toy_file


def plan(path: Path, *overrides: str) -> Plan:
    return api.plan(api.load_study(path, overrides))


def refused(path: Path, *overrides: str) -> str:
    with pytest.raises(StudyError) as caught:
        plan(path, *overrides)
    return str(caught.value)


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    return toy_file(tmp_path)


def test_a_value_is_read_as_it_would_be_in_the_file(toys: Path) -> None:
    study = plan(
        toys,
        "budget.epochs=2",
        "baseline.noise=1e-3",
        "replicates={min: 6, max: 8, until: decided}",
        "report=[val/score, test/score]",
        "question=Is it so?",
        "baseline.fault=none",
    ).study
    assert study.budget.epochs == 2
    assert study.baseline["noise"] == 0.001
    assert study.replicates.max == 8  # type: ignore[union-attr]
    assert study.report == ("val/score", "test/score")
    assert study.baseline["fault"] == "none"


def test_a_key_of_a_list_is_its_place_and_a_dotted_key_of_the_file_is_met(tmp_path: Path) -> None:
    path = toy_file(tmp_path)
    text = path.read_text().replace("budget: {epochs: 4}", "budget.epochs: 4")
    first = plan(path, "factors.0.levels.1.changes.ceiling=7")
    assert first.study.factors[0].levels[1].changes == {"ceiling": 7}
    path.write_text(text.replace("budget.epochs: 4", "budget: {epochs: 4}"))
    assert plan(path, "factors.0.name=height").study.factors[0].name == "height"


def test_a_variant_has_a_name_of_its_own_and_shares_the_trials_that_are_the_same(
    toys: Path,
) -> None:
    base, fewer, longer = plan(toys), plan(toys, "replicates=2"), plan(toys, "budget.epochs=5")
    assert len({one.study.name for one in (base, fewer, longer)}) == 3
    assert {t.id for t in fewer.trials} < {t.id for t in base.trials}
    assert not {t.id for t in longer.trials} & {t.id for t in base.trials}


def test_the_name_of_a_variant_hangs_on_what_is_said_and_not_on_how() -> None:
    name = variant_name("toys", ["a.b=0.001", "c=[1, 2]"])
    assert name == variant_name("toys", ["c=[ 1,2 ]", "a.b=1e-3"])
    assert name != variant_name("toys", ["c=[1, 2]", 'a.b="1e-3"'])
    assert len(variant_name("x" * 64, ["a=1"])) == 64


def test_a_fault_names_the_override_that_has_it(toys: Path) -> None:
    told = refused(toys, "seed=3", "budget.epochs=two", "replicats=1").splitlines()
    assert told[0] == (
        f"{toys}, override 2, 'budget.epochs=two': budget.epochs: 'two' is not a whole number"
    )
    assert told[1].startswith(f"{toys}, override 3, 'replicats=1': 'replicats' is not a key")
    assert told[2] == "    did you mean 'replicates'?"


def test_faults_of_the_file_come_first_with_their_lines(toys: Path) -> None:
    toys.write_text(toys.read_text().replace("replicates: 3", "replicates: many"))
    told = refused(toys, "budget.epochs=two").splitlines()
    assert told[0].startswith(f"{toys}:")
    assert "override 1" in told[-1]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("replicates.min=3", "replicates is '3' in the file, which has no key min"),
        ("factors.4.name=x", "factors is a list in the file, and '4' none of its items"),
        ("report.first=x", "and 'first' none of its items"),
        ("report=[a", "the '[' that opens here is not closed"),
        ("seed=!!int 3", "is a tag, and tags are not read"),
        ("seed=*x", "the alias '*x' stands for no anchor"),
        ("seed=1\n---\n2", "a second document begins here"),
        ("overrides=[a=1]", "'overrides' is not a key of a study"),
        ("question=", "question"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(toys: Path, word: str, said: str) -> None:
    told = refused(toys, word)
    assert told.startswith(f"{toys}, override 1")
    assert said in told


def test_a_key_that_is_given_twice_is_refused(toys: Path) -> None:
    told = refused(toys, "seed=1", "replicates=2", "seed=2")
    assert "override 3, 'seed=2': seed is given twice, first by override 1" in told


@pytest.mark.parametrize("word", ["other.yaml", "=3", "a b=3", "--x=1", "a..b=1"])
def test_a_word_that_changes_nothing_is_refused(toys: Path, word: str) -> None:
    with pytest.raises(UsageError, match="write KEY=VALUE, "):
        plan(toys, word)


def test_a_study_may_not_say_overrides_itself(toys: Path) -> None:
    toys.write_text(toys.read_text() + "overrides: [seed=1]\n")
    assert "'overrides' is not a key of a study" in refused(toys)
    assert is_override("a.b=") and not is_override("a b=1")


@pytest.mark.parametrize(
    "words",
    [
        ("budget.epochs=2", "budget={epochs: 4}"),
        ("budget={epochs: 4}", "budget.epochs=2"),
        ("factors.0={}", "factors.0.levels.1.changes.ceiling=7"),
    ],
)
def test_overrides_that_overlap_are_refused_in_any_order(
    words: tuple[str, str], toys: Path
) -> None:
    told = refused(toys, *words)
    assert f"override 2, {words[1]!r}: " in told
    assert "of override 1 overlap" in told


@pytest.mark.parametrize("place", ["00", "٠", "+0", "-1"])  # noqa: RUF001 - a digit, if foreign
def test_a_place_in_a_list_is_written_in_one_way(place: str, toys: Path) -> None:
    assert "none of its items" in refused(toys, f"factors.{place}.name=height")


def test_keys_that_begin_alike_do_not_overlap(toys: Path) -> None:
    said = ("baseline.noise=0.5", "baseline.noise_too=1")
    assert "overlap" not in refused(toys, *said)
