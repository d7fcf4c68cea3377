"""Guards and effects with one small fault in their source: a bound moved by one, a conjunct dropped or turned round."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from tunnelspec.source import definition, result

Function = Callable[..., Any]
Changed = tuple[str, Function]  # what was changed, and what came of it

ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def bounds_moved(function: Function) -> Iterator[Changed]:
    """The function with each of its bounds one higher, and one lower.

    A bound is the right side of an order comparison, a number, or a limit. What a comparison is between is moved once, as a
    whole; places in a queue are no bounds, and a circle with one number more, given to a function, is another arithmetic.
    """
    tree = definition(function)
    for place, node in enumerate(list(ast.walk(tree))):
        for field, index, bound in _bounds(node):
            if _is_bound(tree, node, bound):
                for by in (1, -1):
                    yield _with(function, tree, place, field, index, by)


def conjuncts_changed(guard: Function) -> Iterator[tuple[str, str, Function]]:
    """The guard without each of its conjuncts, and with each turned round: (operator, what, guard). None for a guard of one."""
    whole = result(guard)
    if not (isinstance(whole, ast.BoolOp) and isinstance(whole.op, ast.And)):
        return
    for place, part in enumerate(whole.values):
        others = whole.values[:place] + whole.values[place + 1 :]
        rest: ast.expr = others[0] if len(others) == 1 else ast.BoolOp(ast.And(), others)
        turned = [*whole.values[:place], ast.UnaryOp(ast.Not(), part), *whole.values[place + 1 :]]
        yield "drop-part", ast.unparse(part), _returning(guard, rest)
        yield "negate-part", ast.unparse(part), _returning(guard, ast.BoolOp(ast.And(), turned))


def helpers(function: Function) -> Iterator[Function]:
    """The functions of the same module that it calls, directly or through others, each once."""
    seen: dict[str, Function] = {}
    frontier = [function]
    while frontier:
        here = frontier.pop()
        for node in ast.walk(definition(here)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called: Any = here.__globals__.get(node.func.id)
                ours = isinstance(called, FunctionType) and called.__module__ == function.__module__
                if ours and called.__name__ not in seen:
                    seen[called.__name__] = called
                    frontier.append(called)
    yield from seen.values()


def with_helper(function: Function, name: str, changed: Function) -> Function:
    """The function where the helper of that name is another one, also in what calls it in between."""
    scope = dict(function.__globals__)
    for other in list(scope.values()):
        if isinstance(other, FunctionType) and other.__module__ == function.__module__:
            scope[other.__name__] = _moved(other, scope)
    scope[name] = _moved(changed, scope)
    moved: Function = scope[function.__name__]
    return moved


# -- one change ------------------------------------------------------------------------------------------------------


def _bounds(node: ast.AST) -> Iterator[tuple[str, int | None, ast.expr]]:
    """The expressions in a node that may be bounds: where they stand in it, and what they are."""
    if isinstance(node, ast.Compare):
        if isinstance(node.ops[0], ORDERED) and isinstance(node.left, ast.Constant):
            yield "left", None, node.left
        for index, (op, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if isinstance(op, ORDERED) or _plain(right):
                yield "comparators", index, right
        return
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.Subscript) and field == "slice":
            continue
        items: Iterable[tuple[int | None, Any]] = enumerate(value) if isinstance(value, list) else ((None, value),)
        for position, item in items:
            circle = isinstance(node, ast.Call) and ast.unparse(item).endswith("_modulus")
            if isinstance(item, ast.expr) and _plain(item) and not circle:
                yield field, position, item


def _plain(node: ast.expr) -> bool:
    """A number, or a limit."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lim"


def _is_bound(tree: ast.FunctionDef, node: ast.AST, bound: ast.expr) -> bool:
    """Not inside what a comparison has as a whole: ``a < b + 1`` has one bound."""
    wholes = (
        right
        for compare in ast.walk(tree)
        if isinstance(compare, ast.Compare)
        for op, right in zip(compare.ops, compare.comparators, strict=True)
        if isinstance(op, ORDERED) and right is not bound and not isinstance(right, ast.Call)
    )
    return not any(inner is bound for whole in wholes for inner in ast.walk(whole)) and not isinstance(
        node, ast.arguments
    )


def _with(function: Function, tree: ast.FunctionDef, place: int, field: str, index: int | None, by: int) -> Changed:
    changed = copy.deepcopy(tree)
    parent = list(ast.walk(changed))[place]
    holder = getattr(parent, field)
    before: ast.expr = holder if index is None else holder[index]
    was = ast.unparse(parent) if not isinstance(parent, ast.stmt) else ast.unparse(before)
    after = _shifted(before, by)
    if index is None:
        setattr(parent, field, after)
    else:
        holder[index] = after
    now = ast.unparse(parent) if not isinstance(parent, ast.stmt) else ast.unparse(after)
    return f"{was} -> {now}", _built(function, changed)


def _shifted(node: ast.expr, by: int) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return ast.Constant(node.value + by)
    return ast.BinOp(node, ast.Add() if by > 0 else ast.Sub(), ast.Constant(abs(by)))


def _returning(function: Function, expression: ast.expr) -> Function:
    changed = copy.deepcopy(definition(function))
    changed.body = [ast.Return(expression)]
    return _built(function, changed)


def _built(function: Function, tree: ast.FunctionDef) -> Function:
    """The changed definition, in the module of the function."""
    scope: dict[str, Any] = {}
    code = compile(ast.fix_missing_locations(ast.Module([tree], [])), f"<mutant of {function.__name__}>", "exec")
    exec(code, function.__globals__, scope)
    built: Function = scope[function.__name__]
    return built


def _moved(function: Any, scope: dict[str, Any]) -> Function:
    return FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
