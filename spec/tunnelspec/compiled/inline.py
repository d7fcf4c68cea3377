"""Guards and effects as straight code: each expression of the tables becomes a local, once, and helpers are read in place.

Guards and effects are pure, so an expression that was worked out on the way here has the same value still, whichever guard or
effect asks again. What must not be worked out too early is not: the parts of an ``and`` are decided one after the other, and
what stands behind an ``or``, an ``if`` or in a comprehension is left as it stands.
"""

from __future__ import annotations

import ast
import builtins
import copy
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from tunnelspec.compiled.forms import open_form
from tunnelspec.compiled.terms import (
    Atom,
    Block,
    Fork,
    Known,
    Made,
    Names,
    Refused,
    Several,
    Term,
    field_names,
    is_named_tuple,
    is_plain_dataclass,
    made,
)
from tunnelspec.machine import TableError
from tunnelspec.source import definition

Then = Callable[[Block], None]
ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Mod: ("%", operator.mod),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.BitAnd: ("&", operator.and_),
    ast.Pow: ("**", operator.pow),
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool], bool, bool]] = {
    # how it is written, what it does, whether its sides change places, whether it is the opposite
    ast.Lt: ("<", operator.lt, False, False),
    ast.Gt: ("<", operator.lt, True, False),
    ast.GtE: ("<", operator.lt, False, True),
    ast.LtE: ("<", operator.lt, True, True),
    ast.Eq: ("==", operator.eq, False, False),
    ast.NotEq: ("==", operator.eq, False, True),
    ast.Is: ("is", operator.is_, False, False),
    ast.IsNot: ("is", operator.is_, False, True),
    ast.In: ("in", lambda a, b: a in b, False, False),
    ast.NotIn: ("in", lambda a, b: a in b, False, True),
}
"""Comparisons are brought to four, so that a condition and its opposite are recognised: numbers here are whole, and ordered."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names in a function mean."""

    locals: Mapping[str, Term]
    globals: Mapping[str, Any]


