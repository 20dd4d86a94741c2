"""Tracking servers that misbehave: what they did is said, and nobody waits for them for long."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Event, Semaphore, Thread

import pytest

from cbablate.mirrors import mlflow_deadline
from cbablate.mirrors.mlflow_mirror import MlflowMirror
from cbablate.mirrors.port import MirrorThread, MirrorUnreachable, StudyState
from cbablate.testing.mirror_facts import Story, toy_plan

pytestmark = pytest.mark.slow

Answer = Callable[[socket.socket], None]
PAGE = "<html><title>Oops</title><body>" + "<p>sorry \x1b[31m</p>" * 1_000 + "</body></html>"


def http(status: str, body: str, kind: str = "text/html", more: str = "") -> Answer:
    about = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}"
    return lambda peer: peer.sendall(f"HTTP/1.1 {status}\r\n{about}\r\n{body}".encode())


def silent(peer: socket.socket) -> None:
    time.sleep(3)


@contextmanager
def server(answer: Answer, *, on_close: Event | None = None) -> Iterator[str]:
    """The address of a server on this machine that answers each request so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = Event()

        def talk(peer: socket.socket) -> None:
            with peer, suppress(OSError):
                peer.recv(65_536)
                answer(peer)
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(2)
                while peer.recv(65_536):  # what is left unread would reset the connection
                    pass

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError):
                    Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

        Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()


ANSWERS: dict[str, tuple[Answer, str]] = {
    "500": (http("500 Internal Server Error", PAGE), "it answered HTTP 500"),
    "503": (http("503 Busy", "", more="Retry-After: 60\r\n"), "it answered HTTP 503"),
    "401": (http("401 Unauthorized", PAGE), "HTTP 401; are MLFLOW_TRACKING_USERNAME"),
    "403": (http("403 Forbidden", PAGE), "HTTP 403; is this user allowed to write there?"),
    "404": (http("404 Not Found", PAGE), "HTTP 404; is this the address of an MLflow server?"),
    "a page": (http("200 OK", PAGE), "something else than MLflow's JSON"),
    "a list": (http("200 OK", "[1, 2]", "application/json"), "something else than MLflow's JSON"),
    "odd JSON": (http("200 OK", '{"a": 1}', "application/json"), "cannot be read"),
    "one answer to all": (
        http("200 OK", '{"experiment": {"experiment_id": "1"}}', "application/json"),
        "cannot be read",
    ),
    "odd coding": (http("200 OK", PAGE, more="Content-Encoding: gzip\r\n"), "cannot be decoded"),
    "redirects": (http("302 Found", "", more="Location: /again\r\n"), "redirects without end"),
    "garbage": (lambda peer: peer.sendall(b"\x00\x1b[31m garbage\r\n\r\n"), "did not speak HTTP"),
    "nothing": (lambda _peer: None, "closed the connection"),
    "silence": (silent, "did not answer within 1 s"),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.delenv("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", raising=False)


def said_by(address: str, folder: Path) -> str:
    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials)
    with pytest.raises(MirrorUnreachable) as caught:
        MlflowMirror(address, folder).sync(plan, story.facts, state=StudyState.COMPLETE)
    return str(caught.value)


@pytest.mark.parametrize("what", ANSWERS)
def test_what_a_server_did_is_said_in_a_sentence(what: str, tmp_path: Path) -> None:
    answer, meaning = ANSWERS[what]
    with server(answer) as address:
        said = said_by(address, tmp_path)
    assert meaning in said, said
    assert not re.search(r"[.?]\.|https?:.*https?:", said), said
    assert said.startswith(f"MLflow at {address} did not take the study: ")
    assert said.isprintable(), said
    assert len(said) < 400
    assert "<" not in said
    assert "nobody answers" not in said


def test_a_port_without_a_server_a_name_without_a_host_and_a_server_without_tls_are_told_apart(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "no server listens there" in said_by(f"http://127.0.0.1:{port}", tmp_path)
    assert "no host of that name" in said_by("http://no-such-host.invalid:5000", tmp_path)
    with server(ANSWERS["a page"][0]) as address:
        assert "no TLS connection" in said_by(address.replace("http:", "https:"), tmp_path)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy", "413 Too Large"])
def test_a_server_that_asks_for_patience_is_not_waited_for(status: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with server(http(status, "", more="Retry-After: 45\r\n")) as address:
        said_by(address, tmp_path)
    assert time.monotonic() - began < 40


def dripping(peer: socket.socket) -> None:
    peer.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    )
    with suppress(OSError):
        for _ in range(300):
            time.sleep(0.1)
            peer.sendall(b" ")


def test_a_server_that_drips_its_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_deadline, "LEAST", 0.0)  # so MLflow's settings alone give it 2 s
    began = time.monotonic()
    with server(dripping) as address:
        said = said_by(address, tmp_path)
    assert "its answer had not come whole after 2 s" in said
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(("bytes_", "taken"), [(1_000, False), (300_000, True)])
def test_a_large_file_has_more_time_than_an_answer(
    bytes_: int, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_deadline, "LEAST", 0.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "0.1")

    class Slow:
        def log_artifact(self, run: str, path: str) -> None:
            time.sleep(1.5)

    sent = tmp_path / "report.html"
    sent.write_bytes(b"x" * bytes_)
    with nullcontext() if taken else pytest.raises(mlflow_deadline.Late):
        mlflow_deadline.Prompt(Slow()).log_artifact("run", str(sent))


def test_a_server_that_hangs_delays_the_end_by_its_one_time_limit(tmp_path: Path) -> None:
    plan = toy_plan(replicates=1)
    story = Story().complete(*plan.trials)
    tries = Semaphore(0)

    def hangs(peer: socket.socket) -> None:
        tries.release()
        silent(peer)

    with server(hangs) as address:
        thread = MirrorThread([MlflowMirror(address, tmp_path)], plan, facts=lambda: story.facts)
        thread.notify()
        assert tries.acquire(timeout=60)  # it is asked, and hangs
        (missed,) = thread.finish(StudyState.COMPLETE)
    assert "did not answer within 1 s" in missed
    assert tries.acquire(timeout=60), "two tries of a second each"
    assert not tries.acquire(blocking=False), "and not the same once more"
