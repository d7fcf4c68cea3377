"""How a guard came to its answer: which of its conditions held, which did not, and which were not asked.

A guard is a boolean expression; its conditions are the comparisons in it, those of the guards that it calls included. A case for
each way in which a guard can come to its answer tests every condition, both ways.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from typing import Any

from tunnelspec.limits import Limits
from tunnelspec.machine import Guard, TableError
from tunnelspec.source import definition, result

Conditions = tuple[bool | None, ...]


class _Watched(ast.NodeTransformer):
    """Rewrites an expression so that each condition in it reports its value."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope
        self.texts: list[str] = []

    def rewrite(self, node: ast.expr, rename: dict[str, ast.expr]) -> ast.expr:
        if isinstance(node, ast.BoolOp):
            return ast.BoolOp(node.op, [self.rewrite(value, rename) for value in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ast.UnaryOp(node.op, self.rewrite(node.operand, rename))
        called = self._called(node)
        if called is not None and isinstance(node, ast.Call):
            names = [a.arg for a in definition(called).args.args]
            arguments = [_Renamed(rename).visit(argument) for argument in node.args]
            return self.rewrite(result(called), dict(zip(names, arguments, strict=True)))
        renamed = _Renamed(rename).visit(ast.parse(ast.unparse(node), mode="eval").body)
        self.texts.append(ast.unparse(renamed))
        watch = ast.Name("_watch", ast.Load())
        return ast.Call(watch, [ast.Constant(len(self.texts) - 1), renamed], [])

    def _called(self, node: ast.expr) -> Callable[..., Any] | None:
        """The guard that is called, if its body is one ``return`` of conditions."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            return None
        function = self.scope.get(node.func.id)
        try:
            body = result(function) if function is not None else None
        except (TableError, TypeError, OSError):
            return None
        return function if isinstance(body, ast.BoolOp | ast.Compare) else None


class _Renamed(ast.NodeTransformer):
    def __init__(self, rename: dict[str, ast.expr]) -> None:
        self._rename = rename

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._rename.get(node.id, node)


@cache
def _compiled(guard: Guard) -> tuple[Any, tuple[str, ...]] | None:
    try:
        node = result(guard)
    except (TableError, TypeError, OSError):
        return None  # a deviation's, which is not a plain function
    watched = _Watched(guard.__globals__)
    body = watched.rewrite(node, {})
    names = [a.arg for a in definition(guard).args.args]
    arguments = ast.arguments([], [ast.arg(name) for name in ("_watch", *names)], None, [], [], None, [])
    tree = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, body)))
    return eval(compile(tree, "<guard>", "eval"), guard.__globals__), tuple(watched.texts)


def texts(guard: Guard) -> tuple[str, ...]:
    """The guard's conditions, as source."""
    compiled = _compiled(guard)
    return () if compiled is None else compiled[1]


def conditions(guard: Guard, context: Any, event: Any, limits: Limits) -> Conditions:
    """What each of the guard's conditions came to; None for those that were not asked."""
    compiled = _compiled(guard)
    if compiled is None:
        return ()
    call, names = compiled
    values: list[bool | None] = [None] * len(names)

    def watch(place: int, value: Any) -> bool:
        values[place] = bool(value)
        return bool(value)

    call(watch, context, event, limits)
    return tuple(values)


def letters(values: Conditions) -> str:
    """The values in a word: y, n, and - for what was not asked."""
    return "".join("-" if value is None else "ny"[value] for value in values)
