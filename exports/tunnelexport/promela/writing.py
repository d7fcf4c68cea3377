"""What is written while a model is translated: lines of C, and the types of what they compute.

Statements go to ``out``, a tree of lists, so that a place can be kept free for what is only known later (a declaration before a
loop, whose type the loop finds out).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tunnelexport.promela.layout import Layout, literal
from tunnelexport.promela.shapes import (
    NEVER,
    Known,
    List,
    Pair,
    Record,
    Refused,
    Shapes,
    Type,
)
from tunnelexport.promela.terms import (
    Built,
    Constant,
    Row,
    Term,
    Value,
    items,
    rowish,
)
from tunnelspec.endpoint import Local

Block = list[Any]
"""Lines of C, and blocks of them."""


def flat(block: Block) -> Iterator[str]:
    """The lines of a block."""
    for item in block:
        if isinstance(item, str):
            yield item
        else:
            yield from flat(item)


def empty(block: Block) -> bool:
    return next(flat(block), None) is None


class Writer:
    """Where lines go. ``where`` is the line of Python that is being translated."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes, self.layout = shapes, Layout(shapes)
        self.out: Block = []
        self.where = "?"
        self._serial = 0

    # -- writing ------------------------------------------------------------------------------------------------------

    def refuse(self, why: str) -> Refused:
        return Refused(f"{self.where}: {why}")

    def write(self, line: str) -> None:
        self.out.append(line)

    def fresh(self, word: str = "t") -> str:
        self._serial += 1
        return f"{word}{self._serial}"

    @contextmanager
    def into(self, block: Block) -> Iterator[Block]:
        """Write there for a while."""
        before, self.out = self.out, block
        try:
            yield block
        finally:
            self.out = before

    def gap(self) -> Block:
        """A place to be filled later."""
        block: Block = []
        self.out.append(block)
        return block

    def variable(self, type_: Type, text: str = "") -> Value:
        """A new C variable."""
        name = self.fresh()
        self.write(f"{self.layout.c(type_)} {name}{f' = {text}' if text else ''};")
        return Value(type_, name)

    def need(self, holds: str, why: str) -> None:
        """The model stops, loudly, if this does not hold: Python would have raised."""
        self.write(f"need({holds}, {literal(f'{self.where} {why}')});")

    # -- types --------------------------------------------------------------------------------------------------------

    def type_of(self, term: Term) -> Type:
        """What a term can be. A record's parts flow into its class's fields."""
        if isinstance(term, Value):
            return term.type
        if isinstance(term, Constant):
            return Known(term.value)
        if isinstance(term, Built):
            if term.cls is Local:
                parts = ((name, self.shapes.widened(self.type_of(part))) for name, part in term.parts.items())
                return Record(Local, tuple(parts))
            for name, part in term.parts.items():
                self.shapes.flow(term.cls, name, self.type_of(part))
            return Record(term.cls)
        if isinstance(term, Row):
            found = [self.shapes.widened(self.type_of(item)) for item in term.items]
            if any(isinstance(item, Record) and item.cls is Local for item in found):
                return Pair(tuple(found))
            return List(self.shapes.joined(found))
        raise self.refuse(f"{type(term).__name__} cannot be kept")

    def item_type(self, term: Term) -> Type:
        """What it is as an item of a list: there a row is a pair."""
        if rowish(term):
            return Pair(tuple(self.item_type(item) for item in items(term)))
        return self.shapes.widened(self.type_of(term))

    def is_never(self, term: Term) -> bool:
        """Whether nothing has come here yet."""
        return isinstance(term, Value) and term.type == NEVER

    def read(self, type_: Type, text: str) -> Term:
        """A stored value; one that is known is not stored."""
        return Constant(type_.value) if isinstance(type_, Known) else Value(type_, text)
