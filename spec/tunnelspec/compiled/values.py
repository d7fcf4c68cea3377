"""Guards and effects as straight code: each expression of the tables becomes a local, once, and helpers are read in place.

Guards and effects are pure, so an expression that was worked out on the way here has the same value still, whichever guard or
effect asks again. What must not be worked out too early is not: what stands behind an ``or`` or an ``if`` is left as it stands,
or the condition is decided first (``Fork``).
"""

from __future__ import annotations

import ast
import builtins
import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from tunnelspec.compiled.forms import (
    class_of,
    field_names,
    is_named_tuple,
    is_plain_dataclass,
)
from tunnelspec.compiled.places import ARITHMETIC, Places
from tunnelspec.compiled.read import body
from tunnelspec.compiled.terms import (
    Atom,
    Block,
    Fork,
    Known,
    Made,
    Refused,
    Run,
    Scope,
    Several,
    Term,
    made,
)
from tunnelspec.fifo import Fifo, view

EMPTY: Fifo[Any] = Fifo()


class Values(Places, ABC):
    """Writes expressions into blocks."""

    @abstractmethod
    def decided(self, test: ast.expr, scope: Scope, block: Block) -> bool | None:
        """Whether a condition holds, if that is known here without any more code."""

    @abstractmethod
    def loop(self, function: Any, arguments: list[ast.expr], scope: Scope, block: Block) -> Term:
        """What a function makes of a generator expression."""

    def value(self, node: ast.expr, scope: Scope, block: Block) -> Term:
        """What an expression is worth. Raises ``Refused``; ``Fork`` where that depends on a condition."""
        match node:
            case ast.Constant(value):
                return Known(value)
            case ast.Name(name):
                return self.name(name, scope)
            case ast.Attribute(base, name):
                return self.attribute(self.value(base, scope, block), name, block)
            case ast.Tuple(items):
                return self._tuple(items, scope, block)
            case ast.GeneratorExp():
                return self.loop(tuple, [node], scope, block)
            case ast.BinOp(left, op, right) if type(op) in ARITHMETIC:
                one, other = self.value(left, scope, block), self.value(right, scope, block)
                return self.arithmetic(type(op), one, other, block)
            case ast.UnaryOp(ast.USub(), ast.Constant(int(number))):
                return Known(-number)
            case ast.BoolOp(op, [first, *rest]) if rest:
                return self._either(node, type(op), first, rest, scope, block)
            case ast.Subscript(base, ast.Slice(ast.expr() as start, ast.expr() as stop, None)):
                of = self.value(base, scope, block)
                return self.part(of, self.value(start, scope, block), self.value(stop, scope, block), block)
            case ast.Subscript(base, place) if not isinstance(place, ast.Slice):
                return self.item(self.value(base, scope, block), self.value(place, scope, block), block)
            case ast.Call(ast.Attribute(base, name), arguments, keywords):
                return self._method(self.value(base, scope, block), name, arguments, keywords, scope, block)
            case ast.Call(called, arguments, keywords):
                return self._call(self.value(called, scope, block), arguments, keywords, scope, block)
            case ast.IfExp(test, yes, no):
                holds = self.decided(test, scope, block)
                if holds is None and block.around is None and _is_worth_a_fork(yes, no):
                    raise Fork(test, scope)
                return (
                    self.as_it_stands(node, scope, block)
                    if holds is None
                    else self.value(yes if holds else no, scope, block)
                )
        return self.as_it_stands(node, scope, block)

    def inline(self, function: Callable[..., Any], arguments: tuple[Term, ...], block: Block) -> Term:
        """What a plain function returns. Raises ``Refused``."""
        call = (function, *((type(getattr(term, "value", None)), term) for term in arguments))
        try:
            hash(call)
        except TypeError:
            call = (object(),)  # of what has no hash nothing is remembered
        if call not in block.done:
            last, scope = self.enter(function, arguments, block)
            block.done[call] = self.value(last, scope, block)
        return block.done[call]

    def enter(self, function: Callable[..., Any], arguments: tuple[Term, ...], block: Block) -> tuple[ast.expr, Scope]:
        """Write all of a function but what it returns."""
        parameters, statements = body(function)
        assert isinstance(function, FunctionType)
        defaults = function.__defaults__ or ()
        missing = len(parameters) - len(arguments)
        if not 0 <= missing <= len(defaults):
            raise Refused("called with other arguments")
        arguments += tuple(map(Known, defaults[len(defaults) - missing :]))
        locals_ = dict(zip(parameters, arguments, strict=True))
        scope = Scope(locals_, function.__globals__)
        for statement in statements:
            match statement:
                case ast.Return(ast.expr() as last):
                    return last, scope
                case ast.If(test, [ast.Return(ast.expr() as last)]):
                    holds = self.decided(test, scope, block)
                    if holds is None and block.around is not None:
                        raise Refused("depends on an item of a loop")
                    if holds is None:
                        raise Fork(test, Scope(dict(locals_), scope.globals))
                    if holds:
                        return last, scope
                case ast.Assign([target], value):
                    self._assign(target, self.value(value, scope, block), locals_)
        raise Refused("returns nothing")

    @staticmethod
    def _assign(target: ast.expr, value: Term, locals_: dict[str, Term]) -> None:
        match target:
            case ast.Name(name):
                locals_[name] = value
            case ast.Tuple(targets) if isinstance(value, Several) and len(targets) == len(value.items):
                for one, item in zip(targets, value.items, strict=True):
                    if not isinstance(one, ast.Name) or isinstance(item, Run):
                        raise Refused("a nested target")
                    locals_[one.id] = item
            case _:
                raise Refused("an assignment to no name")

    def _tuple(self, nodes: list[ast.expr], scope: Scope, block: Block) -> Term:
        items: list[Term] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items += self.run(self.value(node.value, scope, block), block)
            else:
                items.append(self.value(node, scope, block))
        if items and all(isinstance(item, Known) for item in items):
            return Known(tuple(item.value for item in items if isinstance(item, Known)))
        return Several(tuple(items))

    def _either(
        self, node: ast.BoolOp, op: type[ast.boolop], first: ast.expr, rest: list[ast.expr], scope: Scope, block: Block
    ) -> Term:
        one = self.value(first, scope, block)
        if not isinstance(one, Known):
            return self.as_it_stands(node, scope, block)
        if bool(one.value) is (op is ast.Or):
            return one
        return self.value(rest[0] if len(rest) == 1 else ast.BoolOp(op(), rest), scope, block)

    def _method(
        self, base: Term, name: str, arguments: list[ast.expr], keywords: list[ast.keyword], scope: Scope, block: Block
    ) -> Term:
        if isinstance(base, Known):
            return self._call(Known(getattr(base.value, name)), arguments, keywords, scope, block)
        positional, named = self.arguments(arguments, keywords, scope, block)
        cls = class_of(self.hint(base))
        fields = field_names(cls)
        if name == "_replace" and cls is not None and fields and not positional and set(named) <= set(fields):
            return Made(cls, {f: named[f] if f in named else self.attribute(base, f, block) for f in fields})
        if cls is Fifo and not named and self.is_read(getattr(Fifo, name)):
            return self.inline(getattr(Fifo, name), (base, *positional), block)
        if isinstance(base, Made) and base.fields.get("_items") in [Atom(name) for name in self.lists]:
            raise Refused("goes on with a queue that is made here")  # what is read of its list must not change
        result = self.local(f"{self.text(base, block)}.{name}({self._given(positional, named, block)})", name, block)
        if cls is Fifo and name == "append" and len(positional) == 1:
            self.newest[result.text] = positional[0]
            self.types[result.text] = self.hint(base)
        return result

    def _call(
        self, called: Term, arguments: list[ast.expr], keywords: list[ast.keyword], scope: Scope, block: Block
    ) -> Term:
        if not isinstance(called, Known):
            raise Refused("calls what is not known")
        function = called.value
        if arguments and isinstance(arguments[0], ast.GeneratorExp) and not keywords:
            return self.loop(function, arguments, scope, block)
        positional, named = self.arguments(arguments, keywords, scope, block)
        if is_named_tuple(function) or is_plain_dataclass(function):
            return made(function, positional, named)
        if not named:
            match function, positional:
                case builtins.type, (Made(cls),):
                    return Known(cls)
                case builtins.type, (Atom(text),) if text in self.exact:
                    return Known(self.exact[text])
                case builtins.len, (term,):
                    return self.length(term, block)
                case builtins.tuple, (Run() as run,):
                    return run
                case builtins.min, (one, other):
                    one_, other_ = self.text(one, block), self.text(other, block)
                    return self.local(f"({other_} if {other_} < {one_} else {one_})", "least", block)
            if function is Fifo and not positional:
                return Known(EMPTY)
            if function is view:
                return Made(Fifo, dict(zip(Fifo.__slots__, positional, strict=True)))
            if self.is_read(function):
                return self.inline(function, positional, block)
        text = f"{self.names.of(function)}({self._given(positional, named, block)})"
        return self.local(text, getattr(function, "__name__", "called"), block)

    @staticmethod
    def is_read(function: Any) -> bool:
        """Whether it is a function that can be written in place."""
        try:
            body(function)
        except (Refused, TypeError):
            return False
        return True

    def arguments(
        self, arguments: list[ast.expr], keywords: list[ast.keyword], scope: Scope, block: Block
    ) -> tuple[tuple[Term, ...], dict[str, Term]]:
        """What a call is given."""
        if any(isinstance(a, ast.Starred) for a in arguments) or any(k.arg is None for k in keywords):
            raise Refused("so many arguments as there are")
        positional = tuple(self.value(a, scope, block) for a in arguments)
        return positional, {str(k.arg): self.value(k.value, scope, block) for k in keywords}

    def _given(self, positional: tuple[Term, ...], named: Mapping[str, Term], block: Block) -> str:
        texts = [self.text(term, block) for term in positional]
        return ", ".join(texts + [f"{name}={self.text(term, block)}" for name, term in named.items()])

    def as_it_stands(self, node: ast.expr, scope: Scope, block: Block) -> Term:
        """An expression whose parts are not to be worked out before it is: only its names are replaced."""
        bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        if any(isinstance(n, (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield)) for n in ast.walk(node)):
            raise Refused(type(node).__name__)
        text = f"({ast.unparse(_Replace(self, scope, block, bound).visit(copy.deepcopy(node)))})"
        return Atom(text) if isinstance(node, ast.GeneratorExp) else self.local(text, "value", block)


def _is_worth_a_fork(yes: ast.expr, no: ast.expr) -> bool:
    """Whether it pays to know which of two expressions is wanted: they are work, or two numbers, and known then."""
    parts = [part for node in (yes, no) for part in ast.walk(node)]
    return any(isinstance(part, ast.Tuple | ast.Call | ast.Subscript) for part in parts) or all(
        isinstance(part, ast.Constant | ast.UnaryOp | ast.USub) for part in parts
    )


class _Replace(ast.NodeTransformer):
    def __init__(self, values: Values, scope: Scope, block: Block, bound: set[str]) -> None:
        self.values, self.scope, self.block, self.bound = values, scope, block, bound

    def _put(self, term: Term) -> ast.expr:
        return ast.parse(self.values.text(term, self.block), mode="eval").body

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in self.scope.locals and node.value.id not in self.bound:
            return self._put(self.values.value(node, self.scope, self.block))
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.bound:
            return node
        return self._put(self.values.name(node.id, self.scope))
