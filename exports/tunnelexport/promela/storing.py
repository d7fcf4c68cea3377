"""How a value becomes a C expression of a given type: boxed, widened, copied into a longer list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tunnelexport.promela.layout import stored
from tunnelexport.promela.shapes import (
    BOOL,
    INT,
    NEVER,
    NONE,
    Known,
    List,
    Pair,
    Record,
    Scalar,
    Type,
    Union,
    is_record,
    members,
    names,
    tag,
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
from tunnelexport.promela.writing import Writer
from tunnelspec.fifo import Fifo


class Storing(Writer):
    """Stores values, and reads the parts of what is stored."""

    def store(self, term: Term, to: Type) -> str:
        """A term as a C expression of this type."""
        found = self.type_of(term) if not (rowish(term) and isinstance(to, Pair)) else to
        if isinstance(term, Value) and term.type == to:
            return term.text
        if found == NEVER or not stored(to):
            return "0"
        if isinstance(to, Scalar):
            return self._scalar(term, to)
        if isinstance(to, Union):
            return self._member(term, to)
        if isinstance(to, Record):
            return self._record(term, to)
        if isinstance(to, List):
            return self._list(term, to)
        if isinstance(to, Pair):
            return self._pair(term, to)
        raise self.refuse(f"{found} as {to}")

    def _later(self) -> str:
        """The types have yet to grow: what is written now is thrown away."""
        self.shapes.grew = True
        return "0"

    def _scalar(self, term: Term, to: Scalar) -> str:
        if isinstance(term, Constant) and self.shapes.join(Known(term.value), to) == to:
            return self.layout.number(term.value)
        if isinstance(term, Value) and (term.type == to or (term.type == BOOL and to == INT)):
            return term.text
        if isinstance(term, Value) and isinstance(term.type, Union) and to in term.type.members:
            self.need(f"{term.text}.tag == {self.layout.class_(to.kind)}", f"is no {to.kind}")
            return f"{term.text}.u.as_{to.kind}"
        return self._later()

    def _record(self, term: Term, to: Record) -> str:
        parts = self.parts(term)
        if parts is None or (isinstance(term, Value) and isinstance(term.type, Union)):
            return self._later()
        inits = []
        for name in names(to.cls):
            field = self.shapes.field(to, name)
            if stored(field):
                inits.append(f".f_{name} = {self.store(parts[name], field)}")
        return f"(({self.layout.c(to)}) {{ {', '.join(inits)} }})"

    def _pair(self, term: Term, to: Pair) -> str:
        inner = items(term) if rowish(term) else self.items_of(term)
        if len(inner) != len(to.items):
            return self._later()
        inits = [
            f".f_{place} = {self.store(item, part)}"
            for place, (item, part) in enumerate(zip(inner, to.items, strict=True))
            if stored(part)
        ]
        return f"(({self.layout.c(to)}) {{ {', '.join(inits)} }})"

    def items_of(self, term: Term) -> Sequence[Term]:
        if isinstance(term, Value) and isinstance(term.type, Pair):
            return [self.read(part, f"{term.text}.f_{place}") for place, part in enumerate(term.type.items)]
        return ()

    def _list(self, term: Term, to: List) -> str:
        made = self.variable(to)
        self.write(f"{made.text}.n = 0;")
        if isinstance(term, Constant) and isinstance(term.value, Fifo):
            term = Row([Constant(value) for value in term.value])
        if rowish(term):
            for item in items(term):
                self.push(made, item)
        elif isinstance(term, Value) and isinstance(term.type, List):
            with self.loop(term) as (_, item):
                self.push(made, item)
        else:
            return self._later()
        return made.text

    def push(self, list_: Value, item: Term) -> None:
        """Append to a list that is being made."""
        assert isinstance(list_.type, List)
        self.need(f"{list_.text}.n < {self.layout.room(list_.type)}", "needs more room")
        if stored(list_.type.item):
            text = self.store(item, list_.type.item)
            self.write(f"{list_.text}.item[{list_.text}.n] = {text};")
        self.write(f"{list_.text}.n++;")

    @contextmanager
    def loop(self, list_: Value) -> Iterator[tuple[Value, Term]]:
        """Over the items of a list, each with its place."""
        assert isinstance(list_.type, List)
        at = self.fresh("i")
        self.write(f"{{ int {at}; for ({at} = 0; {at} < {list_.text}.n; {at}++) {{")
        yield Value(INT, at), self.read(list_.type.item, f"{list_.text}.item[{at}]")
        self.write("} }")

    def _member(self, term: Term, to: Union) -> str:
        slots = {tag(member): member for member in members(to)}
        name = self.layout.c(to)
        if isinstance(term, Value) and isinstance(term.type, Union):
            made = self.variable(to)
            self.write(f"{made.text}.tag = {term.text}.tag; switch ({term.text}.tag) {{")
            for member in members(term.type):
                if member == NONE:
                    continue
                if tag(member) not in slots:
                    return self._later()
                self.write(f"case {self.layout.class_(tag(member))}: {{")
                slot = slots[tag(member)]
                if self.layout.holds(slot):
                    text = self.store(self.member(term, member), slot)
                    self.write(f"{made.text}.u.as_{tag(member)} = {text};")
                self.write("break; }")
            self.write("default: break; }")
            return made.text
        found = self.shapes.widened(self.type_of(term))
        if tag(found) not in slots:
            return self._later()
        slot = slots[tag(found)]
        inits = f".tag = {self.layout.class_(tag(found))}"
        if slot != NONE and self.layout.holds(slot):
            inits += f", .u.as_{tag(found)} = {self.store(term, slot)}"
        return f"(({name}) {{ {inits} }})"

    def member(self, term: Value, member: Type) -> Term:
        """A union's value, known to be this member."""
        if member == NONE:
            return Constant(None)
        if not self.layout.holds(member):
            return Value(member, f"(({self.layout.c(member)}) {{ }})")
        return Value(member, f"{term.text}.u.as_{tag(member)}")

    def parts(self, term: Term) -> dict[str, Term] | None:
        """A record's fields; None for anything else."""
        if isinstance(term, Built):
            return dict(term.parts)
        if isinstance(term, Constant) and is_record(term.value):
            return {name: Constant(getattr(term.value, name)) for name in names(type(term.value))}
        if isinstance(term, Value) and isinstance(term.type, Record):
            type_ = term.type
            return {
                name: self.read(self.shapes.field(type_, name), f"{term.text}.f_{name}") for name in names(type_.cls)
            }
        return None
