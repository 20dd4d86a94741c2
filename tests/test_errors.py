from __future__ import annotations

import pytest

from cbablate.errors import (
    CbablateError,
    EnvironmentFault,
    StudyError,
    TrialFailure,
    in_a_line,
    library_errors,
)


class Mute(Exception):
    """One that cannot say what is wrong."""

    def __str__(self) -> str:
        raise RuntimeError("cannot say")


class Panic(BaseException):
    """As extensions written in Rust raise it: not an `Exception`."""


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (IndexError("list index out of range"), "IndexError: list index out of range"),
        (AssertionError("CUDA required"), "AssertionError: CUDA required"),
        (AssertionError(), "AssertionError"),
        (KeyError("blocks"), "KeyError: 'blocks'"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (MemoryError(), "MemoryError"),
        (SystemExit(3), "SystemExit: 3"),
        (StopIteration(), "StopIteration"),
        (Mute(), "Mute"),
        (Panic("rust"), "Panic: rust"),
        (ValueError("first\nsecond"), "ValueError: first"),
        (ValueError("x" * 10_000), "ValueError: " + "x" * 300),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_whatever_a_library_raises_is_a_sentence_with_its_type_and_first_line(
    raised: BaseException, words: str
) -> None:
    with (
        pytest.raises(StudyError) as told,
        library_errors("timm cannot make 'vit'", hint="write another"),
    ):
        raise raised
    assert str(told.value) == f"timm cannot make 'vit': {words} (write another)"
    assert told.value.__cause__ is raised


@pytest.mark.parametrize(
    "raised",
    [KeyboardInterrupt(), StudyError("ours"), EnvironmentFault("ours"), TrialFailure("ours")],
    ids=lambda raised: type(raised).__name__,
)
def test_an_interrupt_and_our_own_errors_pass_through(raised: BaseException) -> None:
    with pytest.raises((KeyboardInterrupt, CbablateError)) as told, library_errors("timm fails"):
        raise raised
    assert told.value is raised


def test_an_error_that_cannot_be_put_into_words_is_its_class() -> None:
    assert in_a_line(Mute()) == "Mute"
