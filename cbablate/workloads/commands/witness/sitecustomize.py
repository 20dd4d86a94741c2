"""The witness: which files the Python programs of a trial run, written down as they run them.

Python imports a module of this name when it starts, so each process of a trial does, whoever
starts it: a launcher, a shell script, a pool. The witness steps aside first, for the path to be
what it would be without it, and for another `sitecustomize` to be imported as ever. Then it
listens to Python's own audit events. It imports nothing that Python has not imported by then,
writes a line for each file outside the libraries, at once, since a process may end in any way,
and never raises. A Python that is older than these events is left alone.

A line is a tuple: the file, the file of the code that ran it, whether it lies in a folder of
`sys.path` that belongs to no library.
"""

import os
import sys

MYPY = False
if MYPY:
    from types import FrameType

_LOG = "CBABLATE_WITNESS"
_INSTALLED = ("site-packages", "dist-packages")
_PYTHONS_OWN = os.path.dirname(os.path.realpath(os.__file__))


def _step_aside() -> None:
    """Take the own folder from the path, and import whom Python would have found without it."""
    here = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    own = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", own)


def _listen(log: str) -> None:
    """Write down each file once, from now on."""
    seen = set()  # type: set[str]

    def hook(event: str, arguments: "tuple[object, ...]") -> None:
        if event == "exec":
            file = getattr(arguments[0], "co_filename", "")
        elif event == "import":
            file = arguments[1]  # of an extension
        elif event == "cpython.run_file":
            file = arguments[0]
        else:
            return
        if not isinstance(file, str) or file[:1] in ("", "<") or file in seen:
            return
        seen.add(file)
        try:
            _note(log, os.path.abspath(file), sys._getframe().f_back)
        except Exception:  # noqa: BLE001, S110 - the program is not to notice
            pass

    sys.addaudithook(hook)


def _note(log: str, file: str, frame: "FrameType | None") -> None:
    if _is_library(file):
        return
    line = ascii((file, _caller(frame), any(_holds(each, file) for each in sys.path))) + "\n"
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode("ascii"))
    finally:
        os.close(descriptor)


def _caller(frame: "FrameType | None") -> str:
    """The file whose code asked: Python's own modules and bare text ask for somebody else."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file[:1] not in ("", "<") and not _is_pythons(file):
            return os.path.abspath(file)
        frame = frame.f_back
    return ""


def _holds(entry: str, file: str) -> bool:
    """Whether a folder of the path holds a file, and is neither a library's nor a cache."""
    folder = os.path.abspath(entry or ".")
    inside = file.startswith(folder.rstrip(os.sep) + os.sep)
    return inside and not _is_library(folder) and ".cache" not in folder.split(os.sep)


def _is_library(file: str) -> bool:
    """Whether a file was installed: as a library, or as a program beside this Python."""
    if any(name in file.split(os.sep) for name in _INSTALLED) or _is_pythons(file):
        return True
    return bool(sys.executable) and os.path.dirname(file) == os.path.dirname(sys.executable)


def _is_pythons(file: str) -> bool:
    return os.path.realpath(file).startswith(_PYTHONS_OWN + os.sep) and not any(
        name in file.split(os.sep) for name in _INSTALLED
    )


if __name__ == "sitecustomize":
    try:
        _step_aside()
    finally:
        if _LOG in os.environ and hasattr(sys, "addaudithook"):
            _listen(os.environ[_LOG])
