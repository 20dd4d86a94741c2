from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cbablate import api
from cbablate.cli.main import app
from cbablate.errors import UsageError
from cbablate.records.place import results_folder
from tests.toys import toy_file, toy_plan

ADDRESSES = [
    "postgresql://user:pa/ss@word@host/db",
    "postgresql+psycopg://user:pass@host/db?password=pass",
    "sqlite:///results.db",
    "s3://bucket/results?secret_key=pass",
    "file:///tmp/results",
    "gs:/bucket",
    "s3:bucket",
    "gs:bucket/results",
    "s3:",
    "user:pass@host:results",
    "login.host:results",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_refused_without_its_password(address: str) -> None:
    for results in (address, Path(address)):
        with pytest.raises(UsageError, match="results are kept in a folder") as caught:
            results_folder(results)
        assert "pass" not in str(caught.value).replace("password=", "")


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_door_of_the_api_refuses_an_address_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = toy_plan()
    doors = (
        lambda: api.run(plan, results=address),
        lambda: api.sync(plan, results=address),
        lambda: api.table(plan, results=address),
        lambda: api.facts(address),
    )
    for door in doors:
        with pytest.raises(UsageError, match="results are kept in a folder"):
            door()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["run", "S", "--results"],
        ["plan", "S", "--results"],
        ["status", "S", "--results"],
        ["table", "S", "--results"],
        ["sync", "S", "--results"],
        ["report", "S", "--results"],
        ["sweep", "S", "--results"],
        ["explain", "S", "1:1", "--results"],
        ["verify", "S", "p.tex", "--results"],
        ["diff", "S", "--until", "3", "--results"],
        ["diff", "S", "--other"],
        ["ui", "--results"],
        ["fsck"],
    ],
)
@pytest.mark.parametrize("address", ["postgresql://u:secret@h/db", "s3:bucket", "s3:/bucket"])
def test_every_command_refuses_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], address: str
) -> None:
    monkeypatch.chdir(tmp_path)
    study = toy_file(tmp_path)
    called = [str(study) if word == "S" else word for word in words]
    done = CliRunner().invoke(app, [*called, address])
    assert isinstance(done.exception, UsageError), done.output
    assert "secret" not in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == [study.name]


@pytest.mark.parametrize("name", ["results", "a:b", "C:/x", "./x://y", "10:30/run", "r:"])
def test_a_folder_s_name_is_a_folder(name: str) -> None:
    assert results_folder(name) == Path(name)


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_whose_name_is_like_an_address_is_named_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "s3:bucket"
    if there:
        folder.mkdir()
    with pytest.raises(UsageError, match=r"A folder of that name is \./s3:bucket"):
        results_folder("s3:bucket")
    for name in ("./s3:bucket", str(folder), folder, ".//s3:bucket/"):
        assert results_folder(name) == folder


@pytest.mark.slow
def test_every_command_takes_a_folder_whose_name_is_like_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    toy_file(tmp_path, epochs=1, replicates=1)
    for words in (
        ["run", "toys.yaml", "--on", "local", "--no-mirrors"],
        ["plan", "toys.yaml"],
        ["status", "toys.yaml"],
        ["table", "toys.yaml"],
        ["explain", "toys.yaml", "1:2"],
    ):
        done = CliRunner().invoke(app, [*words, "--results", "./s3:bucket"])
        assert done.exit_code == 0, done.output
    assert CliRunner().invoke(app, ["fsck", "./s3:bucket"]).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"s3:bucket", "toys.yaml"}
