"""Words about what a workload raised or gave: of bounded length, whatever its own code does."""

from __future__ import annotations

import traceback

__all__ = ["message", "sentence", "trace", "words"]

_LONGEST = 2_000
"""Characters of a message that are kept."""
_LONGEST_TRACE = 20_000


def message(error: BaseException) -> str:
    """What an error says."""
    return words(error, str)


def sentence(error: BaseException) -> str:
    """An error's class and what it says."""
    return f"{words(type(error), _name)}: {message(error)}"


def trace(error: BaseException) -> str:
    """An error's traceback; its last part, where it is long."""
    try:
        lines = traceback.format_exception(error)
        text = "".join(lines)
    except BaseException as second:  # noqa: BLE001 - formatting calls the error's own code
        text = f"(the traceback cannot be formatted: {_named(second)})\n" + "".join(
            traceback.format_tb(error.__traceback__)
        )
    return _cut(text, _LONGEST_TRACE)


def words(value: object, spell: object = repr) -> str:
    """A value of a workload's own class in words, also if spelling it raises."""
    try:
        text = spell(value)  # type: ignore[operator]
    except BaseException as error:  # noqa: BLE001 - it calls the value's own code
        return f"(it cannot be put into words: that raised {_named(error)})"
    return _cut("".join((text,)), _LONGEST)  # of `str` itself: a subclass is not known elsewhere


def _name(kind: type) -> str:
    return kind.__name__


def _named(error: BaseException) -> str:
    return str(type.__dict__["__name__"].__get__(type(error)))


def _cut(text: str, longest: int) -> str:
    """The text, without its middle if it is longer than that."""
    if len(text) <= longest:
        return text
    half = longest // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]} [... {left_out:,} characters left out ...] {text[-half:]}"
