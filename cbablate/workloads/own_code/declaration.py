"""What a workload's function must look like, read off its source or off the function itself."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Any

__all__ = ["binds", "misdeclared", "misfit_of"]

_CALLED = "(config, *, seed, budget, workdir)"
_NO_ITERATORS = (
    *(ast.Constant, ast.Dict, ast.List, ast.Set, ast.Tuple, ast.JoinedStr),
    *(ast.ListComp, ast.DictComp, ast.SetComp, ast.Compare, ast.BinOp),
)
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
    if function.decorator_list:
        return ""
    if isinstance(function, ast.AsyncFunctionDef):
        return _asynchronous(name)
    why = _misfit(_signature(function.args), name)
    return why or ("" if _may_yield(function) else _yieldless(name))


def _misfit(signature: inspect.Signature, name: str) -> str:
    """Why a function with this signature cannot be called as a workload is; "" if it can."""
    try:
        signature.bind({}, seed=0, budget=None, workdir=None)
    except TypeError as error:
        return f"'{name}' takes {_shown(signature)}, and is called as {name}{_CALLED}: {error}"
    return ""


def misfit_of(function: Callable[..., Any], name: str) -> str:
    """Why an imported function cannot be called as a workload is; "" if it can.

    For a decorated function that is about what the decorator made. Where that takes anything and
    is wrapped around a function (`functools.wraps`), it hands on what it takes, so the wrapped
    function must fit; a decorator that calls it otherwise says so by parameters of its own.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return _asynchronous(name)
    try:
        signature = inspect.signature(function, follow_wrapped=False)
        while _takes_anything(signature) and callable(getattr(function, "__wrapped__", None)):
            function = function.__wrapped__  # type: ignore[attr-defined]
            signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):  # a function written in C may not tell its parameters
        return ""
    return _misfit(signature, name)


def _takes_anything(signature: inspect.Signature) -> bool:
    kinds = {each.kind for each in signature.parameters.values()}
    return kinds == {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


def _asynchronous(name: str) -> str:
    return f"'{name}' is an async function: a workload is a plain generator of Measurements"


def _yieldless(name: str) -> str:
    return f"'{name}' never yields: a workload is a generator of Measurements, so let it `yield`"


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


def _may_yield(function: _Function) -> bool:
    """Whether a function yields, or returns what could be an iterator."""
    for node in _own_nodes(function):
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Return) and not isinstance(node.value, (NoneType, *_NO_ITERATORS)):
            return True
    return False


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """The nodes of a function's body, those of functions and classes within it left out."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
