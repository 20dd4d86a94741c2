"""`Script`: a training script as its source tells: its arguments, its metrics, what it imports."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbablate.errors import EnvironmentFault, UsageError

__all__ = ["Argument", "Script", "read_script"]

Scalar = str | int | float | bool
_DICTS = {"report", "log", "log_metrics", "log_dict"}
"""What functions are called that take a mapping of metrics."""
_NAMES = {"add_scalar", "log_metric", "log"}
"""What functions are called whose first word names a metric."""


@dataclass(frozen=True)
class Argument:
    """An argument of argparse. `option` is the word before its value, "" where it has none.

    `default` is None where the source does not say it as a number or a text; `why` says then why
    no study can set it, unless it is required.
    """

    name: str
    option: str
    kind: str = "str"
    """What its value is read by, `int` or `float` where it is a number."""
    default: Scalar | None = None
    choices: tuple[Scalar, ...] = ()
    required: bool = False
    why: str = ""


@dataclass(frozen=True)
class Script:
    """What the source of a script tells. `beside` are files and folders of code it imports."""

    path: Path
    arguments: tuple[Argument, ...]
    metrics: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def read_script(path: Path) -> Script:
    """A script as its source tells; it is neither imported nor run.

    Raises:
        EnvironmentFault: it cannot be read.
        UsageError: it is no Python, or has no argument of argparse.
    """
    try:
        with tokenize.open(path) as source:
            tree = ast.parse(source.read(), str(path))
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as Python: {error}") from error
    return _told(tree, path)


def _told(tree: ast.Module, path: Path) -> Script:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    found = [one for call in calls if _called(call) == "add_argument" for one in _argument(call)]
    arguments = {one.name: one for one in found}
    if not arguments:
        raise UsageError(
            f"{path} has no `add_argument` of argparse, so init cannot tell its options. Run "
            "`cbablate init` for a study to start from, and write the script's words to its command"
        )
    metrics = dict.fromkeys(name for call in calls for name in _metrics(call))
    beside = dict.fromkeys(name for node in ast.walk(tree) for name in _imported(node, path.parent))
    return Script(path, tuple(arguments.values()), tuple(metrics), tuple(beside))


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _argument(call: ast.Call) -> Iterator[Argument]:
    """The argument that a call adds; none where its name is computed."""
    words = [_literal(one) for one in call.args]
    names = [word for word in words if isinstance(word, str)]
    said = {one.arg: _literal(one.value) for one in call.keywords if one.arg}
    if not names or len(names) != len(words):
        return
    options = [name for name in names if name.startswith("-")]
    option = next((name for name in options if name.startswith("--")), (options or [""])[0])
    dest = said.get("dest")
    name = dest if isinstance(dest, str) else (option or names[0]).lstrip("-").replace("-", "_")
    required = said.get("required") is True or not option
    default, action = said.get("default"), said.get("action", "store")
    choices = said.get("choices")
    why = ""
    if action != "store":
        why = "has no value: add its word to the command if every arm is to have it"
    elif "nargs" in said:
        why = "takes several values: add its words to the command"
    elif not isinstance(default, Scalar) and not required:
        why = "has no default that the source says plainly: add it to the command and the baseline"
    yield Argument(
        name,
        option,
        kind=_kind(call),
        default=default if isinstance(default, Scalar) and not why else None,
        choices=tuple(choices) if isinstance(choices, list | tuple) else (),
        required=required,
        why=why,
    )


def _kind(call: ast.Call) -> str:
    found = (one.value for one in call.keywords if one.arg == "type")
    return next((one.id for one in found if isinstance(one, ast.Name)), "str")


def _metrics(call: ast.Call) -> Iterator[str]:
    """The names of metrics that a call tells: `report({"val/loss": x})`, `log("val/loss", x)`."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Dict) and _called(call) in _DICTS:
        keys = [_literal(key) for key in first.keys if key is not None]
        yield from (key for key in keys if isinstance(key, str))
    name = None if first is None else _literal(first)
    if isinstance(name, str) and _called(call) in _NAMES and len(call.args) > 1:
        yield name


def _imported(node: ast.AST, folder: Path) -> Iterator[str]:
    """Files and folders beside the script that a statement imports."""
    names = list[str]()
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module]
    for name in names:
        first = name.partition(".")[0]
        if (folder / f"{first}.py").is_file():
            yield f"{first}.py"
        elif (folder / first).is_dir() and any((folder / first).glob("*.py")):
            yield f"{first}/"


def _literal(node: ast.expr) -> Any:
    """The value that an expression says plainly; the expression itself where it is computed."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return node
