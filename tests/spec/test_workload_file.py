"""Own workloads as files say them: a name, a function, a mapping, or the path of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cbablate.errors import StudyError
from cbablate.planning.command_rules import command_lines
from cbablate.planning.plan import plan
from cbablate.spec.loading.load import StudyFile, read_study
from cbablate.spec.loading.schema import study_schema, workload_schema
from cbablate.spec.loading.workload_file import is_workload, read_workload
from cbablate.spec.own_workload import OwnWorkload
from cbablate.spec.yaml.yaml_file import read_yaml
from cbablate.workloads.catalog import SHIPPED, describe

ROOT = Path(__file__).parents[2]
STUDY = """\
question: How much does the rate matter?
workload: {workload}
baseline: {{optimizer: {{lr: 0.1}}, norm: batch}}
factors:
  - name: lr
    levels:
      - {{name: small}}
      - {{name: large, changes: {{optimizer.lr: 0.3}}}}
budget: {{epochs: 2}}
replicates: 2
objective: {{metric: val/loss, direction: minimize}}
report: [test/loss]
"""
COMMAND = """
  command: [python, train.py, --lr, "{optimizer.lr}", --norm, "{norm}", --seed, "{seed}",
            --epochs, "{budget}"]
  code: [train.py]
  needs: {gpus: 0.5, cpus: 4, memory_gb: 2}
  metrics:
    test/loss: {label: Loss, better: lower}
