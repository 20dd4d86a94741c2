from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cbablate.spec.budget import Budget
from cbablate.spec.program import Program
from cbablate.workloads.commands.run import run
from tests.workloads.commands.programs import script, told

ECHOES = """
for epoch in 1 2 3; do
    echo '{"epoch": '$epoch', "val/acc": 0.'$epoch'}' >> "$CBABLATE_REPORT"
done
"""


def test_each_line_of_the_report_file_is_a_measurement(tmp_path: Path) -> None:
    found = told(script(tmp_path, ECHOES), tmp_path / "t")
    assert found.failure is None
    assert found.numbers == [(1, {"val/acc": 0.1}), (2, {"val/acc": 0.2}), (3, {"val/acc": 0.3})]
    seconds = [each.seconds for each in found.measurements]
    assert 0 < seconds[0] <= seconds[-1] < 60


def test_vectors_notes_and_metrics_may_be_said_apart_or_together(tmp_path: Path) -> None:
    lines = [
        {"spent": 1, "metrics": {"a": 1}, "vectors": {"v": [1, 2]}, "notes": {"device": "cpu"}},
        {"spent": 2, "a": 2.5, "v": [3.0, 4], "device": "gpu", "deep": {"b": 1}},
    ]
    text = "\n".join(f"echo '{json.dumps(line)}' >> $CBABLATE_REPORT" for line in lines)
    first, second = told(script(tmp_path, text), tmp_path / "t", epochs=2).measurements
    assert (first.metrics, first.vectors, first.notes) == (
        {"a": 1.0},
        {"v": (1.0, 2.0)},
        {"device": "cpu"},
    )
    assert (second.metrics, second.vectors, second.notes) == (
        {"a": 2.5, "deep/b": 1.0},
        {"v": (3.0, 4.0)},
        {"device": "gpu"},
    )


def test_a_program_that_says_nothing_of_spent_has_spent_all_at_its_end(tmp_path: Path) -> None:
    text = "for a in 1 2; do echo '{\"a\": '$a'}' >> $CBABLATE_REPORT; done"
    assert told(script(tmp_path, text), tmp_path / "t", epochs=20).numbers == [
        (1, {"a": 1.0}),
        (20, {"a": 2.0}),
    ]


def test_one_that_says_it_has_spent_less_has_not_spent_all(tmp_path: Path) -> None:
    text = 'echo \'{"epoch": 2, "a": 1}\' >> $CBABLATE_REPORT'
    assert told(script(tmp_path, text), tmp_path / "t", epochs=20).numbers == [(2, {"a": 1.0})]


def test_a_report_file_that_is_written_anew_is_a_sentence(tmp_path: Path) -> None:
    text = """
for e in 1 2 3; do echo '{"epoch": '$e', "a": '$e'}' > $CBABLATE_REPORT; sleep 0.5; done
"""
    found = told(script(tmp_path, text), tmp_path / "t")
    assert "was written anew, or altered: only lines at its end are read" in found.sentence


def test_nan_and_infinity_are_read_as_python_writes_them(tmp_path: Path) -> None:
    text = 'echo \'{"epoch": 1, "a": NaN, "b": -Infinity}\' >> $CBABLATE_REPORT'
    metrics = told(script(tmp_path, text), tmp_path / "t").measurements[0].metrics
    assert math.isnan(metrics["a"])
    assert metrics["b"] == -math.inf


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"spent": Infinity, "metrics": {"a": 1}}', "inf is spent, not a whole number of epochs"),
        ('{"spent": NaN, "metrics": {"a": 1}}', "nan is spent, not a whole number of epochs"),
        ('{"epoch": Infinity, "a": 1}', "epoch is inf, not a whole number of epochs"),
        ('{"epoch": "1", "a": 1}', "epoch is '1', not a whole number of epochs"),
        ('{"epoch": true, "a": 1}', "epoch is True, not a whole number of epochs"),
        ('{"spent": 1e300, "metrics": {"a": 1}}', "which is more than the budget"),
        ('{"seconds": Infinity, "metrics": {"a": 1}}', "seconds is inf, not how long"),
        ('{"seconds": -1, "metrics": {"a": 1}}', "seconds is -1, not how long"),
        ('{"metrics": {"a": 1}, "vectors": {"a": [1]}}', "'a' is among metrics and among vectors"),
        ('{"metrics": {"a": 1, "a": 2}}', "'a' stands twice in one mapping"),
        ('{"a": {"b": 1}, "a/b": 2}', "two of its values come to the name 'a/b'"),
        (f'{{"a": {"[" * 9999}{"]" * 9999}}}', "mappings or lists too deep within others"),
        ('{"a":' * 99 + "1" + "}" * 99, "mappings too deep within others"),
    ],
)
def test_a_line_that_says_what_cannot_be_is_a_sentence(
    tmp_path: Path, line: str, sentence: str
) -> None:
    (tmp_path / "line").write_text(line)
    found = told(script(tmp_path, f"cat {tmp_path}/line > $CBABLATE_REPORT"), tmp_path / "t")
    assert found.sentence.startswith("the file named by CBABLATE_REPORT, line 1: ")
    assert sentence in found.sentence


