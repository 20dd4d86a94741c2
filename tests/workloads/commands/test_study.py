"""Studies of commands, from a file to facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate import api
from tests.workloads.own_code import ran

TRAIN = """
import argparse, random
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--epochs", type=int)
parser.add_argument("--output")
args = parser.parse_args()
chance = random.Random(args.seed)
with open(args.output + "/summary.csv", "w") as file:
    file.write("epoch,eval_top1\\n")
    for epoch in range(args.epochs):
        print("epoch", epoch)
        file.write(f"{epoch},{args.lr * (epoch + chance.random())}\\n")
        file.flush()
"""
STUDY = """\
question: How much does the rate matter?
workload:
  command: [python, train.py, --lr, "{lr}", --seed, "{seed}", --epochs, "{budget}",
            --output, "{workdir}"]
  reads: {csv: summary.csv, counts_from: 0, names: {eval_top1: val/top1}}
baseline: {lr: 0.1}
factors:
  - name: lr
    levels:
      - {name: "0.1"}
      - {name: "0.3", changes: {lr: 0.3}}
budget: {epochs: 3}
replicates: 2
objective: {metric: val/top1, direction: maximize}
report: [val/top1]
"""


def study(folder: Path, text: str = TRAIN) -> Path:
    (folder / "train.py").write_text(text)
    (folder / "study.yaml").write_text(STUDY)
    return folder / "study.yaml"


def test_a_script_as_it_is_becomes_facts(tmp_path: Path) -> None:
    path = study(tmp_path)
    assert ran(path, tmp_path / "results").exit_code == 0
    facts = api.facts(tmp_path / "results")
    spent = [fact.body["spent"] for fact in facts if fact.kind == "measured"]
    assert spent == [1, 2, 3] * 4
    assert all("val/top1" in fact.body["metrics"] for fact in facts if fact.kind == "measured")


def test_a_script_that_fails_is_recorded_with_its_last_lines(tmp_path: Path) -> None:
    path = study(tmp_path, TRAIN + "raise ValueError('no more')\n")
    assert ran(path, tmp_path / "results").exit_code == 3
    ends = [fact.body for fact in api.facts(tmp_path / "results") if fact.kind == "ended"]
    assert {end["reason"] for end in ends} == {"train.py ended with code 1: ValueError: no more"}
    for end in ends:
        assert end["traceback"].startswith("epoch 0\nepoch 1\n")
        assert end["traceback"].endswith("ValueError: no more")


def test_a_script_that_is_edited_while_it_runs_fails_and_no_other_begins(tmp_path: Path) -> None:
    path = study(tmp_path, TRAIN + "open('train.py', 'a').write('print(1)\\n')\n")
    done = ran(path, tmp_path / "results")
    assert done.exit_code == 3
    facts = api.facts(tmp_path / "results")
    (end,) = [fact.body for fact in facts if fact.kind == "ended"]
    assert end["failure"] == "other code"
    assert "train.py was edited or is another" in end["reason"]


def test_a_command_that_writes_a_file_its_words_name_is_refused(tmp_path: Path) -> None:
    path = study(tmp_path, TRAIN + "open('last.txt', 'w').write('x')\n")
    path.write_text(STUDY.replace('"{workdir}"]', '"{workdir}", --last, last.txt]'))
    (tmp_path / "train.py").write_text(
        (tmp_path / "train.py")
        .read_text()
        .replace("args =", "parser.add_argument('--last')\nargs =")
    )
    assert ran(path, tmp_path / "results").exit_code == 3
    (end,) = [fact.body for fact in api.facts(tmp_path / "results") if fact.kind == "ended"]
    assert f"{tmp_path / 'last.txt'} was not there before the command ran" in end["reason"]


@pytest.mark.parametrize("named", ["../train.py", "{here}/train.py", "link/train.py"])
def test_a_script_may_lie_outside_the_folder_of_its_study(tmp_path: Path, named: str) -> None:
    path = study(tmp_path)
    below = tmp_path / "studies"
    below.mkdir()
    (below / "link").symlink_to(tmp_path)
    script = named.replace("{here}", str(tmp_path))
    (below / "study.yaml").write_text(path.read_text().replace("train.py", script, 1))
    done = ran(below / "study.yaml", tmp_path / "results")
    assert done.exit_code == 0, [history.reason for history in done.failures.values()]
    assert done.trained == 4
    (tmp_path / "train.py").write_text(TRAIN.replace("args.lr * (", "args.lr * (1 + "))
    assert ran(below / "study.yaml", tmp_path / "results").trained == 4, "an edit is other code"


def test_files_that_values_fill_in_may_lie_outside_too_and_data_among_them_are_no_code(
    tmp_path: Path,
) -> None:
    text = (
        study(tmp_path).read_text().replace("train.py,", '../train.py, "../settings/{mode}.txt",')
    )
    text = text.replace("{lr: 0.1}", "{lr: 0.1, mode: a}")
    below, settings = tmp_path / "studies", tmp_path / "settings"
    below.mkdir()
    settings.mkdir()
    (settings / "a.txt").write_text("1")
    (tmp_path / "train.py").write_text(
        TRAIN.replace('("--lr"', '("file")\nparser.add_argument("--lr"')
    )
    path = below / "study.yaml"
    path.write_text(text)
    done = ran(path, tmp_path / "results")
    assert done.exit_code == 0, [history.reason for history in done.failures.values()]
    (settings / "a.txt").write_text("2")
    assert ran(path, tmp_path / "results").trained == 4, "an edit is other code"
    path.write_text(
        text.replace("  reads:", "  data: [{path: ../settings, version: one}]\n  reads:")
    )
    before = api.load_study(path).description.version
    (settings / "a.txt").write_text("3")
    assert api.load_study(path).description.version == before, "its data go by a version"
