"""What an expression comes to while it is translated: a value that is known now, or C that computes it later.

Records and tuples that are made and taken apart again never exist in C: they are kept as their parts.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunnelexport.promela.shapes import Type


class Term:
    """An expression's translation."""

    __slots__ = ()


@dataclass(frozen=True, eq=False, slots=True)
class Constant(Term):
    """A value known now; also functions, classes and whatever else the source names."""

    value: Any


@dataclass(frozen=True, eq=False, slots=True)
class Value(Term):
    """A C expression without side effects."""

    type: Type
    text: str


@dataclass(frozen=True, eq=False, slots=True)
class Built(Term):
    """A record, by its fields."""

    cls: type[Any]
    parts: Mapping[str, Term]


@dataclass(frozen=True, eq=False, slots=True)
class Row(Term):
    """A tuple of known length, by its items."""

    items: Sequence[Term]


@dataclass(frozen=True, eq=False, slots=True)
class Maybe(Term):
    """A row, or None: ``flag`` is the C variable that tells."""

    flag: str
    row: Row


@dataclass(frozen=True, eq=False, slots=True)
class Named(Term):
    """A dict with known keys."""

    parts: Mapping[str, Term]


@dataclass(frozen=True, eq=False, slots=True)
class Bound(Term):
    """A method of a value that is not known now."""

    of: Term
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class Generator(Term):
    """A generator expression that nobody has run yet."""

    node: ast.GeneratorExp
    scope: Any


@dataclass(frozen=True, eq=False, slots=True)
class Counted(Term):
    """``enumerate`` of something."""

    of: Term


TRUE, FALSE = Constant(True), Constant(False)


def rowish(term: Term) -> bool:
    """Whether it is a tuple of known length."""
    return isinstance(term, Row) or (isinstance(term, Constant) and type(term.value) is tuple)


def items(term: Term) -> Sequence[Term]:
    """The items of a tuple of known length."""
    return term.items if isinstance(term, Row) else tuple(Constant(value) for value in term.value)  # type: ignore[attr-defined]