@cache
def body(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[ast.stmt, ...]]:
    """The parameters and statements of a plain function of straight code. Raises ``Refused`` for anything else.

    What a function does is read from its source, so the source must be what it was compiled from: a decorated function, one
    from a closure, or one whose code was changed since is refused.
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
    straight = all(isinstance(n, ast.Assign) and len(n.targets) == 1 for n in statements[:-1])
    if not straight or not isinstance(statements[-1], ast.Return) or node.args.kwonlyargs or node.args.vararg:
        raise Refused("not straight code")
    return tuple(a.arg for a in node.args.args), statements


def _same(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same."""
    if (one.co_code, one.co_names, one.co_varnames) != (other.co_code, other.co_names, other.co_varnames):
        return False
    pairs = list(zip(one.co_consts, other.co_consts, strict=False))
    return len(one.co_consts) == len(other.co_consts) and all(
        _same(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else type(a) is type(b) and a == b
        for a, b in pairs
    )


class Inliner:
    """Writes expressions into blocks."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.types: dict[str, type[Any]] = {}  # a local -> its class, where that is known
        self._newest: dict[str, Term] = {}  # a queue -> what was appended to it last
        self._lengths: set[str] = set()  # the locals that are lengths

    # -- values ------------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr, scope: Scope, block: Block) -> Term:
        """What an expression is worth. Raises ``Refused``."""
        match node:
            case ast.Constant(value):
                return Known(value)
            case ast.Name(name):
                return self._name(name, scope)
            case ast.Attribute(base, name):
                return self._attribute(self.value(base, scope, block), name, block)
            case ast.Tuple(items):
                return self._tuple(items, scope, block)
            case ast.BinOp(left, op, right) if type(op) in ARITHMETIC:
                return self._arithmetic(
                    type(op), self.value(left, scope, block), self.value(right, scope, block), block
                )
            case ast.UnaryOp(ast.USub(), ast.Constant(int(number))):
                return Known(-number)
            case ast.Subscript(base, place) if not isinstance(place, ast.Slice):
                return self._item(self.value(base, scope, block), self.value(place, scope, block), block)
            case ast.Call(ast.Attribute(base, name), arguments, keywords):
                return self._method(self.value(base, scope, block), name, arguments, keywords, scope, block)
            case ast.Call(called, arguments, keywords):
                return self._call(self.value(called, scope, block), arguments, keywords, scope, block)
            case ast.IfExp(test, yes, no):
                holds = self._decided(test, scope, block)
                if holds is None and (isinstance(yes, ast.Tuple) or isinstance(no, ast.Tuple)):
                    holds = self._told(test, scope, block)
                return (
                    self._as_it_stands(node, scope, block)
                    if holds is None
                    else self.value(yes if holds else no, scope, block)
                )
            case _:
                return self._as_it_stands(node, scope, block)

    def inline(self, function: Callable[..., Any], arguments: tuple[Term, ...], block: Block) -> Term:
        """What a function of straight code returns. Raises ``Refused``."""
        last, scope = self._enter(function, arguments, block)
        return self.value(last, scope, block)

    def text(self, term: Term, block: Block) -> str:
        """The value at hand: what is not built yet is built now, once."""
        match term:
            case Atom(text):
                return text
            case Known(value):
                return self.names.of(value)
            case Several(items):
                return f"({''.join(self.text(item, block) + ', ' for item in items)})"
            case Made(cls, fields):
                if term not in block.built:
                    if all(
                        isinstance(field, Known) for field in fields.values()
                    ):  # one object serves: it cannot change
                        made_now = cls(
                            **{name: field.value for name, field in fields.items() if isinstance(field, Known)}
                        )
                        block.built[term] = self.names.of(made_now)
                    else:
                        block.built[term] = self._build(cls, fields, block)
                return block.built[term]

    def _enter(self, function: Callable[..., Any], arguments: tuple[Term, ...], block: Block) -> tuple[ast.expr, Scope]:
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
        for statement in statements[:-1]:
            assert isinstance(statement, ast.Assign)
            value = self.value(statement.value, scope, block)
            match statement.targets[0]:
                case ast.Name(name):
                    locals_[name] = value
                case ast.Tuple(targets) if isinstance(value, Several) and len(targets) == len(value.items):
                    for target, item in zip(targets, value.items, strict=True):
                        if not isinstance(target, ast.Name):
                            raise Refused("a nested target")
                        locals_[target.id] = item
                case _:
                    raise Refused("an assignment to no name")
        last = statements[-1]
        assert isinstance(last, ast.Return)
        if last.value is None:
            raise Refused("returns nothing")
        return last.value, scope

    def _name(self, name: str, scope: Scope) -> Term:
        if name in scope.locals:
            return scope.locals[name]
        if name in scope.globals:
            return Known(scope.globals[name])
        if hasattr(builtins, name):
            return Known(getattr(builtins, name))
        raise Refused(f"{name} is nowhere")

    def _attribute(self, base: Term, name: str, block: Block) -> Term:
        match base:
            case Made(_, fields) if name in fields:
                return fields[name]
            case Known(value):
                return Known(getattr(value, name))
            case Atom(text):
                local = self._local(f"{text}.{name}", name, block)
                if local.text not in self.types and f"{text}.{name}" in self.types:
                    self.types[local.text] = self.types[f"{text}.{name}"]
                return local
        raise Refused(f"no field {name}")

    def _item(self, base: Term, place: Term, block: Block) -> Term:
        match base, place:
            case Several(items), Known(int(at)) if -len(items) <= at < len(items):
                return items[at]
            case Atom(text), Known(-1) if text in self._newest:
                return self._newest[text]  # the law of a queue: what was appended last is its last
            case (Atom(), _):
                return self._local(f"{self.text(base, block)}[{self.text(place, block)}]", "item", block)
        raise Refused("no such item")

    def _tuple(self, nodes: list[ast.expr], scope: Scope, block: Block) -> Term:
        items: list[Term] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                several = self.value(node.value, scope, block)
                if isinstance(several, Known) and isinstance(several.value, tuple):
                    several = Several(tuple(map(Known, several.value)))
                if not isinstance(several, Several):
                    raise Refused("so many items as there are")
                items += several.items
            else:
                items.append(self.value(node, scope, block))
        if items and all(isinstance(item, Known) for item in items):
            return Known(tuple(item.value for item in items if isinstance(item, Known)))
        return Several(tuple(items))

    def _arithmetic(self, op: type[ast.operator], left: Term, right: Term, block: Block) -> Term:
        sign, work = ARITHMETIC[op]
        if isinstance(left, Known) and isinstance(right, Known):
            return Known(work(left.value, right.value))
        return self._local(f"{self.text(left, block)} {sign} {self.text(right, block)}", "n", block)

    def _method(
        self, base: Term, name: str, arguments: list[ast.expr], keywords: list[ast.keyword], scope: Scope, block: Block
    ) -> Term:
        if isinstance(base, Known):
            return self._call(Known(getattr(base.value, name)), arguments, keywords, scope, block)
        positional, named = self._arguments(arguments, keywords, scope, block)
        cls = base.cls if isinstance(base, Made) else self.types.get(self.text(base, block))
        fields = field_names(cls)
        if name == "_replace" and cls is not None and fields and not positional and set(named) <= set(fields):
            return Made(cls, {f: named[f] if f in named else self._attribute(base, f, block) for f in fields})
        result = self._local(f"{self.text(base, block)}.{name}({self._given(positional, named, block)})", name, block)
        if name == "append" and len(positional) == 1:
            self._newest[result.text] = positional[0]
        return result

    def _call(
        self, called: Term, arguments: list[ast.expr], keywords: list[ast.keyword], scope: Scope, block: Block
    ) -> Term:
        if not isinstance(called, Known):
            raise Refused("calls what is not known")
        function = called.value
        positional, named = self._arguments(arguments, keywords, scope, block)
        if is_named_tuple(function) or is_plain_dataclass(function):
            return made(function, positional, named)
        if function is type and len(positional) == 1:
            match positional[0]:
                case Made(cls, _):
                    return Known(cls)
                case Atom(text) if text in self.types:
                    return Known(self.types[text])
        if isinstance(function, FunctionType) and not named:
            try:
                body(function)
            except Refused:
                pass
            else:
                return self.inline(function, positional, block)
        text = f"{self.names.of(function)}({self._given(positional, named, block)})"
        local = self._local(text, getattr(function, "__name__", "called"), block)
        if function is len:
            self._lengths.add(local.text)
        return local

    def _arguments(
        self, arguments: list[ast.expr], keywords: list[ast.keyword], scope: Scope, block: Block
    ) -> tuple[tuple[Term, ...], dict[str, Term]]:
        if any(isinstance(a, ast.Starred) for a in arguments) or any(k.arg is None for k in keywords):
            raise Refused("so many arguments as there are")
        positional = tuple(self.value(a, scope, block) for a in arguments)
        return positional, {str(k.arg): self.value(k.value, scope, block) for k in keywords}

    def _given(self, positional: tuple[Term, ...], named: Mapping[str, Term], block: Block) -> str:
        texts = [self.text(term, block) for term in positional]
        return ", ".join(texts + [f"{name}={self.text(term, block)}" for name, term in named.items()])

    def _build(self, cls: type[Any], fields: Mapping[str, Term], block: Block) -> str:
        texts = {name: self.text(term, block) for name, term in fields.items()}
        name = self.names.fresh(cls.__name__.lower())
        if is_named_tuple(cls):
            block.line(f"{name} = tuple_new({self.names.of(cls)}, ({', '.join(texts.values())},))")
        else:  # a frozen dataclass sets its fields through object.__setattr__; an open one of the same form does not
            block.line(f"{name} = new({self.names.of(open_form(cls))})")
            for field, text in texts.items():
                block.line(f"{name}.{field} = {text}")
            block.line(f"{name}.__class__ = {self.names.of(cls)}")
        self.types[name] = cls
        return name

    def _local(self, text: str, stem: str, block: Block) -> Atom:
        """The local that holds an expression's value, written now unless it is there."""
        if text not in block.known:
            block.known[text] = Atom(self.names.fresh(stem))
            block.line(f"{block.known[text].text} = {text}")
        return block.known[text]

    def _as_it_stands(self, node: ast.expr, scope: Scope, block: Block) -> Term:
        """An expression whose parts are not to be worked out before it is: only its names are replaced."""
        bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        if any(isinstance(n, (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield)) for n in ast.walk(node)):
            raise Refused(type(node).__name__)
        text = f"({ast.unparse(_Replace(self, scope, block, bound).visit(copy.deepcopy(node)))})"
        return Atom(text) if isinstance(node, ast.GeneratorExp) else self._local(text, "value", block)

    def _decided(self, test: ast.expr, scope: Scope, block: Block) -> bool | None:
        """Whether a condition holds, if that is known here without any more code."""
        answers: list[bool] = []
        probe = replace(block.where("", True), lines=[])
        self.decide(test, scope, probe, lambda _: answers.append(True), lambda _: answers.append(False))
        return answers[0] if len(answers) == 1 and not probe.lines else None

    def _told(self, test: ast.expr, scope: Scope, block: Block) -> bool:
        """The same, where the shape of the result depends on it. Raises ``Fork`` if it is not decided yet."""
        text = self.text(self.value(test, scope, block), block)
        if text not in block.facts:
            raise Fork(text)
        return block.facts[text]

    # -- conditions --------------------------------------------------------------------------------------------------

    def decide(self, node: ast.expr, scope: Scope, block: Block, yes: Then, no: Then) -> None:
        """Write what follows where a condition holds, and what follows where it does not."""
        match node:
            case ast.BoolOp(ast.And(), [first, *rest]):
                others = rest[0] if len(rest) == 1 else ast.BoolOp(ast.And(), rest)
                self.decide(first, scope, block, lambda b: self.decide(others, scope, b, yes, no), no)
            case ast.BoolOp(ast.Or(), [first, *rest]):
                others = rest[0] if len(rest) == 1 else ast.BoolOp(ast.Or(), rest)
                self.decide(first, scope, block, yes, lambda b: self.decide(others, scope, b, yes, no))
            case ast.UnaryOp(ast.Not(), operand):
                self.decide(operand, scope, block, no, yes)
            case ast.Compare(left, [op, *ops], [right, *rights]) if ops:
                first = ast.Compare(left, [op], [right])
                others = ast.Compare(right, ops, rights)
                self.decide(first, scope, block, lambda b: self.decide(others, scope, b, yes, no), no)
            case ast.Compare(left, [op], [right]):
                one, other = self.value(left, scope, block), self.value(right, scope, block)
                self._compare(type(op), one, other, block, yes, no)
            case ast.Call(called, arguments, []) if self._is_inline(called, scope):
                terms, _ = self._arguments(arguments, [], scope, block)
                self.decide_call(self._name(called.id, scope).value, terms, block, yes, no)  # type: ignore[attr-defined, union-attr]
            case _:
                self.fork(self.value(node, scope, block), block, yes, no)

    def decide_call(
        self, guard: Callable[..., Any], arguments: tuple[Term, ...], block: Block, yes: Then, no: Then
    ) -> None:
        """The same for a guard; one that cannot be read is called."""
        try:
            last, scope = self._enter(guard, arguments, block)
        except Refused:
            given = ", ".join(self.text(argument, block) for argument in arguments)
            self.fork(self._local(f"{self.names.of(guard)}({given})", "holds", block), block, yes, no)
        else:
            self.decide(last, scope, block, yes, no)

    def _is_inline(self, called: ast.expr, scope: Scope) -> bool:
        if not isinstance(called, ast.Name) or called.id in scope.locals:
            return False
        try:
            function = self._name(called.id, scope)
            body(function.value)  # type: ignore[union-attr]
        except Refused:
            return False
        return True

    def _compare(self, op: type[ast.cmpop], left: Term, right: Term, block: Block, yes: Then, no: Then) -> None:
        sign, work, swap, opposite = COMPARISONS[op]
        if swap:
            left, right = right, left
        if opposite:
            yes, no = no, yes
        if isinstance(left, Known) and isinstance(right, Known):
            (yes if work(left.value, right.value) else no)(block)
            return
        one, other = self.text(left, block), self.text(right, block)
        if sign == "==" and other == "0" and one in self._lengths:
            sign, one, other, yes, no = "<", "0", one, no, yes  # a length is not negative
        self.fork(Atom(f"{one} {sign} {other}"), block, yes, no)

    def fork(self, condition: Term, block: Block, yes: Then, no: Then) -> None:
        if isinstance(condition, Known):
            (yes if condition.value else no)(block)
            return
        text = self.text(condition, block)
        if text in block.facts:
            (yes if block.facts[text] else no)(block)
            return
        block.line(f"if {text}:")
        yes(block.where(text, True))
        no(block.where(text, False))


class _Replace(ast.NodeTransformer):
    def __init__(self, inliner: Inliner, scope: Scope, block: Block, bound: set[str]) -> None:
        self.inliner, self.scope, self.block, self.bound = inliner, scope, block, bound

    def _put(self, term: Term) -> ast.expr:
        return ast.parse(self.inliner.text(term, self.block), mode="eval").body

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in self.scope.locals and node.value.id not in self.bound:
            return self._put(self.inliner.value(node, self.scope, self.block))
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.bound:
            return node
        return self._put(self.inliner._name(node.id, self.scope))
