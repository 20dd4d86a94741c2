from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cbablate.errors import EnvironmentFault
from cbablate.mirrors.mlflow_mirror import STORE_FILE, MlflowMirror
from cbablate.mirrors.mlflow_ui import serve
from cbablate.mirrors.port import StudyState
from cbablate.testing.mirror_facts import Story, toy_plan
from tests.contracts.mirror_stores import empty_mlflow_store

SERVE = """
import sys
from pathlib import Path
from cbablate.mirrors.mlflow_ui import serve
serve(Path(sys.argv[1]), study="pace")
"""
SERVE_A_DUMMY = """
import sys
from pathlib import Path
from cbablate.mirrors import mlflow_ui
mlflow_ui._command = lambda _store, _folder, port: [
    "/bin/sh", "-c", '"$@" & wait', "sh", sys.executable, "-c", sys.argv[2], str(port)
]
mlflow_ui.serve(Path(sys.argv[1]))
"""
"""Serves in a grandchild, as MLflow does, but is there at once."""
DUMMY = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


# One process starts the server that these share.
pytestmark = [pytest.mark.xdist_group("mlflow ui"), pytest.mark.slow]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, plan = tmp_path_factory.mktemp("shown"), toy_plan(replicates=1)
    shutil.copy(empty_mlflow_store(), folder / STORE_FILE)
    story = Story().complete(*plan.trials)
    MlflowMirror(None, folder).sync(plan, story.facts, state=StudyState.COMPLETE)
    return folder


def started(*words: str) -> tuple[subprocess.Popen[str], int, str]:
    """A process that serves, its port, and the first page that it names."""
    process = subprocess.Popen(
        [sys.executable, "-c", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/(\S*)", line)
    assert found, f"{line!r}; {process.communicate(timeout=10)[1]}"
    return process, int(found[1]), found[2]


@pytest.fixture(scope="module")
def served(results: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    process, port, page = started(SERVE, str(results))
    yield process, port, page
    process.kill()
    process.communicate(timeout=30)


def asked(port: int, method: str = "GET", path: str = "/", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    body = headers.pop("body", None)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    status = connection.getresponse().status
    connection.close()
    return status


def listens(port: int) -> bool:
    try:
        asked(port, path="/health")
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("evil.com", 403),
        ("10.evil.com", 403),
        ("192.168.evil.com", 403),
        ("127.0.0.1.evil.com:{port}", 403),
    ],
)
def test_only_names_of_this_machine_are_answered(
    served: tuple[subprocess.Popen[str], int, str], host: str, status: int
) -> None:
    port = served[1]
    assert asked(port, Host=host.format(port=port)) == status


def test_another_sites_page_cannot_write(served: tuple[subprocess.Popen[str], int, str]) -> None:
    port = served[1]
    path, body = "/api/2.0/mlflow/experiments/create", '{"name": "from elsewhere"}'
    json = {"body": body, "Content_Type": "application/json"}
    assert asked(port, "POST", path, Origin="http://evil.com", **json) == 403
    text = {"body": body, "Content_Type": "text/plain"}
    assert asked(port, "POST", path, **text) in (400, 415)


def test_the_address_opens_the_study(served: tuple[subprocess.Popen[str], int, str]) -> None:
    assert re.match(r"#/experiments/\d+/runs\?", served[2])


def test_the_server_listens_on_loopback_alone(
    served: tuple[subprocess.Popen[str], int, str],
) -> None:
    needle = f":{served[1]:04X} "
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).exists()
        for line in Path(table).read_text().splitlines()[1:]
        if needle in f"{line.split()[1]} " and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F{needle.strip()}"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "SIGKILL"])
def test_no_server_outlives_the_one_who_started_it(results: Path, number: int) -> None:
    process, port, _page = started(SERVE_A_DUMMY, str(results), DUMMY)
    process.send_signal(number)
    _out, said = process.communicate(timeout=30)
    until = time.monotonic() + 20
    while listens(port) and time.monotonic() < until:
        time.sleep(0.1)
    assert not listens(port)
    if number == signal.SIGINT:
        assert (process.returncode, said) == (0, "")


def test_a_folder_without_a_store_says_what_to_do_and_gets_none(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="cbablate run STUDY"):
        serve(tmp_path)
    assert not (tmp_path / STORE_FILE).exists()


def test_a_port_that_is_taken_is_a_sentence(
    served: tuple[subprocess.Popen[str], int, str], results: Path
) -> None:
    with pytest.raises(EnvironmentFault, match=f"port {served[1]} of this machine"):
        serve(results, port=served[1])


def test_a_tracking_server_that_runs_already_is_only_pointed_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(tmp_path, uri="http://anna:geheim@host:5000/")
    assert capsys.readouterr().out.split() == ["MLflow", "http://***@host:5000/"]
