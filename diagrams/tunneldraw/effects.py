"""What an effect puts out, read from its source: the classes it constructs, in order, with their arguments.

An effect's outputs are the second item of what it returns. They are followed through tuples, unpackings, conditions, local
names, generators and the helper functions that build parts of them; a helper's parameters are replaced by what the effect
gives it, so that the label of a diagram reads like the code in one piece.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import FunctionType
from typing import Any

from tunnelspec.source import definition

ROOM = 64
"""Arguments longer than this are cut to their outermost names."""


@dataclass(frozen=True, slots=True)
class Output:
    """One thing an effect may put out."""

    kind: type[Any]
    arguments: str  # as source text, shortened; without the time, which every output of a moment shares
    condition: str = ""  # put out only if this holds
    each: bool = False  # put out once for each of several
    inner: tuple[type[Any], ...] = ()  # classes named in the arguments: the frame it sends, the timer it sets

    @property
    def text(self) -> str:
        """As it stands on a label."""
        said = f"{self.kind.__name__}({self.arguments})" if self.arguments else self.kind.__name__
        said += "*" if self.each else ""
        return f"{said} if {self.condition}" if self.condition else said


class _Replace(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.names.get(node.id, node)


class _Settle(ast.NodeTransformer):
    """Decides what a constant decides: ``1000 if LIMIT is None else LIMIT`` is ``LIMIT``, and ``LIMIT or ""`` too."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        match node.test:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Is()], comparators=[ast.Constant(value=None)]) if (
                name.isupper()
            ):
                return node.orelse
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        match node:
            case ast.BoolOp(op=ast.Or(), values=[ast.Name(id=name) as first, *_]) if name.isupper():
                return first
        return self.generic_visit(node)


@dataclass(frozen=True, slots=True)
class _Scope:
    globals: Mapping[str, Any]
    given: Mapping[str, ast.expr]  # a helper's parameters: what the effect gives for them
    locals: Mapping[str, ast.expr]  # names assigned so far
    condition: str = ""
    each: bool = False

    def under(self, condition: str) -> _Scope:
        both = f"{self.condition} and {condition}" if self.condition else condition
        return replace(self, condition=both)

    def named(self, node: ast.expr) -> Any:
        if not isinstance(node, ast.Name):
            return None
        return self.globals.get(node.id, getattr(builtins, node.id, None))


@cache
def outputs(effect: Callable[..., Any] | None) -> tuple[Output, ...]:
    """What ``effect`` may put out, in its order, each alike once."""
    if effect is None:
        return ()
    return tuple(dict.fromkeys(_returned(effect, {}, "", False, whole=True)))


def _returned(
    function: Callable[..., Any], names: Mapping[str, ast.expr], condition: str, each: bool, *, whole: bool
) -> Iterator[Output]:
    """What a function returns; with ``whole`` that is a pair, and only its second item counts."""
    assert isinstance(function, FunctionType)
    scope = _Scope(function.__globals__, names, {}, condition, each)
    yield from _statements(definition(function).body, scope, whole)


def _statements(body: Iterable[ast.stmt], scope: _Scope, whole: bool) -> Iterator[Output]:
    locals_ = dict(scope.locals)
    for statement in body:
        here = replace(scope, locals=dict(locals_))
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            locals_[statement.targets[0].id] = statement.value
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            for place, target in enumerate(statement.targets[0].elts):
                if isinstance(target, ast.Name):
                    locals_[target.id] = ast.Subscript(statement.value, ast.Constant(place), ast.Load())
        elif isinstance(statement, ast.If):
            yield from _statements(statement.body, here.under(ast.unparse(statement.test)), whole)
            yield from _statements(statement.orelse, here.under(f"not ({ast.unparse(statement.test)})"), whole)
        elif isinstance(statement, ast.Return) and statement.value is not None:
            yield from _second(statement.value, here) if whole else _found(statement.value, here)


