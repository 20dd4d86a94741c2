"""`init`: a first study, from a script or from a template."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbablate import api
from tests.cli.typed import Said, typed

MNIST = """
import argparse

from nets import Net
import helpers.data


def main():
    parser = argparse.ArgumentParser(description="digits")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--lr", "-l", type=float, default=1.0)
    parser.add_argument("--gamma", type=float, default=1e-3)
    parser.add_argument("--optimizer", default="sgd", choices=["sgd", "adam", "no"])
    parser.add_argument("--answer", default="no")
    parser.add_argument("--no-accel", action="store_true")
    parser.add_argument("--resume", default=None)
    parser.add_argument("--betas", nargs=2, default=[0.9, 0.99])
    parser.add_argument("--output-dir", default="out")
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("data", metavar="DIR")
    args = parser.parse_args()
    report({"train/loss": 0.0, "val/acc": 1.0, "test/acc": 1.0})


raise SystemExit("it is never run")
"""


def init(folder: Path, *words: str) -> Said:
    return typed("init", *words, cwd=folder)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "nets.py").write_text("class Net: ...\n")
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "data.py").write_text("")
    path = tmp_path / "mnist.py"
    path.write_text(MNIST)
    return path


def test_a_script_is_read_and_not_run_and_what_is_written_passes_check(script: Path) -> None:
    said = init(script.parent, "--from", "mnist.py")
    assert said.code == 0, said.err
    assert "Next: cbablate run mnist.yaml --smoke" in said.out
    checked = typed("check", "mnist.yaml", "mnist-sweep.yaml", cwd=script.parent)
    assert checked.code == 0, checked.err


def test_each_argument_has_its_place(script: Path) -> None:
    assert init(script.parent, "--from", "mnist.py").code == 0
    file = api.load_study(script.parent / "mnist.yaml")
    study = file.study
    assert dict(study.baseline) == {
        "batch_size": 64,
        "no-accel": False,
        "lr": 1.0,
        "gamma": 1e-3,
        "optimizer": "sgd",
        "answer": "no",
        "width": 1,
        "data": "EDIT",
    }
    assert (study.budget.epochs, study.replicates) == (14, 6)
    command = study.workload.command  # type: ignore[union-attr]
    assert command is not None
    assert command[:2] == ("python", "mnist.py")
    assert set(command[2:]) == {
        *("--batch-size={batch_size}", "--epochs={budget}", "--lr={lr}", "--gamma={gamma}"),
        *("--optimizer={optimizer}", "--answer={answer}", "--output-dir={workdir}"),
        *("--width={width}", "--seed={seed}", "{data}"),
        "{--no-accel}",
    }
    code = study.workload.code  # type: ignore[union-attr]
    assert code == ("mnist.py", "nets.py", "helpers/")
    assert [level.name for level in study.factors[0].levels] == [
        "optimizer sgd",
        "optimizer adam",
        "optimizer no",
    ]
    assert study.objective.metric == "val/acc"
    assert study.objective.direction == "maximize"
    assert study.report == ("test/acc",)
    text = (script.parent / "mnist.yaml").read_text()
    for option in ("--resume has no default", "--betas takes several"):
        assert option in text


def test_no_file_is_overwritten_and_none_is_written_beside_one_that_is_there(script: Path) -> None:
    (script.parent / "mnist-sweep.yaml").write_text("mine\n")
    said = init(script.parent, "--from", "mnist.py")
    assert said.code == 2
    assert "mnist-sweep.yaml is there already" in said.err
    assert not (script.parent / "mnist.yaml").exists()
    assert (script.parent / "mnist-sweep.yaml").read_text() == "mine\n"


def test_a_study_in_another_folder_names_the_script_from_there(script: Path) -> None:
    assert init(script.parent, "deep/er", "--from", "mnist.py").code == 0
    study = script.parent / "deep" / "er" / "mnist.yaml"
    assert "[python, ../../mnist.py" in study.read_text().replace('"', "")
    assert typed("check", study).code == 0


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("def broken(:\n", 2, "cannot be read as Python"),
        ("print('hello')\n", 2, "has no `add_argument` of argparse"),
        ("parser.add_subparsers().add_parser('x').add_argument('--lr')\n", 2, "has subcommands"),
        (None, 4, "cannot be read: No such file or directory"),
    ],
)
def test_a_script_that_tells_nothing_is_refused_and_nothing_written(
    text: str | None, code: int, said: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "x.py").write_text(text)
    told = init(tmp_path, "new", "--from", "x.py")
    assert told.code == code
    assert said in told.err
    assert not (tmp_path / "new").exists()


def test_a_seed_or_epochs_that_the_script_does_not_take_are_told(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("parser.add_argument('--rate', type=float, default=0.5)\n")
    assert init(tmp_path, "--from", "x.py").code == 0
    text = (tmp_path / "x.yaml").read_text()
    assert "the script takes no --seed" in text
    assert "the script takes no --epochs" in text
    assert not (tmp_path / "x-sweep.yaml").exists(), "the one number is under test"
    assert typed("check", "x.yaml", cwd=tmp_path).code == 0


def test_a_default_is_the_one_that_the_script_has_in_the_end(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(
        "p.set_defaults(decay=9.0)\n"
        "p.add_argument('--decay', type=float, default=0.25)\n"
        "p.add_argument('--rate', type=float, default=0.5)\n"
        "p.add_argument('--warm', type=float, default=1.0)\n"
        "p.add_argument('--norm', action='store_true')\n"
        "p.add_argument('--flag', type=eval, default=True)\n"
        "p.set_defaults(rate=0.75, warm=f(), norm=True)\n"
    )
    assert init(tmp_path, "--from", "x.py").code == 0
    study = api.load_study(tmp_path / "x.yaml").study
    assert dict(study.baseline) == {"decay": 0.25, "rate": 0.75}
    text = (tmp_path / "x.yaml").read_text()
    for word in ("--warm has no default", "--norm has another default", "--flag is True if"):
        assert word in text


@pytest.mark.parametrize("first", ["--max_steps", "--epochs"])
def test_of_epochs_and_steps_one_takes_the_budget(first: str, tmp_path: Path) -> None:
    options = sorted(["--max_steps", "--epochs"], key=lambda option: option != first)
    lines = [f"p.add_argument('{option}', type=int, default=3)\n" for option in options]
    (tmp_path / "x.py").write_text("".join([*lines, "p.add_argument('--rate', default=0.5)\n"]))
    assert init(tmp_path, "--from", "x.py").code == 0
    text = (tmp_path / "x.yaml").read_text()
    assert "--epochs={budget}" in text
    assert "--max_steps=" not in text
    assert "--max_steps ends a training, too" in text


SWITCHES = """
import argparse, csv, os
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
parser.add_argument("--epochs", type=int)
parser.add_argument("--out", default="runs/default")
parser.add_argument("--model-path", default="model.pt")
parser.add_argument("--save-path", default="out/model.pt")
parser.add_argument("--lr", type=float, default=0.5)
parser.add_argument("--dry-run", action="store_true")
parser.add_argument("-n", "--no-norm", action="store_true", dest="unnormed")
parser.add_argument("--no-bias", dest="bias", action="store_false", default=True)
parser.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--heavy", action=argparse.BooleanOptionalAction)
parser.add_argument("--idle", action="store_true", default=True)
parser.add_argument("--text", type=bool, default=True)
args = parser.parse_args()
with open(os.path.join(args.out, "metrics.csv"), "w") as file:
    row = csv.writer(file).writerow
    row(["epoch", "val/loss"])
    for epoch in range(1, args.epochs + 1):
        row([epoch, (args.lr + args.unnormed + 2 * (not args.bias) + 4 * args.augment) / epoch])
