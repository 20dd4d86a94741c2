"""`fuzz`: a target fed for so many seconds; what fails is shrunk and kept as a seed."""

from __future__ import annotations

import hashlib
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from hypothesis import HealthCheck, Phase, given, settings

from cbablate.errors import CbablateError
from tests.fuzz.targets import TARGETS

__all__ = ["Hang", "feed", "fuzz", "kept"]

SEEDS = Path(__file__).parent / "seeds"
_LONGEST = 30
"""So many seconds of a core may one input take before it counts as a hang."""
_SHRINKING = 30
"""So many seconds more are spent on making what fails small."""


class Hang(BaseException):
    """An input that takes too long; no `except Exception` swallows it."""


def feed(name: str, content: bytes) -> None:
    """One input, in a folder of its own. Whatever is raised but our own errors is a fault."""
    with tempfile.TemporaryDirectory(prefix="fz") as folder, _watched():
        sentence = "fine"
        try:
            TARGETS[name].feed(content, Path(folder))
        except CbablateError as error:
            sentence = str(error)
        assert sentence.strip(), "an error without a sentence"


@contextmanager
def _watched() -> Iterator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"no end after {_LONGEST} s")

    signals = (signal.SIGPROF, signal.SIGALRM)
    before = [signal.signal(number, late) for number in signals]
    signal.setitimer(signal.ITIMER_PROF, _LONGEST)
    signal.alarm(_LONGEST * 10)  # where it waits without computing
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def kept(name: str) -> list[Path]:
    """The inputs that made a target fail once."""
    return sorted((SEEDS / name).glob("*"))


def fuzz(name: str, seconds: float, *, shrink: bool = True) -> tuple[int, str]:
    """How many inputs were tried, and what the first that failed raised; "" if none did.

    To `shrink` what failed takes minutes where inputs are whole ledgers.
    """
    until = time.monotonic() + seconds
    tried, failed, said = 0, b"", ""

    @settings(
        max_examples=50,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        report_multiple_bugs=False,
    )
    @given(TARGETS[name].strategy())
    def once(drawn: str | bytes) -> None:
        nonlocal tried, failed, said
        if time.monotonic() > until + (_SHRINKING if failed else 0):
            return
        tried += 1
        content = drawn if isinstance(drawn, bytes) else drawn.encode("utf-8", "surrogatepass")
        try:
            feed(name, content)
        except BaseException:
            failed, said = content, traceback.format_exc()[-3_000:]
            raise

    while time.monotonic() < until and not failed:
        try:
            once()
        except (Exception, Hang):
            if not failed:  # the fuzzing itself is at fault, not what it fuzzes
                raise
    return tried, _keep(name, failed, said) if failed else ""


def _keep(name: str, content: bytes, said: str) -> str:
    """Put the input beside the seeds that are replayed for ever; its traceback."""
    folder = SEEDS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(content).hexdigest()[:12]
    path.write_bytes(content)
    return f"kept as {path}\n{said}"
