"""The errors a user can meet, each with the exit code that the command line gives it.

    CbablateError             2   anything that stops a command
      StudyError              2   a study or sweep file says what cannot be meant
      UsageError              2   a command or a call asks for what cannot be had
      TrialFailure            3   one trial has no usable measurement; the others go on
      EnvironmentFault        4   the machine lacks a library, a device, data, room, a server
      DamagedState            5   recorded facts cannot be trusted
      OwnedElsewhere          6   another process writes to these results
      Interrupted           130   somebody stopped the command (75: a scheduler, or Ray died)

Python ends with 1 where an exception is none of these: that is a fault of cbablate's own.
A command that ends with 3 has done what it could; run again, it tries what failed once more.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = [
    "CbablateError",
    "DamagedState",
    "EnvironmentFault",
    "Interrupted",
    "OwnedElsewhere",
    "StudyError",
    "TrialFailure",
    "UsageError",
    "in_a_line",
    "library_errors",
    "machine_fault",
]


class CbablateError(Exception):
    """Anything that stops a command, told as a sentence: what is wrong, where, what to do."""

    exit_code = 2


class StudyError(CbablateError):
    """A study or sweep file says something that cannot be meant; carries every fault found.

    `faults` are values of `spec.fault.Fault`, as long as nobody has given them a place in a
    file; the message then is the located text.
    """

    exit_code = 2

    def __init__(self, sentence: str, faults: Iterable[Any] = ()) -> None:
        super().__init__(sentence)
        self.faults = tuple(faults)

    @classmethod
    def of(cls, faults: Iterable[Any]) -> StudyError:
        """The error that carries these faults, which have no place in a file yet."""
        found = tuple(faults)
        return cls("\n".join(fault.sentence for fault in found), found)


class UsageError(CbablateError):
    """What a command or a call asks for cannot be had, whatever the study says."""

    exit_code = 2


class EnvironmentFault(CbablateError):
    """The machine lacks what the study needs: a library, a device, data, disk, a server."""

    exit_code = 4


class DamagedState(CbablateError):
    """Recorded facts that cannot be trusted; refused, and left as they are."""

    exit_code = 5


class OwnedElsewhere(CbablateError):
    """Another process is writing to this results folder."""

    exit_code = 6


class Interrupted(CbablateError):
    """A person, or the machine's scheduler, stopped the command; running it again resumes it."""

    exit_code = 130


class TrialFailure(CbablateError):
    """A trial that cannot give a usable measurement.

    `failure` is its class in the ledger, one of `records.state.FAILURES`. `trace` goes in the
    place of Python's traceback where the cause lies elsewhere, as the last lines of a program.
    """

    exit_code = 3

    def __init__(self, sentence: str, *, failure: str = "error", trace: str = "") -> None:
        super().__init__(sentence)
        self.failure = failure
        self.trace = trace


_OF_THE_MACHINE = frozenset(
    {
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.EROFS,
        errno.ESTALE,
    }
)


def machine_fault(error: OSError) -> EnvironmentFault | None:
    """What an error of the system says of the machine; None if it says nothing of it.

    For what no caller expected: a full disk or too few descriptors can strike at any line.
    """
    if error.errno not in _OF_THE_MACHINE:
        return None
    where = f" ({error.filename})" if error.filename else ""
    return EnvironmentFault(
        f"the machine refuses to go on: {os.strerror(error.errno)}{where}. What had finished is "
        "kept; mend the cause, and run the same command again."
    )


def in_a_line(error: BaseException, limit: int | None = 300) -> str:
    """The first line of what a library's error says, cut to `limit` characters for a sentence
    of ours; the name of its class where it says nothing.
    """
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # noqa: BLE001 - an exception may be too broken to say anything
        lines = []
    return (lines or [type(error).__name__])[0][:limit]


@contextmanager
def library_errors(sentence: str, *, hint: str = "") -> Iterator[None]:
    """A block in which a library works for an arm: whatever it raises becomes a `StudyError`.

    The error says `sentence`, then the type and the first line of what was raised, then `hint`.
    Which types a library raises is nowhere promised, so all are meant (`sys.exit` and exhausted
    memory or stack, too), but an interrupt by a person or a signal, and errors of ours, pass
    through as they are.

    Raises:
        StudyError: the block raised something else than a `CbablateError`.
    """
    try:
        yield
    except (CbablateError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        name = type(error).__name__
        words = in_a_line(error)
        raised = name if words == name else f"{name}: {words}"
        raise StudyError(f"{sentence}: {raised}{f' ({hint})' if hint else ''}") from error
