from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cbablate.records.logs import HEAD, TAIL, Logs


def test_a_log_is_packed_when_its_attempt_has_ended(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "logs")
    for text in (b"one\n", b"two\n"):
        logs.append("t", 1, text)
    assert logs.text("t", 1) == b"one\ntwo\n"
    assert not logs.closed("t", 1)
    logs.close("t", 1)
    logs.append("t", 2, b"again")
    assert logs.closed("t", 1)
    assert logs.text("t", 1) == b"one\ntwo\n"
    assert [path.name for path in sorted((tmp_path / "logs/t").iterdir())] == ["1.log.gz", "2.log"]
    assert logs.attempts("t") == [1, 2]
    assert logs.attempts("u") == []


def test_a_long_log_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    line = b"%07d\n"
    lines = 3 * (HEAD + TAIL) // 8
    for start in range(0, lines, 50_000):
        many = range(start, min(lines, start + 50_000))
        logs.append("t", 1, b"".join(line % number for number in many))
        assert (tmp_path / "t/1.log").stat().st_size < HEAD + 2 * TAIL + 500_000
    logs.close("t", 1)
    text = logs.text("t", 1)
    missing = lines * 8 - HEAD - TAIL
    assert text[HEAD:-TAIL] == b"\n[... %d bytes left out ...]\n" % missing
    assert text[:8] == line % 0
    assert text[-8:] == line % (lines - 1)


def test_what_a_killed_driver_left_is_packed_by_the_next(tmp_path: Path) -> None:
    Logs(tmp_path).append("t", 3, b"half")
    logs = Logs(tmp_path)
    logs.tidy()
    assert logs.closed("t", 3)
    assert logs.text("t", 3) == b"half"


def test_a_folder_that_takes_nothing_is_told_once_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in its place")
    told: list[str] = []
    logs = Logs(tmp_path / "logs", tell=told.append)
    for _ in range(3):
        logs.append("t", 1, b"x")
        logs.close("t", 1)
    assert len(told) == 1
    assert "training goes on without" in told[0]


@given(cut=st.integers(0, 300), flipped=st.integers(0, 200))
def test_a_damaged_log_is_known_and_never_raises(
    tmp_path_factory: object, cut: int, flipped: int
) -> None:
    folder = tmp_path_factory.mktemp("logs")  # type: ignore[attr-defined]
    logs = Logs(folder)
    whole = b"".join(b"line %d\n" % number for number in range(200))
    logs.append("t", 1, whole)
    logs.close("t", 1)
    path = folder / "t/1.log.gz"
    packed = bytearray(path.read_bytes())
    assert logs.damaged() == []
    path.write_bytes(packed[: min(cut, len(packed) - 1)])
    assert logs.damaged() == [path]
    assert whole.startswith(logs.text("t", 1))
    packed[flipped % len(packed)] ^= 0xFF
    path.write_bytes(packed)
    logs.text("t", 1)
