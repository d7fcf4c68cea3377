"""Expressions of the subset."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunnelexport.promela.layout import stored
from tunnelexport.promela.loops import Loops
from tunnelexport.promela.shapes import (
    BOOL,
    BYTES,
    INT,
    NEVER,
    NONE,
    STR,
    List,
    Type,
    Union,
    members,
)
from tunnelexport.promela.source import Scope
from tunnelexport.promela.terms import (
    Constant,
    Generator,
    Named,
    Row,
    Term,
    Value,
    items,
    rowish,
)
from tunnelexport.promela.writing import empty
from tunnelspec.fifo import Fifo

OPERATORS: Mapping[type[ast.AST], tuple[str, Callable[..., Any]]] = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul),
    ast.Mod: ("mod", operator.mod), ast.FloorDiv: ("over", operator.floordiv), ast.Pow: ("<<", operator.pow),
    ast.BitAnd: ("&", operator.and_), ast.BitOr: ("|", operator.or_),
    ast.Lt: ("<", operator.lt), ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt), ast.GtE: (">=", operator.ge),
}  # fmt: skip


FALSY: Mapping[Type, Any] = {BOOL: False, INT: 0, STR: "", BYTES: b""}
"""Of each kind of number, the one value that counts as false."""


class Expressions(Loops):
    """One method for each kind of node. A kind that has none is refused."""

    def at(self, node: ast.AST, scope: Scope) -> None:
        """Errors are about this line now."""
        if hasattr(node, "lineno"):
            self.where = f"{scope.source.file}:{node.lineno}"

    def expr(self, node: ast.expr, scope: Scope) -> Term:
        """An expression's term."""
        self.at(node, scope)
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise self.refuse(f"{type(node).__name__} is outside the subset: {ast.unparse(node)}")
        term: Term = method(node, scope)
        return term

    def _Constant(self, node: ast.Constant, scope: Scope) -> Term:
        return Constant(node.value)

    def _Name(self, node: ast.Name, scope: Scope) -> Term:
        if node.id in scope.names:
            term = scope.names[node.id]
            if isinstance(term, Value) and term is scope.variables.get(node.id) and stored(term.type):
                return self.variable(term.type, term.text)  # it may change while this is in use
            return self.read(term.type, term.text) if isinstance(term, Value) else term
        for names in (scope.source.globals, vars(builtins)):
            if node.id in names:
                return Constant(names[node.id])
        raise self.refuse(f"unknown name {node.id!r}")

    def _Attribute(self, node: ast.Attribute, scope: Scope) -> Term:
        of = self.expr(node.value, scope)
        self.at(node, scope)
        return self.attribute(of, node.attr)

    def _List(self, node: ast.List, scope: Scope) -> Term:
        return self._Tuple(node, scope)

    def _Tuple(self, node: ast.Tuple | ast.List, scope: Scope) -> Term:
        pieces: list[Sequence[Term] | Term] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                inner = self.expr(element.value, scope)
                if isinstance(inner, Generator):
                    inner = self.collected(inner)
                known = self.listed(inner) if not self.is_never(inner) else []
                pieces.append(inner if known is None else known)
            else:
                pieces.append([self.expr(element, scope)])
        if any(isinstance(piece, Term) for piece in pieces):
            return self.concatenated(pieces)
        flat = [item for piece in pieces if not isinstance(piece, Term) for item in piece]
        known = [item.value for item in flat if isinstance(item, Constant)]
        return Constant(tuple(known)) if len(known) == len(flat) else Row(flat)

    def _GeneratorExp(self, node: ast.GeneratorExp, scope: Scope) -> Term:
        return Generator(node, scope)

    def _DictComp(self, node: ast.DictComp, scope: Scope) -> Term:
        parts: dict[str, Term] = {}
        pair = ast.copy_location(ast.Tuple(elts=[node.key, node.value], ctx=ast.Load()), node)
        generator = ast.copy_location(ast.GeneratorExp(elt=pair, generators=node.generators), node)
        rows = self.known_row(Generator(generator, scope))
        for row in rows if rows is not None else ():
            key, value = items(row)
            parts[key.value] = value  # type: ignore[attr-defined]
        return Named(parts)

    def _IfExp(self, node: ast.IfExp, scope: Scope) -> Term:
        test = self.truth(self.expr(node.test, scope))
        if isinstance(test, Constant):
            return self.expr(node.body if test.value else node.orelse, scope)
        return self.choose(test, lambda: self.expr(node.body, scope), lambda: self.expr(node.orelse, scope))

    def choose(self, test: Term, yes: Callable[[], Term], no: Callable[[], Term]) -> Term:
        """What depends on a test that is not known now."""
        if self.is_never(test):
            return test
        declared, branches = self.gap(), []
        for word, branch in ((f"if ({self.store(test, BOOL)}) {{", yes), ("else {", no)):
            self.write(word)
            with self.into(self.gap()) as block:
                branches.append((block, branch()))
            self.write("}")
        return self.merge(declared, branches)

    def _BoolOp(self, node: ast.BoolOp, scope: Scope) -> Term:
        return self._bool(node.values, isinstance(node.op, ast.And), scope)

    def _bool(self, values: Sequence[ast.expr], both: bool, scope: Scope) -> Term:
        left = self.expr(values[0], scope)
        if len(values) == 1:
            return left
        truth = self.truth(left)
        if isinstance(truth, Constant):
            return self._bool(values[1:], both, scope) if truth.value == both else left
        if self.is_never(truth):
            return truth
        assert isinstance(truth, Value)
        with self.into([]) as block:
            right = self._bool(values[1:], both, scope)
        plain = self.is_never(left) or self.type_of(left) == BOOL
        if plain and (empty(block) or self.is_never(right)) and self._type_if_simple(right) == BOOL:
            text = f"({truth.text} {'&&' if both else '||'} {self.store(right, BOOL)})"
            return Value(BOOL, text)
        declared = self.gap()
        with self.into([]) as other:
            kept = left if plain else self.falsy(left) if both else self.truthy(left)
        self.write(f"if ({truth.text}) {{")
        self.out.append(block if both else other)
        self.write("} else {")
        self.out.append(other if both else block)
        self.write("}")
        kept = Constant(not both) if plain else kept
        return self.merge(declared, [(block, right), (other, kept)])

    def _type_if_simple(self, term: Term) -> Type:
        if isinstance(term, Constant) and isinstance(term.value, bool):
            return BOOL
        return term.type if isinstance(term, Value) else NEVER

    def truthy(self, term: Term) -> Term:
        """The same value, which is known to count as true: it is not None."""
        if isinstance(term, Value) and isinstance(term.type, Union) and NONE in term.type.members:
            rest = [member for member in members(term.type) if member != NONE]
            if len(rest) == 1:
                return self.member(term, rest[0])
        return term

    def falsy(self, term: Term) -> Term:
        """The same value, which is known to count as false."""
        type_ = self.type_of(term)
        if isinstance(type_, List):
            return Constant(Fifo() if type_.fifo else ())
        if type_ in FALSY:
            return Constant(FALSY[type_])
        raise self.refuse("and of a value that may be false in several ways")

    def _UnaryOp(self, node: ast.UnaryOp, scope: Scope) -> Term:
        inner = self.expr(node.operand, scope)
        if isinstance(node.op, ast.Not):
            return self.negated(inner)
        if isinstance(inner, Constant) and isinstance(node.op, ast.USub):
            return Constant(-inner.value)
        if isinstance(node.op, ast.USub):
            return inner if self.is_never(inner) else Value(INT, f"(-{self.store(inner, INT)})")
        raise self.refuse("this operator is outside the subset")

    def _BinOp(self, node: ast.BinOp, scope: Scope) -> Term:
        return self.binary(node.op, self.expr(node.left, scope), self.expr(node.right, scope))

    def binary(self, op: ast.AST, a: Term, b: Term) -> Term:
        """Arithmetic, and the joining of tuples."""
        if type(op) not in OPERATORS:
            raise self.refuse(f"{type(op).__name__} is outside the subset")
        sign, python = OPERATORS[type(op)]
        if isinstance(a, Constant) and isinstance(b, Constant):
            return self.evaluated(lambda: python(a.value, b.value))
        if self.is_never(a) or self.is_never(b):
            return Value(NEVER, "0")
        if isinstance(op, ast.Add) and all(rowish(x) or isinstance(self.type_of(x), List) for x in (a, b)):
            return self.concatenated([items(x) if rowish(x) else x for x in (a, b)])
        kind = BOOL if {self.shapes.widened(self.type_of(x)) for x in (a, b)} == {BOOL} and sign in "&|" else INT
        x, y = self.store(a, kind), self.store(b, kind)
        if sign in ("mod", "over"):
            if not isinstance(b, Constant) or b.value <= 0:
                raise self.refuse("division by what is not a known positive number")
            return Value(INT, f"{sign}({x}, {y})")
        if sign == "<<":
            if not isinstance(a, Constant) or a.value != 2:
                raise self.refuse("powers of anything but 2 are outside the subset")
            self.need(f"{y} >= 0 && {y} < 30", "power of 2")
            return Value(INT, f"(1 << {y})")
        return Value(kind, f"({x} {sign} {y})")

    def _Compare(self, node: ast.Compare, scope: Scope) -> Term:
        left, found = self.expr(node.left, scope), []
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.expr(comparator, scope)
            found.append(self.compare(op, left, right))
            left = right
        return self.all_of(found)

    def compare(self, op: ast.cmpop, a: Term, b: Term) -> Term:
        """One comparison."""
        if isinstance(op, ast.Eq | ast.Is):
            return self.equal(a, b)
        if isinstance(op, ast.NotEq | ast.IsNot):
            return self.negated(self.equal(a, b))
        if isinstance(op, ast.In | ast.NotIn):
            found = self.contains(b, a)
            return found if isinstance(op, ast.In) else self.negated(found)
        sign, python = OPERATORS[type(op)]
        if isinstance(a, Constant) and isinstance(b, Constant):
            return self.evaluated(lambda: python(a.value, b.value))
        if self.is_never(a) or self.is_never(b):
            return Value(NEVER, "0")
        return Value(BOOL, f"({self.store(a, INT)} {sign} {self.store(b, INT)})")

    def _Subscript(self, node: ast.Subscript, scope: Scope) -> Term:
        of = self.expr(node.value, scope)
        if isinstance(node.slice, ast.Slice):
            return self._slice(of, node.slice, scope)
        return self.index(of, self.expr(node.slice, scope))

    def _slice(self, of: Term, node: ast.Slice, scope: Scope) -> Term:
        lower, upper = (None if x is None else self.expr(x, scope) for x in (node.lower, node.upper))
        if node.step is None and rowish(of) and all(x is None or isinstance(x, Constant) for x in (lower, upper)):
            part = slice(*(None if x is None else x.value for x in (lower, upper)))  # type: ignore[attr-defined]
            return Row(list(items(of)[part]))
        if node.step is not None or upper is not None or lower is None:
            raise self.refuse("this slice is outside the subset")
        return self.without_first(of, lower)
