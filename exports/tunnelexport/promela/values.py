"""What is asked of values while they are translated: attributes, items, truth, equality, class; and choosing between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tunnelexport.promela.layout import literal, stored
from tunnelexport.promela.shapes import (
    BOOL,
    BYTES,
    CLASS,
    INT,
    NEVER,
    NONE,
    OBJECT,
    STR,
    Known,
    List,
    Pair,
    Record,
    Scalar,
    Type,
    Union,
    members,
    names,
    tag,
)
from tunnelexport.promela.storing import Storing
from tunnelexport.promela.terms import (
    FALSE,
    TRUE,
    Bound,
    Built,
    Constant,
    Maybe,
    Row,
    Term,
    Value,
    items,
    rowish,
)
from tunnelexport.promela.writing import Block
from tunnelspec.fifo import Fifo

KINDS: dict[Type, type[Any]] = {BOOL: bool, INT: int, STR: str, BYTES: bytes, CLASS: type, NONE: type(None)}


class Values(Storing):
    """Reads and compares."""

    def attribute(self, term: Term, name: str) -> Term:
        """``term.name``."""
        if isinstance(term, Constant):
            return self.evaluated(lambda: getattr(term.value, name))
        if isinstance(term, Value) and term.type == NEVER:
            return term
        parts = self.parts(term)
        if parts is not None:
            if name in parts:
                return parts[name]
            cls = term.cls if isinstance(term, Built) else term.type.cls  # type: ignore[attr-defined]
            return Constant(names(cls)) if name == "_fields" else Bound(term, name)
        if isinstance(term, Value) and term.type == OBJECT and name == "id":
            return Value(STR, f"object_id[{term.text}]")
        if isinstance(term, Value) and isinstance(term.type, List):
            return Bound(term, name)
        if isinstance(term, Value) and isinstance(term.type, Union):
            return self._attribute_of_union(term, name)
        raise self.refuse(f"no attribute {name!r} here")

    def _attribute_of_union(self, term: Value, name: str) -> Term:
        having = [m for m in members(term.type) if isinstance(m, Record) and name in names(m.cls)]
        if not having:  # what would be right here does not come here: yet, or ever
            self.need("0", f"nothing here has {name}")
            return Value(NEVER, "0")
        if len(having) < len(members(term.type)):
            tests = " || ".join(f"{term.text}.tag == {self.layout.class_(tag(m))}" for m in having)
            self.need(tests, f"has no {name}")
        branches: list[tuple[str, Block, Term]] = []
        for m in having:
            with self.into([]) as block:
                found = self.attribute(self.member(term, m), name)
            branches.append((f"{term.text}.tag == {self.layout.class_(tag(m))}", block, found))
        if len(branches) == 1:
            self.out.append(branches[0][1])
            return branches[0][2]
        declared = self.gap()
        for place, (test, block, _) in enumerate(branches):
            self.write(f"{'else ' if place else ''}if ({test}) {{")
            self.out.append(block)
            self.write("}")
        return self.merge(declared, [(block, found) for _, block, found in branches])

    def index(self, term: Term, at: Term) -> Term:
        """``term[at]``."""
        if isinstance(at, Constant) and isinstance(term, Row):
            item: Term = term.items[at.value]
            return item
        if isinstance(term, Constant) and isinstance(at, Constant):
            return self.evaluated(lambda: term.value[at.value])
        if self.type_of(term) == NEVER or self.type_of(at) == NEVER:
            return Value(NEVER, "0")
        if isinstance(term, Value) and isinstance(term.type, Pair) and isinstance(at, Constant):
            part: Term = self.items_of(term)[at.value]
            return part
        place = self.store(at, INT)
        if rowish(term):
            kinds = {self.shapes.widened(self.type_of(item)) for item in items(term)}
            if len(kinds) != 1 or not isinstance(kind := kinds.pop(), Scalar):
                raise self.refuse("an index into a tuple of different things")
            name, size = self.fresh("a"), len(items(term))
            texts = ", ".join(self.store(item, kind) for item in items(term))
            self.write(f"static const int {name}[] = {{ {texts} }};")
            return Value(kind, f"{name}[place({place}, {size}, {literal(self.where)})]")
        if isinstance(term, Value) and term.type == BYTES:
            self.need(f"{term.text} > 0 && {place} == 0", "index beyond the first byte")
            return Value(INT, f"first_byte({term.text})")
        if isinstance(term, Value) and isinstance(term.type, List):
            here = self.variable(INT, f"place({place}, {term.text}.n, {literal(self.where)})")
            return self.read(term.type.item, f"{term.text}.item[{here.text}]")
        raise self.refuse("no index here")

    def evaluated(self, python: Callable[[], Any]) -> Term:
        """What Python says, of what is known. Where it raises, the model stops too, if it ever comes there."""
        try:
            return Constant(python())
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self.need("0", f"{type(error).__name__}: {error}")
            return Value(NEVER, "0")

    def truth(self, term: Term) -> Term:
        """Whether it counts as true."""
        if isinstance(term, Constant):
            return Constant(bool(term.value))
        if isinstance(term, Maybe):
            return Value(BOOL, term.flag)
        if isinstance(term, Row):
            return Constant(bool(term.items))
        if isinstance(term, Built):
            return TRUE
        if not isinstance(term, Value):
            raise self.refuse("neither true nor false")
        if term.type in (BOOL, NEVER):
            return term
        if term.type in (INT, STR, BYTES):
            return Value(BOOL, f"({term.text} != 0)")
        if isinstance(term.type, List):
            return Value(BOOL, f"({term.text}.n > 0)")
        if isinstance(term.type, Union):
            tests = []
            for member in members(term.type):
                inner = self.truth(self.member(term, member))
                here = f"{term.text}.tag == {self.layout.class_(tag(member))}"
                if isinstance(inner, Value):
                    tests.append(f"({here} && {inner.text})")
                elif inner.value:  # type: ignore[attr-defined]
                    tests.append(f"({here})")
            return Value(BOOL, f"({' || '.join(tests)})") if tests else FALSE
        return TRUE

    # -- comparing ----------------------------------------------------------------------------------------------------

    def equal(self, a: Term, b: Term) -> Term:
        """``a == b``."""
        if isinstance(a, Constant) and isinstance(b, Constant):
            return Constant(a.value == b.value)
        if rowish(a) and rowish(b):
            if len(items(a)) != len(items(b)):
                return FALSE
            return self.all_of([self.equal(x, y) for x, y in zip(items(a), items(b), strict=True)])
        if isinstance(a, Constant):
            a, b = b, a
        left, right = self.type_of(a), self.type_of(b)
        if NEVER in (left, right):
            return Value(NEVER, "0")
        if isinstance(b, Constant) and b.value in ((), None) and isinstance(a, Value):
            return self._is_empty(a) if b.value == () else self.is_a(a, type(None))
        if isinstance(a, Value) and isinstance(a.type, Union):
            return self._equal_to_union(a, b)
        if isinstance(b, Value) and isinstance(b.type, Union):
            return self._equal_to_union(b, a)
        joined = self.shapes.join(self.shapes.widened(left), self.shapes.widened(right))
        if isinstance(joined, Union):
            return FALSE  # of different kinds
        if isinstance(joined, Scalar):
            return Value(BOOL, f"({self.store(a, joined)} == {self.store(b, joined)})")
        if not self.layout.holds(joined):
            return TRUE
        x, y = (self.variable(joined, self.store(term, joined)) for term in (a, b))
        return Value(BOOL, self.layout.same(joined, x.text, y.text))

    def _is_empty(self, term: Value) -> Term:
        return Value(BOOL, f"({term.text}.n == 0)") if isinstance(term.type, List) else FALSE

    def _equal_to_union(self, a: Value, b: Term) -> Term:
        other = self.shapes.widened(self.type_of(b))
        if isinstance(other, Union):
            joined = self.shapes.join(a.type, other)
            x, y = (self.variable(joined, self.store(term, joined)) for term in (a, b))
            return Value(BOOL, self.layout.same(joined, x.text, y.text))
        for member in members(a.type):
            if tag(member) == tag(other):
                with self.into([]) as block:
                    inner = self.equal(self.member(a, member), b)
                here = f"{a.text}.tag == {self.layout.class_(tag(member))}"
                if inner is TRUE or (isinstance(inner, Constant) and inner.value):
                    return Value(BOOL, f"({here})")
                self.out.append(block)  # reads what may be another member's: harmless, for the tag decides
                return Value(BOOL, f"({here} && {self.store(inner, BOOL)})")
        return FALSE

    def all_of(self, terms: Sequence[Term]) -> Term:
        """All of several truths, which need no order."""
        texts: list[str] = []
        for term in terms:
            if isinstance(term, Constant):
                if not term.value:
                    return FALSE
            elif self.type_of(term) == NEVER:
                return term
            else:
                texts.append(self.store(term, BOOL))
        return Value(BOOL, f"({' && '.join(texts)})") if texts else TRUE

    def any_of(self, terms: Sequence[Term]) -> Term:
        """Any of several truths, which need no order."""
        inner = self.all_of([self.negated(term) for term in terms])
        return self.negated(inner)

    def negated(self, term: Term) -> Term:
        """``not term``."""
        truth = self.truth(term)
        if isinstance(truth, Constant):
            return Constant(not truth.value)
        return truth if self.type_of(truth) == NEVER else Value(BOOL, f"(!{truth.text})")  # type: ignore[attr-defined]

    def is_a(self, term: Term, cls: Any) -> Term:
        """``isinstance(term, cls)``."""
        if isinstance(term, Constant):
            return Constant(isinstance(term.value, cls))
        type_ = self.type_of(term)
        if type_ == NEVER:
            return Value(NEVER, "0")
        if not isinstance(type_, Union):
            return Constant(_fits(type_, cls))
        fitting = [member for member in members(type_) if _fits(member, cls)]
        if len(fitting) in (0, len(members(type_))):
            return Constant(bool(fitting))
        tests = " || ".join(f"{term.text}.tag == {self.layout.class_(tag(m))}" for m in fitting)  # type: ignore[attr-defined]
        return Value(BOOL, f"({tests})")

    def class_of(self, term: Term) -> Term:
        """``type(term)``."""
        if isinstance(term, Constant):
            return Constant(type(term.value))
        if isinstance(term, Built):
            return Constant(term.cls)
        type_ = self.type_of(term)
        if type_ == NEVER:
            return Value(NEVER, "0")
        if isinstance(type_, Union):
            return Value(CLASS, f"{term.text}.tag")  # type: ignore[attr-defined]
        if isinstance(type_, Record):
            return Constant(type_.cls)
        if isinstance(type_, List | Pair):
            return Constant(Fifo if isinstance(type_, List) and type_.fifo else tuple)
        if type_ in KINDS:
            return Constant(KINDS[type_])
        raise self.refuse("the class of this")

    # -- choosing -----------------------------------------------------------------------------------------------------

    def merge(self, declared: Block, branches: Sequence[tuple[Block, Term]]) -> Term:
        """The value that one of several branches gives; each block gets what assigns it, ``declared`` its declaration."""
        live = [
            (block, term)
            for block, term in branches
            if rowish(term) or isinstance(term, Maybe) or self.type_of(term) != NEVER
        ]
        if not live:
            return Value(NEVER, "0")
        terms = [term for _, term in live]
        first = terms[0]
        if isinstance(first, Constant) and all(
            isinstance(term, Constant) and Known(term.value) == Known(first.value) for term in terms
        ):
            return first
        rows = [term for term in terms if rowish(term)]
        lengths = {len(items(row)) for row in rows}
        nothing = [term for term in terms if isinstance(term, Constant) and term.value is None]
        if rows and len(lengths) == 1 and len(rows) + len(nothing) == len(terms):
            row = Row(
                [
                    self.merge(declared, [(block, items(term)[place]) for block, term in live if rowish(term)])
                    for place in range(lengths.pop())
                ]
            )
            if not nothing:
                return row
            flag = self.fresh("f")
            declared.append(f"int {flag} = 0;")
            for block, term in live:
                if rowish(term):
                    block.append(f"{flag} = 1;")
            return Maybe(flag, row)
        type_ = self.shapes.widened(self.shapes.joined(self.type_of(term) for term in terms))
        name = self.fresh()
        if stored(type_):
            declared.append(f"{self.layout.c(type_)} {name};")
            for block, term in live:
                with self.into(block):
                    text = self.store(term, type_)
                    self.write(f"{name} = {text};")
        return self.read(type_, name)


def _fits(type_: Type, cls: Any) -> bool:
    """Whether values of this type are instances of the class, or of one of the classes."""
    if isinstance(type_, Record):
        return any(issubclass(type_.cls, one) for one in _classes(cls))
    if isinstance(type_, List | Pair):
        kind: type[Any] = Fifo if isinstance(type_, List) and type_.fifo else tuple
    else:
        kind = KINDS[type_]
    return any(issubclass(kind, one) for one in _classes(cls))


def _classes(cls: Any) -> tuple[type[Any], ...]:
    found: tuple[Any, ...] = cls if isinstance(cls, tuple) else getattr(cls, "__args__", (cls,))
    return found
