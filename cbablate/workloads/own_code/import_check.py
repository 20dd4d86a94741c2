"""A user's workload, looked at once where trials run, before the first of them starts."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from pathlib import Path

from cbablate.errors import CbablateError, EnvironmentFault, StudyError, in_a_line
from cbablate.spec.code import Code
from cbablate.workloads.own_code import importing
from cbablate.workloads.own_code.declaration import misfit_of
from cbablate.workloads.own_code.entry import unrecorded

__all__ = ["check_import", "refusal"]


def check_import(name: str, code: Code) -> tuple[str, str]:
    """Import a workload and look at its function, in a worker.

    Returns:
        What is wrong, and whether it is the `file` or the `machine`; two empty texts if nothing.
    """
    function = name.partition(":")[2]
    here = Path.cwd()
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the command's product
            module = importing.loaded(code)
    except KeyboardInterrupt:
        raise
    except CbablateError as error:
        return str(error), "machine"
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing and missing not in {one.name.partition(".")[0] for one in code.modules}:
            sentence = f"it needs the module '{missing}', which is not installed: {_place(error)}"
            return f"workload '{name}' cannot be imported: {sentence}", "machine"
        return _unimportable(name, error), "file"
    except BaseException as error:  # noqa: BLE001 - whatever a user's file raises
        return _unimportable(name, error), "file"
    finally:
        os.chdir(here)
    found = importing.strangers()
    if found:
        return unrecorded(found), "file"
    workload = getattr(module, function, None)
    if not callable(workload):
        return f"workload '{name}': {code.file} has no function '{function}'", "file"
    why = misfit_of(workload, function)
    return (f"workload '{name}': {why}", "file") if why else ("", "")


def refusal(sentence: str, whose: str) -> CbablateError:
    """The error that says what `check_import` has found."""
    return EnvironmentFault(sentence) if whose == "machine" else StudyError(sentence)


def _unimportable(name: str, error: BaseException) -> str:
    what = f"{type(error).__name__}: {in_a_line(error)}"
    if isinstance(error, SyntaxError):
        what = f"{type(error).__name__}: {error.msg}"
    elif isinstance(error, SystemExit):
        what = f"it calls sys.exit({error.code!r}) while it is imported"
    return f"workload '{name}' cannot be imported: {what} ({_place(error)})"


def _place(error: BaseException) -> str:
    """Where in the user's code it was raised, as file and line."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "cbablate" not in frame.filename and not frame.filename.startswith("<")
    ]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else "no place is known"
