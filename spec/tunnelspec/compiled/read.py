"""Reading a function: its parameters and its statements, if it is plain enough to be written anew in another place."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from tunnelspec.compiled.terms import Refused
from tunnelspec.machine import TableError
from tunnelspec.source import definition


@cache
def body(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[ast.stmt, ...]]:
    """The parameters and statements of a plain function. Raises ``Refused`` for anything else.

    Plain are assignments to names, ``if … : return …``, and a ``return`` at the end. What a function does is read from its
    source, so the source must be what it was compiled from: a decorated function, one from a closure, or one whose code was
    changed since is refused.
    """
    if not isinstance(function, FunctionType) or function.__closure__ or function.__kwdefaults__:
        raise Refused("not a plain function")
    try:
        node = definition(function)
    except (OSError, TypeError, SyntaxError, IndexError, TableError) as error:
        raise Refused(f"its source cannot be read: {error}") from error
    scope: dict[str, Any] = {}
    plain = copy.deepcopy(node)
    plain.args.defaults, plain.returns, plain.decorator_list = [], None, []
    for argument in plain.args.args:
        argument.annotation = None
    exec(compile(ast.Module([plain], []), "<source>", "exec"), scope)
    if node.decorator_list or not _same(scope[node.name].__code__, function.__code__):
        raise Refused("its source is not what it runs")
    statements = tuple(n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)))
    if (
        not all(map(_is_plain, statements[:-1]))
        or not _returns(statements[-1])
        or node.args.kwonlyargs
        or node.args.vararg
    ):
        raise Refused("not straight code")
    return tuple(a.arg for a in node.args.args), statements


def _is_plain(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets):
            return len(targets) == 1
        case ast.If(_, [then], []):
            return _returns(then)
    return False


def _returns(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Return) and statement.value is not None


def _same(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same."""
    if (one.co_code, one.co_names, one.co_varnames) != (other.co_code, other.co_names, other.co_varnames):
        return False
    pairs = list(zip(one.co_consts, other.co_consts, strict=False))
    return len(one.co_consts) == len(other.co_consts) and all(
        _same(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else type(a) is type(b) and a == b
        for a, b in pairs
    )