def test_a_program_knows_its_trial_by_words_and_by_variables(tmp_path: Path) -> None:
    text = """
import json, os, sys
from pathlib import Path
said = {name: value for name, value in os.environ.items() if name.startswith("CBABLATE_")}
said |= {"words": sys.argv[1:], "here": os.getcwd(), "stdin": sys.stdin.read()}
Path(os.environ["CBABLATE_WORKDIR"], "said.json").write_text(json.dumps(said))
Path(os.environ["CBABLATE_REPORT"]).write_text('{"a": 1}')
"""
    program = script(tmp_path, text, "train.py")
    words = ("--lr", "{lr}", "{seed}", "{budget}", "{workdir}", "{study}", "{checkpoint}", "$HOME;")
    program = replace(program, words=("python", "train.py", *words))
    workdir = tmp_path / "t"
    config = {"lr": 0.1, "name": "a b"}
    assert told(program, workdir, seed=5, config=config).failure is None
    said = json.loads((workdir / "said.json").read_text())
    kept = said["CBABLATE_CHECKPOINT"]
    assert said["words"] == [
        *("--lr", "0.1", "5", "3", str(workdir), str(tmp_path), kept, "$HOME;"),
    ]
    assert json.loads(said["CBABLATE_CONFIG"]) == config
    assert (said["CBABLATE_SEED"], said["CBABLATE_BUDGET"]) == ("5", "3")
    assert said["CBABLATE_UNIT"] == "epochs"
    assert said["CBABLATE_WORKDIR"] == str(workdir)
    assert said["here"] == str(tmp_path)
    assert said["stdin"] == ""
    assert "CBABLATE_CHECKPOINT_EVERY" not in said


def test_a_program_may_run_in_the_trials_own_folder(tmp_path: Path) -> None:
    program = Program(
        ("sh", "-c", 'pwd > here; echo "$1" > $CBABLATE_REPORT', "sh", '{{"a":1}}'), "."
    )
    workdir = tmp_path / "t"
    found = told(Program(program.words, str(tmp_path), runs_in="trial"), workdir)
    assert found.failure is None
    assert (workdir / "here").read_text().strip() == str(workdir)


def test_a_measurement_comes_while_the_program_runs(tmp_path: Path) -> None:
    text = """
echo '{"epoch": 1, "a": 1}' >> $CBABLATE_REPORT
while [ ! -e $CBABLATE_WORKDIR/go ]; do sleep 0.01; done
printf '{"epoch": 2, ' >> $CBABLATE_REPORT
sleep 0.1
echo '"a": 2}' >> $CBABLATE_REPORT
"""
    stream = run(
        {},
        seed=1,
        budget=Budget(epochs=2),
        workdir=tmp_path,
        program=script(tmp_path, text),
    )
    assert next(stream).spent == 1
    (tmp_path / "go").touch()
    assert next(stream).metrics == {"a": 2.0}
    assert next(stream, None) is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"epoch": 1, "a": 0.5', 'line 1: \'{"epoch": 1, "a": 0.5\' is not JSON: .*in the middle'),
        ("[1]\n", r"line 1: \[1\] is not a mapping"),
        ('{"epoch": 1.5, "a": 1}\n', "epoch is 1.5, not a whole number of epochs"),
        (
            '{"epoch": 2, "a": 1}\n{"epoch": 2, "a": 1}\n',
            "line 2: 2 epochs are spent, and a .*after 2",
        ),
        ('{"epoch": 0, "a": 1}\n', "where|Where the first one is called 0, say `counts_from: 0`"),
        ('{"epoch": 4, "a": 1}\n', "after 4 epochs, which is more than the budget of 3 epochs"),
        ('{"spent": 1, "metrics": {"a": "x"}}\n', "metrics has 'x' as a, not a number"),
        (
            '{"spent": Infinity, "metrics": {"a": 1}}\n',
            "inf is spent, not a whole number of epochs",
        ),
        ('{"spent": NaN, "metrics": {"a": 1}}\n', "nan is spent, not a whole number of epochs"),
        ('{"spent": "1", "metrics": {"a": 1}}\n', "spent is '1', not a number"),
        ("\0\x01\n", "is not JSON"),
        ('{"epoch": 1, "a": 1' + "0" * 400 + "}\n", "a is a number beyond all bounds"),
    ],
)
def test_a_report_that_cannot_be_meant_is_a_sentence(
    tmp_path: Path, line: str, sentence: str
) -> None:
    (tmp_path / "line").write_text(line)
    found = told(
        script(tmp_path, "echo last words; sleep 0.05; cat line >> $CBABLATE_REPORT"),
        tmp_path / "t",
    )
    assert found.failure is not None
    with pytest.raises(type(found.failure), match=sentence):
        raise found.failure
    assert found.failure.trace == "last words"


