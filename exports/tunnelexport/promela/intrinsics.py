"""What the subset calls that is not written in it: Python's own functions, and those of ``Fifo`` and of records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tunnelexport.promela.shapes import BOOL, BYTES, INT, NEVER, List
from tunnelexport.promela.terms import FALSE, TRUE, Built, Constant, Counted, Generator, Row, Term, Value, items, rowish
from tunnelexport.promela.translate import Translator
from tunnelspec.fifo import Fifo


def install(t: Translator) -> None:
    """Teach a translator all of them."""

    def of_class(term: Term, cls: Term) -> Term:
        return t.is_a(term, cls.value)  # type: ignore[attr-defined]

    def length(term: Term) -> Term:
        if rowish(term):
            return Constant(len(items(term)))
        if isinstance(term, Value) and isinstance(term.type, List):
            return Value(INT, f"{term.text}.n")
        return never_or(term, "len of this is outside the subset")

    def never_or(term: Term, why: str) -> Term:
        if t.type_of(term) == NEVER:
            return Value(NEVER, "0")
        raise t.refuse(why)

    def one_byte(term: Term) -> Term:
        if not rowish(term) or len(items(term)) != 1:
            raise t.refuse("bytes of anything but one number are outside the subset")
        number = t.store(items(term)[0], INT)
        t.need(f"{number} >= 0 && {number} < 256", "not a byte")
        return Value(BYTES, f"(1 + {number})")

    def largest(*terms: Term) -> Term:
        if any(t.type_of(term) == NEVER for term in terms):
            return Value(NEVER, "0")
        found = t.variable(INT, t.store(terms[0], INT))
        for term in terms[1:]:
            text = t.store(term, INT)
            t.write(f"if ({text} > {found.text}) {found.text} = {text};")
        return found

    def total(term: Term) -> Term:
        found = t.variable(INT, "0")

        def add(item: Term) -> None:
            if t.type_of(item) != NEVER:
                t.write(f"{found.text} += {t.store(item, BOOL if t.type_of(item) == BOOL else INT)};")

        t.generate(term, add) if isinstance(term, Generator) else t.each(term, add)
        return found

    def any_is(term: Term) -> Term:
        return t.first(term, lambda item: (item, TRUE), FALSE)

    def all_are(term: Term) -> Term:
        return t.first(term, lambda item: (t.negated(item), FALSE), TRUE)

    def next_of(term: Term, otherwise: Term | None = None) -> Term:
        return t.first(term, lambda item: (TRUE, item), otherwise)

    def pairs(*terms: Term, strict: Term = TRUE) -> Term:
        found = [row for row in map(t.listed, terms) if row is not None]
        if len(found) < len(terms) or len({len(row) for row in found}) != 1:
            raise t.refuse("zip of what has no known and equal length")
        return Row([Row(list(row)) for row in zip(*found, strict=True)])

    def has(term: Term, name: Term) -> Term:
        wanted = name.value  # type: ignore[attr-defined]
        if isinstance(term, Constant):
            return Constant(hasattr(term.value, wanted))
        type_ = t.type_of(term)
        cls = t.class_of(term)
        if type_ == NEVER:
            return Value(NEVER, "0")
        return Constant(hasattr(cls.value, wanted)) if isinstance(cls, Constant) else FALSE

    def replaced(term: Term, **changes: Term) -> Term:
        parts = t.parts(term)
        if parts is None:
            return never_or(term, "this has no fields to replace")
        cls: type[Any] = term.cls if isinstance(term, Built) else t.class_of(term).value  # type: ignore[attr-defined]
        return Built(cls, parts | changes)

    def queued(term: Term) -> Term:
        return t.collected(term, True)

    def appended(term: Term, item: Term) -> Term:
        return t.concatenated([term, [item]], True)

    def dropped(term: Term, count: Term) -> Term:
        return t.without_first(term, count)

    def oldest(term: Term, count: Term) -> Term:
        limit = t.variable(INT, t.store(count, INT))
        return picked(term, False, lambda at: f"{at} < {limit.text}")

    def removed(term: Term, place: Term) -> Term:
        gone = t.variable(INT, t.store(place, INT))
        return picked(term, True, lambda at: f"{at} != {gone.text}")

    def picked(term: Term, fifo: bool, test: Callable[[str], str]) -> Term:
        known = t.listed(term)
        if known is not None:
            term = t.concatenated([known], fifo)
        if not isinstance(term, Value) or not isinstance(term.type, List):
            return never_or(term, "this is no queue")
        made = Value(List(term.type.item, fifo), t.fresh())
        t.write(f"{t.layout.c(made.type)} {made.text}; {made.text}.n = 0;")

        def one(row: Term) -> None:
            at, item = items(row)
            t.write(f"if ({test(t.store(at, INT))}) {{")
            t.push(made, item)
            t.write("}")

        t.each(Counted(term), one)
        return made

    t.intrinsics |= {
        isinstance: of_class,
        len: length,
        bytes: one_byte,
        bool: t.truth,
        max: largest,
        sum: total,
        any: any_is,
        all: all_are,
        next: next_of,
        zip: pairs,
        type: t.class_of,
        hasattr: has,
        tuple: t.collected,
        list: t.collected,
        enumerate: Counted,
        dataclasses.replace: replaced,
        Fifo: queued,
        "._replace": replaced,
        ".append": appended,
        ".drop": dropped,
        ".oldest": oldest,
        ".remove": removed,
    }
