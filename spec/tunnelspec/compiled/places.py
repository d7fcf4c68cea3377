"""What the generated code has at hand: locals, fields of values and items of collections, each worked out once."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Mapping
from typing import Any

from tunnelspec.compiled.forms import class_of, field_hint, is_named_tuple, item_hint, open_form
from tunnelspec.compiled.terms import Atom, Block, Known, Made, Names, Refused, Run, Scope, Several, Term
from tunnelspec.fifo import Fifo

ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Mod: ("%", operator.mod),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.BitAnd: ("&", operator.and_),
    ast.Pow: ("**", operator.pow),
}


class Places:
    """Writes what is at hand into blocks."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.exact: dict[str, type[Any]] = {}  # a local -> its class, where that is known
        self.types: dict[str, Any] = {}  # a local -> its annotation
        self.roots: set[str] = set()  # the event and the contexts: their fields can be had at any time
        self.sources: dict[str, str] = {}  # what is at hand only once it was asked for -> where it comes from
        self.newest: dict[str, Term] = {}  # a queue -> what was appended to it last
        self.lengths: set[str] = set()  # the locals that are lengths
        self.lists: set[str] = set()  # the locals that are lists made here

    def text(self, term: Term, block: Block) -> str:
        """The value at hand: what is not built yet is built now, once."""
        match term:
            case Atom(text):
                if text in self.sources and text not in block.known:
                    self._write(text, self.sources[text], text, block)
                return text
            case Known(value):
                return self.names.of(value)
            case Run(text):
                return self.local(f"tuple({text})", "tuple", block).text
        try:
            return self.names.of(self.names.constant(term))
        except LookupError:
            pass
        if isinstance(term, Several):
            if len(term.items) == 1 and isinstance(term.items[0], Run):
                return f"tuple({term.items[0].text})"
            parts = (f"*{item.text}" if isinstance(item, Run) else self.text(item, block) for item in term.items)
            return f"({''.join(f'{part}, ' for part in parts)})"
        if term not in block.built:
            block.built[term] = self._build(term.cls, term.fields, block)
        return block.built[term]

    def local(self, text: str, stem: str, block: Block) -> Atom:
        """The local that holds an expression's value, written now unless it is there."""
        if text not in block.known:
            self._write(text, text, self.names.fresh(stem), block)
        return block.known[text]

    def _write(self, text: str, source: str, name: str, block: Block) -> None:
        """``name = source``; in a loop, what is the same each time round stands before it."""
        block.known[text] = Atom(name)
        while block.around is not None and (text == name or text.partition(".")[0] in self.roots):
            block = block.around
            block.known[text] = Atom(name)
        block.line(f"{name} = {source}")

    def hint(self, term: Term) -> Any:
        """The class of a value, or its annotation; None where it is not known."""
        match term:
            case Made(cls):
                return cls
            case Known(value):
                return type(value)
            case Atom(text):
                return self.exact.get(text) or self.types.get(text)
        return None

    def name(self, name: str, scope: Scope) -> Term:
        """What a name means."""
        if name in scope.locals:
            return scope.locals[name]
        if name in scope.globals:
            return Known(scope.globals[name])
        if hasattr(builtins, name):
            return Known(getattr(builtins, name))
        raise Refused(f"{name} is nowhere")

    def attribute(self, base: Term, name: str, block: Block) -> Term:
        """A field of a value."""
        match base:
            case Made(_, fields) if name in fields:
                return fields[name]
            case Known(value):
                return Known(getattr(value, name))
            case Atom():
                text = self.text(base, block)
                local = self.local(f"{text}.{name}", name.lstrip("_"), block)
                hint = self.hint(base)
                if f"{text}.{name}" in self.exact:
                    self.exact[local.text] = self.exact[f"{text}.{name}"]
                elif class_of(hint) is Fifo and name == "_items":
                    self.types[local.text] = list[item_hint(hint)]  # type: ignore[misc]  # an annotation made here
                else:
                    self.types.setdefault(local.text, field_hint(hint, name))
                return local
        raise Refused(f"no field {name}")

    def item(self, base: Term, place: Term, block: Block) -> Term:
        """What stands at a place."""
        match base, place:
            case Several(items), Known(int(at)) if not any(isinstance(item, Run) for item in items):
                if -len(items) <= at < len(items):
                    return items[at]
            case Atom(text), Known(-1) if text in self.newest:
                return self.newest[text]  # the law of a queue: what was appended last is its last
            case (Atom(), _):
                of: Term = base
                where, hint = place, self.hint(base)
                if class_of(hint) is Fifo and self._is_within(base, place, block):
                    where = self.arithmetic(ast.Add, self.attribute(base, "_start", block), place, block)
                    of = self.attribute(base, "_items", block)
                local = self.local(f"{self.text(of, block)}[{self.text(where, block)}]", "item", block)
                if class_of(hint) is Fifo:
                    self.types.setdefault(local.text, item_hint(hint))
                return local
        raise Refused("no such item")

    def _is_within(self, queue: Term, place: Term, block: Block) -> bool:
        """Whether it is known that a queue has an item there."""
        count, at = self.text(self.length(queue, block), block), self.text(place, block)
        starts = at == "0" or block.facts.get(f"{at} < 0") is False
        return starts and (block.facts.get(f"{at} < {count}") is True)

    def length(self, of: Term, block: Block) -> Term:
        """How long it is."""
        if class_of(self.hint(of)) is Fifo and not isinstance(of, Known):
            stop, start = self.attribute(of, "_stop", block), self.attribute(of, "_start", block)
            count = self.arithmetic(ast.Sub, stop, start, block)
        elif isinstance(of, Run):
            count = self.local(f"len({of.text})", "len", block)
        else:
            count = self.local(f"len({self.text(of, block)})", "len", block)
        if isinstance(count, Atom):
            self.lengths.add(count.text)
        return count

    def part(self, base: Term, start: Term, stop: Term, block: Block) -> Term:
        """A part of a list: the tables make tuples of it."""
        hint = self.hint(base)
        if class_of(hint) is not list:
            raise Refused("a part of what is not a list")
        whole = isinstance(base, Atom) and base.text in self.lists and start == Known(0)
        text = self.text(base, block)
        if whole and stop == self.length(base, block):
            return Run(text, item_hint(hint))
        return Run(f"{text}[{self.text(start, block)}:{self.text(stop, block)}]", item_hint(hint))

    def run(self, of: Term, block: Block) -> tuple[Term, ...]:
        """The items of a collection, as they stand in a tuple."""
        match of:
            case Several(items):
                return items
            case Known(value) if isinstance(value, tuple):
                return tuple(map(Known, value))
            case Run():
                return (of,)
        hint = self.hint(of)
        if class_of(hint) is Fifo and not isinstance(of, Known):
            list_, start, stop = (self.attribute(of, field, block) for field in Fifo.__slots__)
            return self.run(self.part(list_, start, stop, block), block)
        return (Run(self.text(of, block), item_hint(hint)),)

    def arithmetic(self, op: type[ast.operator], left: Term, right: Term, block: Block) -> Term:
        """What an operator gives."""
        sign, work = ARITHMETIC[op]
        if isinstance(left, Known) and isinstance(right, Known):
            return Known(work(left.value, right.value))
        if op in (ast.Add, ast.Sub) and right == Known(0):
            return left
        return self.local(f"{self.text(left, block)} {sign} {self.text(right, block)}", "n", block)

    def _build(self, cls: type[Any], fields: Mapping[str, Term], block: Block) -> str:
        texts = {name: self.text(term, block) for name, term in fields.items()}
        name = self.names.fresh(cls.__name__.lower())
        if is_named_tuple(cls):
            block.line(f"{name} = tuple_new({self.names.of(cls)}, ({', '.join(texts.values())},))")
        else:
            frozen = cls is not Fifo  # then an open one of the same form is filled in
            new = f"{self.names.of(open_form(cls))}()" if frozen else f"new({self.names.of(cls)})"
            block.line(f"{name} = {new}")
            for field, text in texts.items():
                block.line(f"{name}.{field} = {text}")
            if frozen:
                block.line(f"{name}.__class__ = {self.names.of(cls)}")
        self.exact[name] = cls
        return name
