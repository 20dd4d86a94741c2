"""pydantic's words never reach a user, whatever types a workload's config has."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from cbablate.errors import StudyError
from cbablate.spec.fault import dotted
from cbablate.spec.loading.load import read_study
from cbablate.spec.loading.validation import Wording, complaints, problems
from cbablate.spec.metric import Objective
from cbablate.spec.outline import Outline
from cbablate.workloads.catalog import describe
from tests.spec.study_files import TOY, swap


class Inner(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    a: int = 1


class Config(BaseModel):
    """One field of each kind."""

    model_config = ConfigDict(strict=True, extra="forbid")

    even: Annotated[int, Field(multiple_of=2)] = 2
    share: Annotated[float, Field(ge=1e-6, le=0.5)] = 0.1
    code: Annotated[str, Field(pattern="^[a-z]+$", max_length=4)] = "a"
    level: Literal[1, 2, True, "x", "7"] = 1
    only: Literal["cosine"] = "cosine"
    names: Annotated[list[str], Field(max_length=2)] = []
    entries: list[Inner] = []
    either: Inner | list[Inner] | Literal["none"] = "none"
    number: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    nothing: None = None
    day: date = date(2026, 1, 2)

    @model_validator(mode="after")
    def _agrees(self) -> Config:
        assert self.code != "odd", "odd is not even"
        return self


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"even": 3}, "even: must be a multiple of 2, found 3"),
        ({"even": 2.5}, "even: 2.5 is not a whole number"),
        ({"even": None}, "even: nothing is given; a whole number is wanted"),
        ({"share": 1e-9}, "share: must be at least 1e-06, found 1e-09"),
        ({"share": 0.75}, "share: must be at most 0.5, found 0.75"),
        ({"share": True}, "share: true is not a number"),
        ({"code": "A"}, "code: 'A' does not have the form ^[a-z]+$"),
        ({"code": "abcde"}, "code: must have at most 4 characters, found 5"),
        ({"code": "odd"}, ": odd is not even"),
        ({"level": 3}, "level: 3 is not one of 'x', '7', 1, 2 and true"),
        ({"only": "cosin"}, "only: 'cosin' is not 'cosine' (did you mean 'cosine'?)"),
        ({"only": "${name}"}, "only: '${name}' is not 'cosine' (names in braces are not filled in"),
        ({"names": "a"}, "names: 'a' is not a list (write [a])"),
        ({"names": ["a", "b", "c"]}, "names: must have at most 2 entries, found 3"),
        ({"entries": "a"}, "entries: 'a' is not a list (each entry is a mapping with the keys a)"),
        (
            {"entries": [{"b": 1}]},
            "entries[0].b: 'b' is not a key of an inner (the keys here are a)",
        ),
        ({"either": {"a": "x"}}, "either.a: 'x' is not a whole number"),
        ({"either": [{"a": 1}, {"a": "x"}]}, "either[1].a: 'x' is not a whole number"),
        (
            {"either": "nnone"},
            "either: 'nnone' is not 'none', a mapping or a list (did you mean 'none'?)",
        ),
        ({"number": float("inf")}, "number: 'inf' is not finite; a number is wanted"),
        ({"nothing": 3}, "nothing: 3 is not nothing"),
        ({"day": 3}, "day: input should be a valid date"),
        ({"x": 1}, "x: 'x' is not a key of a config (the keys here are even, share, code, level"),
    ],
)
def test_each_kind_of_error_is_one_sentence_of_ours(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(config)
    wording = Wording(Outline(Config.model_json_schema()))
    (fault,) = complaints(problems(caught.value, config), wording)
    hint = f" ({fault.hint})" if fault.hint else ""
    assert f"{dotted(fault.path)}: {fault.sentence}{hint}".startswith(said)


def test_without_a_schema_there_is_a_sentence_and_no_hint() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Inner).validate_python({"b": 1})
    (fault,) = complaints(problems(caught.value, {"b": 1}), Wording(Outline({})))
    assert (fault.sentence, fault.hint) == ("'b' is not a key of this mapping", "")


class Sgd(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    name: Literal["sgd"]
    momentum: float = 0.9


class Adam(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    name: Literal["adam", "7"]
    beta: float = 0.9


class Recipe(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    optimizer: Annotated[Sgd | Adam, Field(discriminator="name")]
    level: Literal["7", "8"] = "7"


def resolve(config: Any) -> dict[str, Any]:
    return Recipe.model_validate_json(json.dumps(config)).model_dump(mode="json")


def read(folder: Path, text: str) -> Any:
    """A toy study whose workload has the config `Recipe`."""
    (folder / "x.yaml").write_text(text)
    described = replace(describe("toy", folder), resolve=resolve, schema=Recipe.model_json_schema())
    return read_study(folder / "x.yaml", lambda _name, _folder: described).study


BASELINE = "{optimizer: {name: sgd, momentum: 0.9}}"
RECIPE = swap(TOY, "{rate: 0.5}", BASELINE)


def test_what_a_level_leaves_of_the_baseline_is_judged_with_it(tmp_path: Path) -> None:
    text = swap(RECIPE, "{ceiling: 2.0}", "{optimizer.name: adam}")
    with pytest.raises(StudyError) as caught:
        read(tmp_path, text)
    told = "8:30: factors[0].levels[1].changes: the baseline's 'optimizer.momentum' cannot stay"
    assert told in str(caught.value)


def test_a_number_is_read_as_a_word_where_words_are_listed(tmp_path: Path) -> None:
    text = swap(RECIPE, "{ceiling: 2.0}", "{level: 8}")
    assert read(tmp_path, text).factors[0].levels[1].changes == {"level": "8"}
    with pytest.raises(StudyError, match="level: '9' is not one of '7' and '8'"):
        read(tmp_path, swap(RECIPE, "{ceiling: 2.0}", "{level: 9}"))


def test_a_score_is_greater_is_better() -> None:
    assert Objective(metric="val/loss", direction="minimize").score(2.0) == -2.0
    assert Objective(metric="val/top1", direction="maximize").score(2.0) == 2.0
