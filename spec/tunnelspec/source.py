"""The source text of guards and effects: a diagram's label *is* the code, and reports can say which part of a guard failed."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any

from tunnelspec.limits import Limits
from tunnelspec.machine import Guard, TableError


@cache
def definition(function: Callable[..., Any]) -> ast.FunctionDef:
    """The parsed definition of a guard or effect. Raises ``TableError`` for anything but a plain ``def``."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(node, ast.FunctionDef):
        raise TableError(f"{function.__name__} is not a plain function")
    return node


@cache
def result(function: Callable[..., Any]) -> ast.expr:
    """What a guard returns, as an expression. Raises ``TableError`` unless its body is one ``return``."""
    body = [n for n in definition(function).body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        raise TableError(f"guard {function.__name__}: its body must be one return")
    return body[0].value


def text(guard: Guard) -> str:
    """The guard's condition as it stands in the code."""
    return ast.unparse(result(guard))


@cache
def parts(guard: Guard) -> tuple[str, ...]:
    """The conjuncts of a guard, outermost ``and`` only, each as source text."""
    node = result(guard)
    values = node.values if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]
    return tuple(ast.unparse(value) for value in values)


def failing(guard: Guard, context: Any, event: Any, limits: Limits) -> tuple[str, ...]:
    """The conjuncts that do not hold, for a report that says why a transition was not taken.

    A conjunct may mean something only where those before it hold (``len(c.pending) > 0 and c.pending[0] …``): it is left out
    where one of them fails and it cannot be evaluated.
    """
    names = [a.arg for a in definition(guard).args.args]
    scope = dict(zip(names, (context, event, limits), strict=True))
    found: list[str] = []
    for part in parts(guard):
        try:
            holds = eval(part, guard.__globals__, scope)
        except Exception:
            if not found:
                raise
            continue
        if not holds:
            found.append(part)
    return tuple(found)
