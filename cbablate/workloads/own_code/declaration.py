"""What a workload's function must look like, read off its source or off the function itself."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from cbablate.workloads.own_code.decorator import is_declaration

__all__ = ["binds", "misdeclared", "misfit_of", "taken_by"]

_GIVEN = ("config", "seed", "budget", "workdir")
_NO_MEASUREMENTS = (
    *(ast.Constant, ast.List, ast.Set, ast.Tuple, ast.JoinedStr),
    *(ast.ListComp, ast.SetComp, ast.Compare),
)
"""What is neither a mapping nor an iterator."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def binds(tree: ast.Module, name: str) -> bool:
    """Whether a module binds `name`: a def, class, assignment or import, wherever it stands."""
    return any(bound in (name, "*") for node in ast.walk(tree) for bound in _bound(node))


def misdeclared(tree: ast.Module, name: str) -> str:
    """Why the function `name` of a module cannot be a workload, as far as its source tells.

    "" where it can be, or where only importing it would tell: decorated, assigned, imported.
    """
    bound = [node for node in ast.walk(tree) if name in _bound(node)]
    function = bound[0] if len(bound) == 1 else None
    if not isinstance(function, _Function) or function not in tree.body:
        return ""
    if not all(is_declaration(each, tree) for each in function.decorator_list):
        return ""
    if isinstance(function, ast.AsyncFunctionDef):
        return _asynchronous(name)
    why = _misfit(_signature(function.args), name)
    return why or ("" if _may_measure(function) else _measureless(name))


def taken_by(function: Callable[..., Any]) -> tuple[bool, frozenset[str]]:
    """How a function takes a trial: whether its config comes first, without a name, and which of
    config, seed, budget and workdir it takes by name.

    One that cannot be looked at is given all. What takes anything and is wrapped around a
    function (`functools.wraps`) hands on what it takes, so it is about the wrapped one.
    """
    signature = _looked_through(function)
    return (True, frozenset(_GIVEN[1:])) if signature is None else _taken(signature)


def _taken(signature: inspect.Signature) -> tuple[bool, frozenset[str]]:
    kinds = inspect.Parameter
    parameters = list(signature.parameters.values())
    by_name = {
        each.name
        for each in parameters
        if each.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    }
    first = parameters[0] if parameters else None
    positional = first is not None and (
        first.kind in (kinds.POSITIONAL_ONLY, kinds.VAR_POSITIONAL)
        or (first.kind is kinds.POSITIONAL_OR_KEYWORD and first.name not in _GIVEN[1:])
    )
    names = set(_GIVEN) & by_name
    if any(each.kind is kinds.VAR_KEYWORD for each in parameters):
        names |= set(_GIVEN)
    return positional, frozenset(names - {"config"} if positional else names)


def _misfit(signature: inspect.Signature, name: str) -> str:
    """Why a function with this signature cannot be called as a workload is; "" if it can."""
    positional, names = _taken(signature)
    if not positional and "config" not in names:
        return (
            f"'{name}' takes {_shown(signature)}, which has no place for a trial's config: let "
            f"'config' be its first parameter"
        )
    named: dict[str, Any] = dict.fromkeys(names)
    try:
        signature.bind(*([{}] if positional else []), **named)
    except TypeError as error:
        return (
            f"'{name}' takes {_shown(signature)}, and is called with what it takes of config, "
            f"seed, budget and workdir: {error}"
        )
    return ""


def misfit_of(function: Callable[..., Any], name: str) -> str:
    """Why an imported function cannot be called as a workload is; "" if it can.

    For a decorated function that is about what the decorator made. Where that takes anything and
    is wrapped around a function (`functools.wraps`), it hands on what it takes, so the wrapped
    function must fit; a decorator that calls it otherwise says so by parameters of its own.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return _asynchronous(name)
    signature = _looked_through(function)
    return "" if signature is None else _misfit(signature, name)


def _looked_through(function: Callable[..., Any]) -> inspect.Signature | None:
    """A function's signature; None of one that does not tell, as one written in C may not."""
    try:
        signature = inspect.signature(function, follow_wrapped=False)
        while _takes_anything(signature) and callable(getattr(function, "__wrapped__", None)):
            function = function.__wrapped__  # type: ignore[attr-defined]
            signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    return signature


def _takes_anything(signature: inspect.Signature) -> bool:
    kinds = {each.kind for each in signature.parameters.values()}
    return kinds == {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


def _asynchronous(name: str) -> str:
    return f"'{name}' is an async function: a workload is a plain generator of Measurements"


def _measureless(name: str) -> str:
    return (
        f"'{name}' measures nothing: let it `yield` Measurements, call cbablate.report(...) or "
        "return a mapping of metrics"
    )


def _shown(signature: inspect.Signature) -> str:
    bare = [
        each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()
    ]
    return str(inspect.Signature(bare))


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def _signature(arguments: ast.arguments) -> inspect.Signature:
    """The signature that arguments in a syntax tree make, with `...` for every default."""
    kinds = inspect.Parameter
    positional = [*arguments.posonlyargs, *arguments.args]
    without = len(positional) - len(arguments.defaults)
    parameters = [
        kinds(
            one.arg,
            kinds.POSITIONAL_ONLY
            if index < len(arguments.posonlyargs)
            else kinds.POSITIONAL_OR_KEYWORD,
            default=kinds.empty if index < without else ...,
        )
        for index, one in enumerate(positional)
    ]
    if arguments.vararg:
        parameters.append(kinds(arguments.vararg.arg, kinds.VAR_POSITIONAL))
    parameters += [
        kinds(one.arg, kinds.KEYWORD_ONLY, default=kinds.empty if default is None else ...)
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        parameters.append(kinds(arguments.kwarg.arg, kinds.VAR_KEYWORD))
    return inspect.Signature(parameters)


def _may_measure(function: _Function) -> bool:
    """Whether a function yields, returns what could be a mapping or an iterator, or calls what
    could report.
    """
    for node in _own_nodes(function):
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        returned = node.value if isinstance(node, ast.Return) else None
        if returned is not None and not isinstance(returned, _NO_MEASUREMENTS):
            return True
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(not (isinstance(one, ast.Name) and hasattr(builtins, one.id)) for one in calls)


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """The nodes of a function's body, those of functions and classes within it left out."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