def test_python_is_this_one_and_programs_beside_it_are_found(tmp_path: Path) -> None:
    text = "import os, sys; open(os.environ['CBABLATE_REPORT'], 'w').write('{\"a\": 1}')\n"
    text += "print(sys.executable); raise SystemExit(9)"
    (tmp_path / "t.py").write_text(text)
    found = told(Program(("python", "t.py"), str(tmp_path)), tmp_path / "t")
    assert found.sentence == f"t.py ended with code 9: {sys.executable}"


@pytest.mark.parametrize("word", ["no-such-program", "./train.sh"])
def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path, word: str) -> None:
    found = told(Program((word, "--lr"), str(tmp_path)), tmp_path / "t")
    assert f"there is no program '{word}' on " in found.sentence


def test_a_file_that_is_not_executable_is_a_sentence(tmp_path: Path) -> None:
    script(tmp_path, "true")
    found = told(Program(("./train.sh",), str(tmp_path)), tmp_path / "t")
    assert "'./train.sh' cannot be started on" in found.sentence
    assert "Permission denied" in found.sentence


def test_a_study_whose_folder_is_not_on_the_machine_is_a_sentence(tmp_path: Path) -> None:
    found = told(Program(("true",), str(tmp_path / "gone")), tmp_path / "t")
    assert f"has no folder {tmp_path / 'gone'}" in found.sentence


def test_a_program_is_stopped_when_its_stream_is_closed(tmp_path: Path) -> None:
    text = """
trap 'echo tidied > tidied; exit 0' TERM
echo '{"epoch": 1, "a": 1}' >> $CBABLATE_REPORT
while true; do sleep 0.01; done
"""
    stream = run(
        {},
        seed=1,
        budget=Budget(epochs=2),
        workdir=tmp_path,
        program=script(tmp_path, text),
    )
    next(stream)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 4
    assert (tmp_path / "tidied").exists()


def test_what_comes_after_the_whole_budget_belongs_to_the_last_measurement(tmp_path: Path) -> None:
    lines = ['{"spent": 1, "a": 1}', '{"spent": 2, "a": 2}', '{"spent": 2, "b": 3, "a": 2}']
    lines += ['{"metrics": {"test": NaN}}']
    text = "\n".join(f"echo '{line}' >> $CBABLATE_REPORT" for line in lines)
    first, last = told(script(tmp_path, text), tmp_path / "t", epochs=2).measurements
    assert (first.spent, first.metrics) == (1, {"a": 1.0})
    assert (last.spent, last.metrics["b"], math.isnan(last.metrics["test"])) == (2, 3.0, True)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"metrics": {"a": 2}}', "after 3 epochs, which is more than the budget of 2 epochs"),
        ('{"spent": 2, "a": 9}', "2 epochs are spent, and a measurement after 2 came before"),
    ],
)
def test_a_name_that_comes_again_after_the_whole_budget_is_refused(
    line: str, sentence: str, tmp_path: Path
) -> None:
    lines = ['{"spent": 1, "a": 1}', '{"spent": 2, "a": 2}', line]
    text = "\n".join(f"echo '{line}' >> $CBABLATE_REPORT" for line in lines)
    found = told(script(tmp_path, text), tmp_path / "t", epochs=2)
    assert sentence in str(found.failure)
