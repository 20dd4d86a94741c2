"""`Script`: a training script as its source tells: its arguments, its metrics, what it imports."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
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

    `default` is None where the source does not say it as a number or a text. `why` says why a
    study does not set it. A `switch` is the word of a command that is there or not, `{--no-norm}`.
    """

    name: str
    option: str
    kind: str = "str"
    """What its value is read by, `int` or `float` where it is a number."""
    default: Scalar | None = None
    choices: tuple[Scalar, ...] = ()
    required: bool = False
    switch: str = ""
    why: str = ""


@dataclass(frozen=True)
class Script:
    """What the source of a script tells. `beside` are files and folders of code it imports."""

    path: Path
    arguments: tuple[Argument, ...]
    metrics: tuple[str, ...] = ()
    leaves: tuple[tuple[str, str], ...] = ()
    """Where it seems to leave its numbers: a key of `reads`, and a path."""
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
    if any(_called(call) == "add_subparsers" for call in calls):
        raise UsageError(
            f"{path} has subcommands, and init cannot tell which of them trains, with which "
            "options. Run `cbablate init` for a study to start from, and write the script's words "
            "to its command"
        )
    arguments: dict[str, Argument] = {}
    for call in calls:
        if _called(call) == "add_argument":
            arguments |= {one.name: one for one in _argument(call)}
        elif _called(call) == "set_defaults":
            arguments |= {
                word.arg: _set_default(arguments[word.arg], _literal(word.value))
                for word in call.keywords
                if word.arg in arguments
            }
    if not arguments:
        raise UsageError(
            f"{path} has no `add_argument` of argparse, so init cannot tell its options. Run "
            "`cbablate init` for a study to start from, and write the script's words to its command"
        )
    metrics = dict.fromkeys(name for call in calls for name in _metrics(call))
    beside = dict.fromkeys(name for node in ast.walk(tree) for name in _imported(node, path.parent))
    left = dict.fromkeys(row for node in ast.walk(tree) for row in _left(node))
    return Script(path, tuple(arguments.values()), tuple(metrics), tuple(left), tuple(beside))


def _called(call: ast.Call) -> str:
    return _last(call.func)


def _argument(call: ast.Call) -> Iterator[Argument]:
    """The argument that a call adds; none where its name is computed."""
    words = [_literal(one) for one in call.args]
    names = [word for word in words if isinstance(word, str)]
    said = {one.arg: _literal(one.value) for one in call.keywords if one.arg}
    if not names or len(names) != len(words):
        return
    options = [name for name in names if name.startswith("-")]
    option = next((name for name in options if name.startswith("--")), (options or [""])[0])
    word, default = _switch(option, said)
    if word:
        name = option.removeprefix("--")
        why = "" if default is not None else f'has no plain default: write "{word}" to set it'
        yield Argument(name, option, kind="switch", default=default, switch=word, why=why)
        return
    dest = said.get("dest")
    name = dest if isinstance(dest, str) else (option or names[0]).lstrip("-").replace("-", "_")
    default, choices = said.get("default"), said.get("choices")
    yield Argument(
        name,
        option,
        kind=_kind(call),
        default=default if isinstance(default, Scalar) else None,
        choices=tuple(choices) if isinstance(choices, list | tuple) else (),
        required=said.get("required") is True or not option,
        why=_why(call, said),
    )


def _set_default(one: Argument, default: Any) -> Argument:
    """An argument whose default is said anew, by `set_defaults`."""
    if one.switch:
        return replace(one, switch="", why="has another default by `set_defaults`: it keeps that")
    return replace(one, default=default if isinstance(default, Scalar) else None)


def _switch(option: str, said: Mapping[str, Any]) -> tuple[str, bool | None]:
    """The word of a command for an option that takes no value, and whether it is there by default.

    "" where it takes one, has no name with two dashes, or makes no difference.
    """
    action, default = said.get("action"), said.get("default")
    if not option.startswith("--"):
        return "", None
    if action in ("store_true", "store_false"):
        idle = default is (action == "store_true")
        return ("" if idle else f"{{{option}}}"), False
    if isinstance(action, ast.AST) and _last(action) == "BooleanOptionalAction":
        off = f"--no-{option.removeprefix('--')}"
        return f"{{{option}|{off}}}", default if isinstance(default, bool) else None
    return "", None


def _why(call: ast.Call, said: Mapping[str, Any]) -> str:
    """Why a study does not set an argument that is no switch; "" where it can."""
    if said.get("action", "store") != "store":
        return "has no value: add its word to the command if every arm is to have it"
    if "nargs" in said:
        return "takes several values: add its words to the command"
    if _kind(call) == "bool":
        return "is read by bool(), to which every text is true, `false` too: no study can set it"
    if isinstance(said.get("default"), bool):
        return f"is {said['default']} if nothing is said, and a study could only write it as a text"
    return ""


def _last(node: ast.AST) -> str:
    """The last name of a dotted one: `b` of `a.b`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


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


def _left(node: ast.AST) -> Iterator[tuple[str, str]]:
    """A file that the source names and that may hold numbers, or a tracker that it starts."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        path = PurePath(node.value)
        if path.name == node.value.rpartition("/")[2] and path.suffix in (".csv", ".jsonl"):
            yield path.suffix[1:], path.name
    elif isinstance(node, ast.Call) and _last(node.func) == "SummaryWriter":
        yield "tensorboard", "."
    elif isinstance(node, ast.Import):
        yield from (("wandb", ".") for alias in node.names if alias.name == "wandb")
        yield from (("mlflow", "mlruns") for alias in node.names if alias.name == "mlflow")


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
