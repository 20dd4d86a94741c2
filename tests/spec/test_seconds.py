"""Lengths of time in a study: numbers of seconds, or numbers with a unit."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cbablate.errors import StudyError
from cbablate.planning.plan import plan
from cbablate.spec.loading.schema import written_schema
from tests.spec.study_files import TOY, read

SCHEMA = written_schema()["properties"]["time_limit"]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90", 90.0),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("90s", 90.0),
        ("90 s", 90.0),
        ("30m", 1800.0),
        ("1.5h", 5400.0),
        ("'2h'", 7200.0),
        ("1d", 86400.0),
        ("365d", 31536000.0),
    ],
)
def test_a_length_of_time_is_seconds_or_has_a_unit(
    tmp_path: Path, written: str, seconds: float
) -> None:
    file = read(tmp_path, f"{TOY}\ntime_limit: {written}\nsilence_limit: {written}\n")
    assert file.study.time_limit == file.study.silence_limit == seconds
    assert Draft202012Validator(SCHEMA).is_valid(file.written["time_limit"])


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("0", "must be greater than 0, found 0"),
        ("0s", "must be greater than 0"),
        ("-5", "must be greater than 0, found -5"),
        ("-5s", "say seconds, or a number with a unit (90s, 30m, 2h, 1d), not '-5s'"),
        ("366d", "must be at most 31536000"),
        (".inf", "not '.inf'"),
        (".nan", "not '.nan'"),
        ("soon", "not 'soon'"),
        ("5w", "not '5w'"),
        ("1h30m", "not '1h30m'"),
        ("1:30", "not '1:30'"),
        ("'90'", "not '90'"),
        ("''", "not ''"),
        ("٣m", "say seconds"),
        ("true", "is not a number"),
        ("[1]", "a list is given; a number is wanted"),
        ("{s: 1}", "a mapping is given; a number is wanted"),
    ],
)
def test_anything_else_is_refused_where_it_stands(
    tmp_path: Path, written: str, sentence: str
) -> None:
    with pytest.raises(StudyError) as refused:
        read(tmp_path, f"{TOY}\ntime_limit: {written}\n")
    (line,) = str(refused.value).splitlines()[:1]
    assert ": time_limit: " in line
    assert sentence in line


def test_limits_are_no_part_of_what_a_trial_or_a_study_is(tmp_path: Path) -> None:
    bare = read(tmp_path, TOY)
    limited = read(tmp_path, f"{TOY}\ntime_limit: 2h\nsilence_limit: 5m\n")
    assert limited.study.model_dump() == bare.study.model_dump()
    trials = [plan(each.study, each.description).trials for each in (bare, limited)]
    assert [one.id for one in trials[0]] == [one.id for one in trials[1]]