"""


def test_a_switch_is_put_under_test_and_the_draft_runs(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(SWITCHES)
    assert init(tmp_path, "--from", "x.py").code == 0
    path = tmp_path / "x.yaml"
    text = path.read_text()
    assert "takes no --seed" not in text
    for word in ("--out={workdir}", "--save-path={workdir}/model.pt", "--model-path={model_path}"):
        assert f'"{word}"' in text
    for why in (
        "--idle has no value",
        "--text is read by bool()",
        '--heavy has no plain default: write "{--heavy|--no-heavy}"',
    ):
        assert f"#   {why}" in text
    assert "# reads: {csv: metrics.csv}" in text
    study = api.load_study(path).study
    assert [(one.name, dict(one.changes or {})) for one in study.factors[0].levels] == [
        ("no-norm false", {}),
        ("no-norm true", {"no-norm": True}),
    ]
    more = "  - {name: rest, levels: [{name: as it is}, {name: no bias, changes: {no-bias: true}},"
    more += " {name: plain, changes: {augment: false}}]}"
    text = text.replace("  # reads: {csv", "  reads: {csv")
    path.write_text(text.replace("budget: {", f"{more}\nbudget: {{"))
    checked = typed("check", "x.yaml", cwd=tmp_path)
    assert checked.code == 0
    assert "A draft: EDIT stands in question." in checked.out
    words = ("run", "x.yaml", "--on", "local", "--no-mirrors", "replicates=1", "budget.epochs=1")
    said = typed(*words, cwd=tmp_path)
    assert said.code == 0, said.err
    rows = [line.split() for line in said.out.splitlines() if line[-1:] == "1"]
    assert [row[-4] for row in rows] == ["4.500", "5.500", "6.500", "0.500"], said.out


def test_a_script_without_any_default_gets_a_study_that_passes_check(tmp_path: Path) -> None:
    options = ("--seed", "--epochs", "--lr")
    lines = (f"parser.add_argument('{option}', type=int)\n" for option in options)
    (tmp_path / "x.py").write_text("".join(lines))
    assert init(tmp_path, "--from", "x.py").code == 0
    text = (tmp_path / "x.yaml").read_text()
    assert '"--seed={seed}", "--epochs={budget}"]' in text
    assert "the script takes no" not in text
    assert "--lr has no default" in text
    assert typed("check", "x.yaml", cwd=tmp_path).code == 0


@pytest.mark.slow
def test_the_template_runs_to_a_table_as_it_is(tmp_path: Path) -> None:
    assert init(tmp_path, "first").code == 0
    folder = tmp_path / "first"
    assert sorted(path.name for path in folder.iterdir()) == [
        "train-sweep.yaml",
        "train.py",
        "train.yaml",
    ]
    assert typed("check", "train.yaml", "train-sweep.yaml", cwd=folder).code == 0
    words = ("run", "train.yaml", "--on", "local", "--no-mirrors", "replicates=2")
    said = typed(*words, cwd=folder)
    assert said.code == 0, said.err
    assert "momentum 0.9" in said.out
    assert "6 of 6 trials" in " ".join(said.out.split())
