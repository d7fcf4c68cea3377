"""Going through tuples, queues and generator expressions: unrolled where the length is known, a loop in C where it is not."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from tunnelexport.promela.layout import stored
from tunnelexport.promela.shapes import (
    BOOL,
    INT,
    NEVER,
    List,
)
from tunnelexport.promela.source import Scope
from tunnelexport.promela.terms import (
    FALSE,
    TRUE,
    Constant,
    Counted,
    Generator,
    Row,
    Term,
    Value,
    items,
    rowish,
)
from tunnelexport.promela.values import Values
from tunnelexport.promela.writing import Block
from tunnelspec.fifo import Fifo


class Loops(Values, ABC):
    """Runs through what has items."""

    @abstractmethod
    def expr(self, node: ast.expr, scope: Scope) -> Term:
        """An expression's term."""

    @abstractmethod
    def bind(self, target: ast.AST, term: Term, scope: Scope) -> None:
        """Give a name, or several, to a term."""

    def listed(self, term: Term) -> Sequence[Term] | None:
        """The items of what has a known length; None for anything else."""
        if rowish(term):
            return items(term)
        if isinstance(term, Constant):
            return [Constant(value) for value in term.value]
        if isinstance(term, Counted):
            inner = self.listed(term.of)
            return None if inner is None else [Row([Constant(at), item]) for at, item in enumerate(inner)]
        if isinstance(term, Generator):
            return None
        parts = self.parts(term)
        if parts is not None:
            return list(parts.values())
        return self.items_of(term) or None

    def each(self, term: Term, body: Callable[[Term], None]) -> None:
        """Run through a tuple, a Fifo, or ``enumerate`` of one."""
        if self.is_never(term):
            return
        known = self.listed(term)
        if known is not None:
            for item in known:
                body(item)
            return
        inner, counted = (term.of, True) if isinstance(term, Counted) else (term, False)
        if not isinstance(inner, Value) or not isinstance(inner.type, List):
            raise self.refuse("cannot be gone through")
        if inner.type.item == NEVER:
            return
        with self.loop(inner) as (at, item):
            body(Row([at, item]) if counted else item)

    def generate(self, generator: Generator, body: Callable[[Term], None]) -> None:
        """Run a generator expression."""
        node: ast.GeneratorExp = generator.node

        def over(loops: Sequence[ast.comprehension], outer: Scope) -> None:
            if not loops:
                body(self.expr(node.elt, outer))
                return

            def one(item: Term) -> None:
                scope = outer.inner()
                self.bind(loops[0].target, item, scope)
                self._filtered(loops[0].ifs, scope, lambda: over(loops[1:], scope))

            self.each(self.expr(loops[0].iter, outer), one)

        over(node.generators, generator.scope)

    def _filtered(self, tests: Sequence[ast.expr], scope: Scope, body: Callable[[], None]) -> None:
        if not tests:
            body()
            return
        test = self.truth(self.expr(tests[0], scope))
        if isinstance(test, Constant):
            if test.value:
                self._filtered(tests[1:], scope, body)
        elif not self.is_never(test):
            self.write(f"if ({self.store(test, BOOL)}) {{")
            self._filtered(tests[1:], scope, body)
            self.write("}")

    def collected(self, term: Term, fifo: bool = False) -> Term:
        """``tuple(term)`` or ``Fifo(term)``."""
        if not isinstance(term, Generator):
            known = self.listed(term)
            if known is not None:
                if fifo:
                    return self.concatenated([known], True)
                return Row(list(known)) if not isinstance(term, Constant) else Constant(tuple(term.value))
            if self.is_never(term):
                return term
            assert isinstance(term, Value)
            assert isinstance(term.type, List)
            return term if term.type.fifo == fifo else self.concatenated([term], fifo)
        known = self.known_row(term)
        if known is not None:
            return self.concatenated([known], True) if fifo else Row(list(known))
        declared = self.gap()
        found: list[tuple[Block, Term]] = []
        self.generate(term, lambda item: found.append((self.gap(), item)))
        return self.gathered(declared, found, fifo)

    def known_row(self, generator: Generator) -> Sequence[Term] | None:
        """The items of a generator over what has a known length, and no filter."""
        only = generator.node.generators[0]
        if only.ifs or len(generator.node.generators) > 1:
            return None
        with self.into([]) as block:
            over = self.expr(only.iter, generator.scope)
        if self.listed(over) is None:
            return None
        self.out.append(block)
        found: list[Term] = []
        self.generate(generator, found.append)
        return found

    def gathered(self, declared: Block, found: Sequence[tuple[Block, Term]], fifo: bool) -> Term:
        """A list of all items found; each block is where one is appended."""
        live = [(block, item) for block, item in found if not self.is_never(item)]
        if not live:
            return Value(List(NEVER, fifo), self._empty(declared, fifo).text)
        type_ = List(self.shapes.joined(self.item_type(item) for _, item in live), fifo)
        made = Value(type_, self.fresh())
        declared.append(f"{self.layout.c(type_)} {made.text}; {made.text}.n = 0;")
        for block, item in live:
            with self.into(block):
                self.push(made, item)
        return made

    def _empty(self, declared: Block, fifo: bool) -> Value:
        made = Value(List(NEVER, fifo), self.fresh())
        declared.append(f"{self.layout.c(made.type)} {made.text}; {made.text}.n = 0;")
        return made

    def concatenated(self, pieces: Sequence[Sequence[Term] | Term], fifo: bool = False) -> Term:
        """One list of rows and lists."""
        declared = self.gap()
        found: list[tuple[Block, Term]] = []

        def keep(item: Term) -> None:
            found.append((self.gap(), item))

        for piece in pieces:
            if isinstance(piece, Term):
                self.each(piece, keep)
            else:
                found += [(self.gap(), item) for item in piece]
        return self.gathered(declared, found, fifo)

    def contains(self, of: Term, item: Term) -> Term:
        """``item in of``."""
        known = self.listed(of)
        if known is not None:
            return self.any_of([self.equal(item, one) for one in known])
        return self.first(of, lambda one: (self.equal(one, item), TRUE), FALSE)

    def first(self, of: Term, test: Callable[[Term], tuple[Term, Term]], otherwise: Term | None) -> Term:
        """What ``test`` gives for the first item that passes it; without ``otherwise`` there must be one."""
        done, declared = self.fresh("end"), self.gap()
        found: list[tuple[Block, Term]] = []

        def one(item: Term) -> None:
            passes, term = test(item)
            truth = self.truth(passes)
            if (isinstance(truth, Constant) and not truth.value) or self.is_never(truth):
                return
            self.write(f"if ({self.store(truth, BOOL)}) {{")
            found.append((self.gap(), term))
            self.write(f"goto {done}; }}")

        if isinstance(of, Generator):
            self.generate(of, one)
        else:
            self.each(of, one)
        if otherwise is None:
            self.need("0", "there is no such item")
        else:
            found.append((self.gap(), otherwise))
        result = self.merge(declared, found)
        self.write(f"{done}: ;")
        return result

    def without_first(self, of: Term, count: Term) -> Term:
        """A list without its first items."""
        if self.is_never(of) or self.is_never(count):
            return Value(NEVER, "0")
        known = self.listed(of)
        if known is not None:
            of = self.concatenated([known], isinstance(of, Constant) and isinstance(of.value, Fifo))
        if not isinstance(of, Value) or not isinstance(of.type, List):
            raise self.refuse("this slice is outside the subset")
        start = self.variable(INT, self.store(count, INT))
        self.need(f"{start.text} >= 0", "negative slice")
        made, at = Value(of.type, self.fresh()), self.fresh("i")
        self.write(f"{self.layout.c(of.type)} {made.text}; {made.text}.n = 0;")
        self.write(f"{{ int {at}; for ({at} = {start.text}; {at} < {of.text}.n; {at}++) {{")
        if stored(of.type.item):
            self.write(f"{made.text}.item[{made.text}.n] = {of.text}.item[{at}];")
        self.write(f"{made.text}.n++; }} }}")
        return made
