"""Why an action is not possible: the part of a stage's own code that says so, with the values of what it compares.

A stage refuses by giving None. Its code is read, not restated: the statements are followed to the ``return`` that gives None, and
the condition that led there is taken apart at its outermost ``or``: what is true of it forbids the action.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunnelcheck.explain import label, short
from tunnelspec.source import definition
from tunnelspec.system import Action, Stage

Scope = dict[str, Any]


def refusal(action: Action, world: Mapping[str, Any]) -> tuple[str, ...]:
    """Why ``action`` is not possible in ``world``; () if it is."""
    scratch = dict(world)
    for stage in action.stages:
        reads = tuple(scratch[name] for name in stage.reads)
        writes = stage(*reads)
        if writes is None:
            return tuple(f"{text}{facts}" for text, facts in reasons(stage, reads))
        scratch |= zip(stage.writes, writes, strict=True)
    return ()


def reasons(stage: Stage, reads: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """What forbids a stage that gave None for ``reads``: source text, and the values in it."""
    node = definition(stage.do)
    names = [a.arg for a in node.args.args]
    scope = {**stage.do.__globals__, **dict(zip(names, (*stage.given, *reads), strict=True))}
    local = set(names)
    for condition in _conditions(node.body, scope, local):
        yield ast.unparse(condition), _facts(condition, scope, local)


def _conditions(body: Sequence[ast.stmt], scope: Scope, local: set[str]) -> Iterator[ast.expr]:
    """The conditions that lead to the ``return None`` that these statements reach."""
    for statement in body:
        if isinstance(statement, ast.If):
            branch = statement.body if _value(statement.test, scope) else statement.orelse
            ends = [s for s in branch if isinstance(s, ast.Return)]
            if ends:
                yield from _of(ends[0], scope, [*_true(statement.test, scope)])
                return
            yield from _conditions(branch, scope, local)
        elif isinstance(statement, ast.Return):
            yield from _of(statement, scope, [])
            return
        elif isinstance(statement, ast.Assign):
            exec(ast.unparse(statement), scope)
            local |= {n.id for target in statement.targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _of(end: ast.Return, scope: Scope, led: list[ast.expr]) -> Iterator[ast.expr]:
    value = end.value
    if isinstance(value, ast.IfExp):
        led = [*_true(value.test, scope)] if _value(value.test, scope) else [*_false(value.test, scope)]
    yield from led


def _true(test: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """The parts of a disjunction that hold."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        for part in test.values:
            try:
                if _value(part, scope):
                    yield from _true(part, scope)
            except Exception:  # a part that an earlier part guards
                continue
    else:
        yield test


def _false(test: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """The negations of a conjunction's parts that do not hold."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for part in test.values:
            if not _value(part, scope):
                yield from _false(part, scope)
                return
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _true(test.operand, scope)
    else:
        yield ast.UnaryOp(ast.Not(), test)


def _facts(node: ast.expr, scope: Scope, local: set[str]) -> str:
    """The values of what a condition compares, where its own words do not tell them."""
    found: dict[str, str] = {}
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Compare):
            continue
        for side in (inner.left, *inner.comparators):
            used = {n.id for n in ast.walk(side) if isinstance(n, ast.Name)}
            if used and used <= local:
                found[ast.unparse(side)] = _shown(_value(side, scope))
    return f" ({', '.join(f'{text} = {value}' for text, value in found.items())})" if found else ""


def _shown(value: Any) -> str:
    return label(value) if hasattr(value, "__dataclass_fields__") else short(value)


def _value(node: ast.expr, scope: Scope) -> Any:
    return eval(ast.unparse(node), scope)