def _second(node: ast.expr, scope: _Scope) -> Iterator[Output]:
    """The outputs of a pair (context, outputs)."""
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        yield from _found(node.elts[1], scope)
    elif isinstance(node, ast.IfExp):
        test = ast.unparse(node.test)
        yield from _second(node.body, scope.under(test))
        yield from _second(node.orelse, scope.under(f"not ({test})"))
    elif isinstance(node, ast.Call) and isinstance(scope.named(node.func), FunctionType):
        yield from _called(scope.named(node.func), node, scope, whole=True)
    elif isinstance(node, ast.Name) and node.id in scope.locals:
        yield from _second(scope.locals[node.id], scope)


def _found(node: ast.expr, scope: _Scope) -> Iterator[Output]:
    match node:
        case ast.Tuple(elts=items):
            for item in items:
                yield from _found(item, scope)
        case ast.Starred(value=value):
            yield from _found(value, scope)
        case ast.BinOp(left=left, right=right):
            yield from _found(left, scope)
            yield from _found(right, scope)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield from _found(body, scope.under(_text(test, scope)))
            yield from _found(orelse, scope.under(_negated(test, scope)))
        case ast.Subscript(value=pair, slice=ast.Constant(value=1)):
            yield from _second(pair, scope)
        case ast.GeneratorExp(elt=item):
            yield from _found(item, replace(scope, each=True))
        case ast.Name(id=name) if name in scope.locals:
            inner = {key: value for key, value in scope.locals.items() if key != name}
            yield from _found(scope.locals[name], replace(scope, locals=inner))
        case ast.Call(func=function, args=args):
            called = scope.named(function)
            if called is tuple and args:
                yield from _found(args[0], scope)
            elif isinstance(called, type):
                yield _output(called, node, scope)
            elif isinstance(called, FunctionType):
                yield from _called(called, node, scope, whole=False)


def _called(function: FunctionType, node: ast.Call, scope: _Scope, *, whole: bool) -> Iterator[Output]:
    names = [argument.arg for argument in definition(function).args.args]
    given = dict(zip(names, node.args, strict=False))
    given.update({keyword.arg: keyword.value for keyword in node.keywords if keyword.arg})
    resolved = {name: _resolved(value, scope) for name, value in given.items()}
    yield from _returned(function, resolved, scope.condition, scope.each, whole=whole)


def _resolved(node: ast.expr, scope: _Scope) -> ast.expr:
    """The expression with the helper's parameters replaced by what it was given."""
    copy = ast.parse(ast.unparse(node), mode="eval").body
    done: ast.expr = _Settle().visit(_Replace(scope.given).visit(copy))
    return done


def _text(node: ast.expr, scope: _Scope) -> str:
    return ast.unparse(_resolved(node, scope))


def _negated(node: ast.expr, scope: _Scope) -> str:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _text(node.operand, scope)
    text = _text(node, scope)
    return f"not {text}" if isinstance(node, ast.Name | ast.Attribute | ast.Call) else f"not ({text})"


def _output(kind: type[Any], node: ast.Call, scope: _Scope) -> Output:
    resolved = _resolved(node, scope)
    assert isinstance(resolved, ast.Call)
    given: list[ast.expr | ast.keyword] = [*resolved.args, *resolved.keywords]
    arguments = [argument for argument in given if ast.unparse(argument) not in ("e.now", "now")]
    text = ", ".join(ast.unparse(argument) for argument in arguments)
    if len(text) > ROOM or "\n" in text:
        text = ", ".join(_short(argument) for argument in arguments)
    inner = tuple(
        found
        for argument in arguments
        for sub in ast.walk(argument)
        if isinstance(sub, ast.Name) and isinstance(found := scope.globals.get(sub.id), type)
    )
    return Output(kind, text, scope.condition, scope.each, inner)


def _short(node: ast.expr | ast.keyword) -> str:
    if isinstance(node, ast.keyword):
        return f"{node.arg}={_short(node.value)}"
    if isinstance(node, ast.Call):
        return f"{ast.unparse(node.func)}(...)"
    text = ast.unparse(node)
    return text if len(text) <= ROOM // 2 else "..."
