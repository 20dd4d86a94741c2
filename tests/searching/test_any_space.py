"""Whatever a sweep file says of its space is refused by a sentence, or every sampler can search it.

    CBABLATE_FUZZ=60 python -m pytest tests/searching/test_any_space.py

looks for a minute; else for the time of a few dozen files.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cbablate.errors import StudyError
from cbablate.planning.search import searches
from cbablate.planning.tuning_rules import tune_faults
from cbablate.records.measurement import Measurement
from cbablate.records.state import TrialState
from cbablate.searching import optuna_sampler
from cbablate.searching.optuna_sampler import OptunaSampler
from cbablate.spec.loading.sweep_file import read_sweep
from cbablate.spec.space import among
from cbablate.spec.sweep import Parameter
from cbablate.workloads.catalog import describe
from tests.toys import tuned_plan

SECONDS = float(os.environ.get("CBABLATE_FUZZ", "0"))
SAMPLERS = {
    "tpe": "{tpe: {n_startup_trials: 1}}",
    "gp": "{gp: {n_startup_trials: 1}}",
    "cmaes": "cmaes",
    "nsgaii": "{nsgaii: {population_size: 2}}",
    "qmc": "qmc",
    "random": "random",
    "grid": "grid",
}
_WRITTEN = (
    "0 1 -1 2 3 7 0.1 0.2 0.5 0.6 0.3333333333 1e-3 5e-324 1e-320 2.2250738585072014e-308 1e-300 "
    "1e300 -1e308 1e308 1.7976931348623157e308 -1.7976931348623157e308 1e400 .inf -0.0 1e16 1e22 "
    "9007199254740992 9007199254740993 18446744073709551616 0.30000000000000004"
)
NUMBERS = st.sampled_from(_WRITTEN.split()) | st.integers(-9, 9).map(str)
WORDS = st.sampled_from(["a", "none", "true", "false", "null", "~", "no", '"1"', '"true"', "''"])
VALUES = st.recursive(
    NUMBERS | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from("ab"), inner, max_size=2).map(
            lambda items: f"{{{', '.join(f'{key}: {one}' for key, one in items.items())}}}"
        )
    ),
    max_leaves=6,
)


@st.composite
def parameters(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["float", "int", "choice"]))
    if kind == "choice":
        said = [f"choice: [{', '.join(draw(st.lists(VALUES, min_size=1, max_size=4)))}]"]
    else:
        ends = [draw(NUMBERS), draw(NUMBERS)]
        if draw(st.booleans()):
            ends.sort(key=lambda end: float(end.removeprefix(".")))
        said = [f"{kind}: [{', '.join(ends)}]"]
    if draw(st.integers(0, 3)) == 0:
        said.append("log: true")
    if draw(st.integers(0, 2)) == 0:
        said.append(f"step: {draw(NUMBERS)}")
    return f"{{{', '.join(said)}}}"


@st.composite
def files(draw: st.DrawFn) -> str:
    lines = ["space:", f"  rate: {draw(parameters())}"]
    if draw(st.booleans()):
        when = f", when: {{rate: {draw(VALUES)}}}}}" if draw(st.integers(0, 3)) == 0 else "}"
        lines.append(f"  noise: {draw(parameters())[:-1]}{when}")
    if draw(st.integers(0, 3)) == 0:
        lines.append(f"constraints: [rate <= {draw(NUMBERS)}]")
    return "\n".join([*lines, f"sampler: {SAMPLERS[draw(st.sampled_from([*SAMPLERS]))]}", ""])


def lies_in(parameter: Parameter, value: object) -> bool:
    if parameter.kind == "choice":
        return among(value, parameter.choices)
    low, high = parameter.low, parameter.high
    assert isinstance(value, int | float) and low is not None and high is not None
    return low <= value <= high


def searched(folder: Path, text: str) -> bool:
    """Whether a file says a sweep, which then was searched; all else but a StudyError is raised."""
    path = folder / "any.yaml"
    path.write_text(f"{text}trials: 6\n")
    try:
        sweep = read_sweep(path).sweep
        assert sweep is not None
        plan = tuned_plan(trials=6)
        plan = replace(plan, study=plan.study.model_copy(update={"tune": sweep}))
        tune_faults(plan.study, describe("toy", folder), plan.arms)
        (search,) = searches(plan)
        sampler, again = OptunaSampler(search), OptunaSampler(search)
        for number in range(2):
            asked = sampler.ask()
            if asked.refused:
                break
            for key, value in asked.proposal.items():
                assert lies_in(sweep.space[key], value), (key, value)
            recorded = json.loads(json.dumps(dict(asked.proposal), allow_nan=False))
            assert again.replay(number, recorded)
            for each in (sampler, again):
                last = Measurement(3, {"val/score": float(number)})
                each.tell(number, TrialState.COMPLETE, last, asked.proposal)
    except StudyError:
        return False
    return True


SEEDS = [
    "space:\n  rate: {float: [-1.7976931348623157e+308, 1e-300], step: 1.7976931348623157e+308}\n"
    "sampler: random\n",
    "space: {rate: {choice: [0, false]}}\nsampler: random\n",
    "space: {rate: {float: [0.0, 0.6], step: 0.2}}\nconstraints: [rate <= 0.6]\nsampler: grid\n",
    "space: {rate: {choice: [[1], '[1]', null, {a: []}]}}\nsampler: {tpe: {n_startup_trials: 1}}\n",
]
"""Files that once failed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spaces")


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that constraints which exclude everything do not take the time."""
    monkeypatch.setattr(optuna_sampler, "DRAWS", (3, 10))


@pytest.mark.parametrize("text", SEEDS, ids=range(len(SEEDS)))
def test_a_space_that_once_failed_is_searched_or_refused(folder: Path, text: str) -> None:
    searched(folder, text)


@pytest.mark.slow
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files())
@example(SEEDS[2])
def test_any_space_is_searched_or_refused_by_a_sentence(folder: Path, text: str) -> None:
    searched(folder, text)


@pytest.mark.skipif(not SECONDS, reason="CBABLATE_FUZZ says for how many seconds")
def test_no_space_is_found_that_is_neither_searched_nor_refused(folder: Path) -> None:
    end, taken = time.monotonic() + SECONDS, [0, 0]

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(files())
    def look(text: str) -> None:
        taken[searched(folder, text)] += 1

    while time.monotonic() < end:
        look()
    print(f"{taken[1]} searched, {taken[0]} refused")
    assert min(taken) > 10
