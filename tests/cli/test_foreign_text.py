"""Foreign text: whatever a study, a ledger, a workload or a file's name holds, a terminal is only
ever sent characters that can be seen, and newlines.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from cbablate import api
from cbablate.records.facts import Ended, SessionFact, Started
from cbablate.records.place import Place
from tests.cli.typed import Said, typed

STEERING = (
    "\x1b]52;c;ZXZpbA==\x07 \x1b[31mred\x1b[0m \x9b31m \x9d0;x\x9c \x08\x0b\x0c\r\x7f\x85"
    "\u202e\u202a\u2066\u2069\u200b\u200e\u2028\u2029\ufeff\u00ad\U000e0041 [red]b[/red] [/]"
)
NAME = "d\x1b]0;x\x07\x9b\u202e"
"""A folder's name, as a file system takes it."""

STUDY = """\
question: Does it [bold]matter[/bold]?
workload: mine:train
baseline: {width: 1, word: "[red]"}
factors:
  - name: "[blue]width[/]"
    levels:
      - {name: "[red]one[/red]"}
      - {name: "[/]two", changes: {width: 2}}
budget: {steps: 2}
replicates: 2
objective: {metric: val/loss, direction: minimize}
report: [test/loss]
"""
WORKLOAD = f"""\
from cbablate.records.measurement import Measurement
EVIL = {STEERING!r}

def train(config, *, seed, budget, workdir):
    for step in (1, 2):
        metrics = {{"val/loss": float(config["width"]), "test/loss": 1.0, "train/" + EVIL: 0.5}}
        yield Measurement(spent=step, metrics=metrics, notes={{"note": EVIL}})
        if config["width"] == 2:
            raise ValueError("[bold]" + EVIL)
"""


def unseen(text: str) -> set[str]:
    """What of a text a terminal should not be sent."""
    kinds = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return {c for c in text if c != "\n" and unicodedata.category(c) in kinds}


def assert_harmless(said: Said, *words: object) -> None:
    assert "Traceback" not in said.err, said.err
    assert not unseen(said.out + said.err), (words, unseen(said.out + said.err))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name steers a terminal, with a study, and results that a stranger wrote."""
    folder = tmp_path_factory.mktemp("hostile") / NAME
    folder.mkdir()
    (folder / "s.yaml").write_text(STUDY)
    (folder / "mine.py").write_text(WORKLOAD)
    ran = typed(
        "run", folder / "s.yaml", "--on", "local", "--no-mirrors", "--results", folder / "r"
    )
    assert ran.code == 3, ran
    assert_harmless(ran, "run")
    assert "[/]two" in ran.err and "[red]b[/red]" in ran.err, "rich's markup is not interpreted"
    assert "<U+001B>]52" in ran.err
    plan = api.plan(api.load_study(folder / "s.yaml"))
    with Place(folder / "r").writing() as ledger:
        for trial in plan.trials[:2]:
            end = Ended("failed", STEERING, "error", STEERING)
            for fact in (Started(9, STEERING, STEERING), end):
                ledger.append(fact.record(trial.id))
        host, versions = {"hostname": STEERING}, {STEERING: STEERING}
        ledger.append(SessionFact(host, versions).record(STEERING))
    return folder


PAPER = f"\\input{{{STEERING}}}"
COMMANDS = {
    "check": ["check", "s.yaml"],
    "check another": [
        "check",
        "\x1b]0;x\x07.yaml",
        "none\x9b\u202e.yaml",
        "mine.py",
        "\udcff/s.yaml",
    ],
    "plan": ["plan", "s.yaml"],
    "plan verified": ["plan", "s.yaml", "--verify"],
    "run": ["run", "s.yaml", "--on", "local", "--no-mirrors"],
    "status": ["status", "s.yaml"],
    "table": ["table", "s.yaml"],
    **{
        f"table as {form}": ["table", "s.yaml", "--as", form]
        for form in ("latex", "markdown", "csv")
    },
    "table to a file": ["table", "s.yaml", "-o", "t\x1b[1m.tex"],
    "effects": ["table", "s.yaml", "--effects"],
    "sweep": ["sweep", "s.yaml"],
    "explain": ["explain", "s.yaml", "1:2"],
    "explain nothing": ["explain", "s.yaml", "\x1b[1m", "\u202e"],
    "diff": ["diff", "s.yaml", "--until", "3"],
    "diff other": ["diff", "s.yaml", "--other", "none\x1b[1m"],
    "verify": ["verify", "s.yaml", "p.tex"],
    "verify a missing paper": ["verify", "s.yaml", "\x1b[1m.tex"],
    "report": ["report", "s.yaml", "-o", "page\x1b[1m.html"],
    "data": ["data", "\x1b[1m\u202e"],
    "models": ["models", "\x1b[1m\u202e"],
    "a wrong option": ["table", "s.yaml", "--\x1b[1m\u202e"],
    "a wrong word": ["table", "s.yaml", "--as", "\x1b[1m\u202e"],
    "a wrong command": ["\x1b[1m\u202e"],
    "a wrong folder": ["status", "s.yaml", "--results", "none\x1b[1m\u202e"],
    "a ray address": ["run", "s.yaml", "--on", "local", "--ray-address", "\x1b[1m"],
}


@pytest.mark.slow
@pytest.mark.parametrize("what", COMMANDS)
def test_no_command_sends_a_terminal_what_steers_it(what: str, hostile: Path) -> None:
    (hostile / "p.tex").write_text(PAPER)
    words = COMMANDS[what]
    bare = words[0] in ("check", "data", "models") or "--results" in words
    results = [] if bare else ["--results", "r"]
    said = typed(*words, *results, cwd=hostile)
    assert_harmless(said, words)
    assert said.out or said.err


@pytest.mark.slow
def test_json_says_foreign_text_as_it_is_in_ascii(hostile: Path) -> None:
    for command in ("check", "plan", "status", "table"):
        results = [] if command == "check" else ["--results", "r"]
        said = typed(command, "s.yaml", "--json", *results, cwd=hostile)
        assert said.out.isascii() and not unseen(said.out)
        assert said.out, (command, said.err)
        told = json.dumps(json.loads(said.out), ensure_ascii=False)
        if command == "status":
            assert "\x9b31m" in told, "JSON loses nothing"


@pytest.mark.slow
def test_a_terminal_is_sent_only_the_codes_of_the_live_display(hostile: Path) -> None:
    (hostile / "again").mkdir(exist_ok=True)
    leader, follower = pty.openpty()
    words = ["run", "s.yaml", "--on", "local", "--no-mirrors", "--results", "again"]
    command = [sys.executable, "-m", "cbablate.cli.main", *words]
    with subprocess.Popen(
        command, cwd=hostile, stdout=follower, stderr=follower, stdin=follower
    ) as process:
        os.close(follower)
        sent = b""
        while True:
            try:
                sent += (more := os.read(leader, 65_536))
            except OSError:  # the other end is closed
                break
            if not more:
                break
    os.close(leader)
    assert process.returncode == 3
    text = sent.decode()
    own = re.sub(r"\x1b\[[0-9;?]*[ABKJhlm]", "", text).replace("\r", "")
    assert not unseen(own), unseen(own)
    assert "[/]two" in own