"""
FILE = COMMAND.replace("\n  ", "\n").lstrip()


@pytest.fixture(autouse=True)
def script(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    (tmp_path / "wl.py").write_text("def train(config, *, seed, budget, workdir):\n    yield 1\n")


def written(folder: Path, workload: str, name: str = "s.yaml") -> StudyFile:
    (folder / name).write_text(STUDY.format(workload=workload))
    return read_study(folder / name, describe)


def refused(folder: Path, workload: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        written(folder, workload)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("workload", "name"),
    [
        ("wl:train", "wl:train"),
        ("{function: wl:train}", "wl:train"),
        ("{command: [python, train.py, '{norm}']}", "python train.py"),
        ('{command: [python, -m, train, --x, "{norm}"]}', "python -m train"),
        (COMMAND, "python train.py"),
    ],
)
def test_a_workload_is_a_name_a_function_or_a_mapping(
    tmp_path: Path, workload: str, name: str
) -> None:
    assert written(tmp_path, workload).description.name == name


def test_a_function_in_a_mapping_is_the_same_workload_as_its_name(tmp_path: Path) -> None:
    named, mapped = written(tmp_path, "wl:train"), written(tmp_path, "{function: wl:train}")
    arms = [plan(one.study, one.description).arms for one in (named, mapped)]
    assert [arm.id for arm in arms[0]] == [arm.id for arm in arms[1]]


def test_several_studies_share_a_file_and_with_it_their_trials(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(FILE)
    shared, other = written(tmp_path, "mine.yaml"), written(tmp_path, "mine.yaml", "t.yaml")
    within = written(tmp_path, COMMAND)
    assert shared.study.workload == other.study.workload == within.study.workload
    trials = [
        [trial.id for trial in plan(one.study, one.description).trials]
        for one in (shared, other, within)
    ]
    assert trials[0] == trials[1] == trials[2]


def test_paths_start_from_the_file_that_says_them(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "mine.yaml").write_text(FILE)
    found = written(tmp_path / "studies", "../mine.yaml")
    assert found.description.program is not None
    assert found.description.program.folder == str(tmp_path)
    assert [one.path for one in found.description.program.files] == ["train.py"]


def test_what_a_trial_takes_reaches_the_plan(tmp_path: Path) -> None:
    found = written(tmp_path, COMMAND)
    trial = plan(found.study, found.description).trials[0]
    assert str(trial.needs) == "4 cores, 0.5 GPUs and 2 GB of memory"


def test_needs_and_labels_are_no_part_of_what_a_study_asks(tmp_path: Path) -> None:
    dumped = written(tmp_path, COMMAND).study.model_dump(mode="json")
    assert dumped["workload"].keys() == {"command", "code"}
    assert "metrics" not in dumped


FAULTS = {
    "unknown key": (
        "cmmand: [python, train.py]",
        ["'cmmand' is not a key of a workload", "did you mean 'command'?"],
    ),
    "both": (
        "{command: [python, train.py], function: wl:train}",
        ["say either command or function, one of them"],
    ),
    "no list": (
        "command: python train.py",
        ["command: a list of words is wanted, as no shell is between", "write [python, train.py]"],
    ),
    "unquoted": (
        "command: [python, train.py, {norm}]",
        [
            "command[2]: a word is wanted, and braces without quotes are a mapping",
            'put it in quotes: "{norm}"',
        ],
    ),
    "switch of a key with another name": (
        "command: [python, train.py, '{--the-norm}']",
        ["command[2]: '{the-norm}' is neither a key of the baseline nor one of the trial's own"],
    ),
    "switch within a word": (
        "command: [python, train.py, 'x{--norm}']",
        ["command[2]: {--norm} stands for a word or for none: write a word of its own"],
    ),
    "switch as the program": (
        "command: ['{--norm}']",
        ["command[0]: the first word is the program"],
    ),
    "lone brace": (
        "command: [python, train.py, 'a{']",
        ["command[2]: the word 'a{' has a lone brace: write {{ and }} for braces"],
    ),
    "no such field": (
        'command: [python, train.py, "{optimizer.lrr}"]',
        [
            "command[2]: '{optimizer.lrr}' is neither a key of the baseline nor one of the trial's "
            "own",
            "did you mean 'optimizer.lr'?",
        ],
    ),
    "part of a word": (
        'command: [python, train.py, "x{*}"]',
        ["command[2]: {*} stands for several words and must be a word of its own"],
    ),
    "code of a function": (
        "{function: wl:train, code: [wl.py]}",
        ["'code' is of a command", "the code of a function is what it imports; delete it"],
    ),
    "no such function": ("function: wl:trian", ["function: wl.py defines no 'trian'"]),
    "ill needs": (
        "{function: wl:train, needs: {gpus: 1.5}}",
        ["needs: a trial takes a share of one GPU (0.0001 to 1) or whole ones (0, 1, 2, ...), not"],
    ),
    "missing file": (
        "{command: [python, train.py], code: [trian.py]}",
        ["code[0]: there is no 'trian.py', as seen from this file's folder"],
    ),
}


@pytest.mark.parametrize(("said", "lines"), FAULTS.values(), ids=FAULTS)
def test_faults_are_placed_in_the_file_that_has_them(
    tmp_path: Path, said: str, lines: list[str]
) -> None:
    bare = said if said.startswith("{") else f"{{{said}}}"
    block = said[1:-1].replace(", function", "\nfunction") if said.startswith("{") else said
    block = block.replace(", code:", "\ncode:").replace(", needs:", "\nneeds:")
    (tmp_path / "mine.yaml").write_text(f"{block}\n")
    within, beside = refused(tmp_path, bare), refused(tmp_path, "mine.yaml")
    assert within[0].startswith("s.yaml:2:")
    assert beside[0].startswith("mine.yaml:")
    for line in lines:
        assert any(line in one for one in within), within
        assert any(line in one for one in beside), beside


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("command: [python, train.py, '{nrm}']\nneeds: {cpu: 1}\n")
    told = refused(tmp_path, "mine.yaml\nreplicats: 3")
    assert [line.partition(": ")[0] for line in told if not line.startswith(" ")] == [
        "s.yaml:3:1",
        "mine.yaml:2:9",
    ]
    (tmp_path / "mine.yaml").write_text("command: [python, train.py, '{nrm}']\n")
    told = refused(tmp_path, "mine.yaml\nreplicats: 3")
    assert "mine.yaml:1:29: command[2]" in "\n".join(told)


@pytest.mark.parametrize("key", ["seed", "budget", "workdir", "checkpoint", "study"])
def test_no_key_of_a_config_has_the_name_of_what_is_the_trials_own(
    tmp_path: Path, key: str
) -> None:
    text = STUDY.format(workload="{command: [python, train.py]}")
    (tmp_path / "s.yaml").write_text(text.replace("norm: batch", f"{key}: 1"))
    with pytest.raises(StudyError, match=f"'{{{key}}}' in a command is the trial's own {key}"):
        read_study(tmp_path / "s.yaml", describe)


def test_words_of_a_config_that_nothing_decides_are_refused_of_a_command_too(
    tmp_path: Path,
) -> None:
    text = STUDY.format(workload="{command: [python, train.py]}")
    (tmp_path / "s.yaml").write_text(text.replace("norm: batch", "norm: no, a.b: 1"))
    with pytest.raises(StudyError) as caught:
        read_study(tmp_path / "s.yaml", describe)
    assert "baseline.norm" in str(caught.value)
    assert "'a.b' has a dot in it" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "workload: 'mine.yaml': there is no such file"),
        ("space: {x: {float: [0, 1]}}\ntrials: 3\n", "'mine.yaml' is a sweep, and a workload is"),
        (STUDY.format(workload="toy"), "'mine.yaml' is a study, and a workload is wanted"),
        ("command: [a\n", "mine.yaml:"),
    ],
)
def test_a_file_that_holds_no_workload_is_told(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "mine.yaml").write_text(content)
    assert any(sentence in line for line in refused(tmp_path, "mine.yaml"))


def test_a_workload_file_is_read_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(FILE)
    assert is_workload(read_yaml(path).root)
    said, described = read_workload(path, describe)
    assert said.code == ("train.py",)
    assert described.name == "python train.py"
    path.write_text("command: [python, train.py, '{']\ncode: [x]\nneeds: {cpus: 1}\n")
    with pytest.raises(StudyError) as caught:
        read_workload(path, describe)
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        f"{path}:1:29",
        f"{path}:2:8",
    ]


def schema_faults(schema: dict[str, Any], path: Path) -> list[str]:
    from cbablate.spec.yaml.tree import plain

    said = json.loads(json.dumps(plain(read_yaml(path).root)))
    return [fault.message for fault in Draft202012Validator(schema).iter_errors(said)]


def test_the_schema_in_the_documentation_is_the_one_of_the_types() -> None:
    kept = json.loads((ROOT / "docs" / "workload.schema.json").read_text(encoding="utf-8"))
    wanted = "write docs/workload.schema.json anew: cbablate schema --of workload"
    assert kept == workload_schema(), wanted


def test_files_and_mappings_follow_their_schema(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(FILE)
    written(tmp_path, COMMAND)
    schema = study_schema(make() for make in SHIPPED.values())
    assert schema_faults(workload_schema(), tmp_path / "mine.yaml") == []
    assert schema_faults(schema, tmp_path / "s.yaml") == []
    written(tmp_path, "mine.yaml")
    assert schema_faults(schema, tmp_path / "s.yaml") == []
    (tmp_path / "s.yaml").write_text(STUDY.format(workload="{cmd: [a]}"))
    assert schema_faults(schema, tmp_path / "s.yaml")


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ('"{seed}", "{budget}", "{optimizer.lr}"', ""),
        ('"{seed}", "{budget}", "{optimizer}"', ""),
        ('"{seed}", "{budget}", "{--*}"', ""),
        ('"{budget}", "{*}"', "{seed}: the program must take it from CBABLATE_SEED"),
        (
            '"{seed}", "{norm}"',
            "{budget} or {optimizer.lr}: the program must take them from CBABLATE_BUDGET and "
            "CBABLATE_CONFIG",
        ),
    ],
)
def test_a_plan_tells_what_a_command_does_not_name(
    tmp_path: Path, words: str, missing: str
) -> None:
    found = written(tmp_path, f"{{command: [python, train.py, {words}]}}")
    said = " ".join(command_lines(found.study))
    assert missing in said
    assert bool(missing) == bool(said)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("reads: {csv: out/metrics.csv}", True),
        ("reads: {tensorboard: runs}", True),
        ("reads: {csv: metrics.csv}, runs_in: trial", False),
        ("reads: {stdout: ['(?P<loss>x)']}", False),
        ("reads: {mlflow: mlruns}", False),
        ("code: [train.py]", False),
    ],
)
def test_a_file_that_is_read_where_the_program_is_not_sent_is_told(
    tmp_path: Path, more: str, told: bool
) -> None:
    words = 'python, train.py, "{optimizer.lr}", "{seed}", "{budget}"'
    said = command_lines(written(tmp_path, f"{{command: [{words}], {more}}}").study)
    assert any("nothing in the command names {workdir}" in line for line in said) == told
    sent = written(tmp_path, f'{{command: [{words}, "--out={{workdir}}/x"], {more}}}').study
    assert not command_lines(sent)


SWITCHES = STUDY.replace("norm: batch", "norm: batch, no-skip: false, amp: true")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            '"{--*}"',
            "{--*} writes --no-skip=false and --amp=true. For a switch, which takes no value, "
            'write "{--no-skip}" and "{--amp}" too.',
        ),
        ('"{--*}", "{--no-skip}"', "{--*} writes --amp=true. For a switch"),
        ('"{--*}", "{--no-skip}", "{--amp|--no-amp}"', ""),
        ('"{*}"', ""),
        ('"--amp={amp}", "{no-skip}", "{--*}"', ""),
        ('"{--no-skip}", "{--amp}", "--name={norm}", "{--*}"', "another name: norm (--name)."),
        ('"{--no-skip}", "{--amp}", --lr, "{optimizer.lr}", "{--*}"', ""),
        ('"{--no-skip}", "{--amp}", "{optimizer.lr}", -n, "{norm}", "{*}"', "norm (-n)"),
    ],
)
def test_a_value_written_to_what_may_be_a_switch_is_told(
    tmp_path: Path, words: str, said: str
) -> None:
    command = f'{{command: [python, train.py, "{{seed}}", "{{budget}}", {words}]}}'
    (tmp_path / "s.yaml").write_text(SWITCHES.format(workload=command))
    told = " ".join(command_lines(read_study(tmp_path / "s.yaml", describe).study))
    assert said in told
    assert bool(said) == bool(told)


def test_a_workload_in_a_value_shows_its_name() -> None:
    assert str(OwnWorkload(command=("python", "a.py", "{x}"))) == "python a.py"
