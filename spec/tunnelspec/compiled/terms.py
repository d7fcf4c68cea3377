"""What the compiler knows of a value while it writes code: its text, or what it is made of, or the value itself."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tunnelspec.compiled.forms import is_named_tuple


class Refused(Exception):
    """The compiler does not see through this: the interpreter runs it."""


class Fork(Refused):
    """What comes out depends on this condition: it is to be decided before, and then asked for again."""

    def __init__(self, condition: ast.expr, scope: Scope) -> None:
        super().__init__(ast.unparse(condition))
        self.condition = condition
        self.scope = scope


@dataclass(frozen=True, slots=True)
class Atom:
    """A value that the generated code has at hand, under this name."""

    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is known already: a number, a class, a function, a limit."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """An object that is not built yet, and may never be: whoever asks for a field gets what it would hold."""

    cls: type[Any]
    fields: Mapping[str, Term]


@dataclass(frozen=True, slots=True)
class Run:
    """A tuple whose items are at hand, one after another, in what this expression gives; ``item`` is the annotation of one."""

    text: str
    item: Any = None


@dataclass(frozen=True, slots=True)
class Several:
    """A tuple, item by item; a ``Run`` among them stands for all of its own."""

    items: tuple[Term, ...]


Term: TypeAlias = Atom | Known | Made | Run | Several
LITERALS = (int, str, bytes, bool, type(None))


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names in a function mean."""

    locals: Mapping[str, Term]
    globals: Mapping[str, Any]


def made(cls: type[Any], positional: tuple[Term, ...], named: Mapping[str, Term]) -> Made:
    """The object that a call of the class makes. Raises ``Refused`` for a call that the class would not take."""
    if is_named_tuple(cls):
        names, defaults = cls._fields, cls._field_defaults
    else:
        fields = dataclasses.fields(cls)
        names = tuple(f.name for f in fields)
        defaults = {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}
    given = {**dict(zip(names, positional, strict=False)), **named}
    found = {
        name: given[name] if name in given else Known(defaults[name])
        for name in names
        if name in given or name in defaults
    }
    if len(positional) > len(names) or len(found) < len(names) or not set(named) <= set(names[len(positional) :]):
        raise Refused(f"{cls.__name__} is not made so")
    return Made(cls, found)


@dataclass(slots=True)
class Block:
    """Where code is being written: its lines, and what is known to hold here."""

    lines: list[str]
    depth: int = 1
    known: dict[str, Atom] = field(default_factory=dict)  # an expression's text -> the local that has its value
    facts: dict[str, bool] = field(default_factory=dict)  # a condition's text -> whether it holds
    equal: dict[str, int] = field(default_factory=dict)  # a local -> the number that it is known to be
    built: dict[Made, str] = field(default_factory=dict)  # what was built on the way here
    done: dict[Any, Term] = field(default_factory=dict)  # a call -> what it gave
    forks: frozenset[Any] = frozenset()  # the conditions that were asked for
    around: Block | None = None  # of a loop's body: where the loop stands

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def where(self, condition: str, holds: bool) -> Block:
        """The same place, once the condition is decided; where it holds, one deeper."""
        here = self._copy(self.lines, self.depth + holds)
        here.facts[condition] = holds
        return here

    def inside(self) -> Block:
        """The body of a loop that is about to be written here."""
        here = self._copy([], self.depth + 1)
        here.around = self
        return here

    def _copy(self, lines: list[str], depth: int) -> Block:
        facts, equal, built, done = dict(self.facts), dict(self.equal), dict(self.built), dict(self.done)
        return Block(lines, depth, dict(self.known), facts, equal, built, done, self.forks, self.around)


class Names:
    """The names of a piece of generated code: its locals, and the objects it refers to."""

    def __init__(self, **objects: Any) -> None:
        self.objects: dict[str, Any] = dict(objects)
        self._count = 0
        self._constants: dict[Any, Any] = {}
        self._sets: dict[frozenset[Any], frozenset[Any]] = {}

    def fresh(self, stem: str) -> str:
        """A local that nothing else has."""
        self._count += 1
        return f"{stem}_{self._count}"

    def of(self, value: Any) -> str:
        """The text for a value: a literal, or a global that holds it."""
        if type(value) in LITERALS:
            return repr(value)
        stem = getattr(value, "__name__", type(value).__name__.upper())
        for name in self._candidates(stem if stem.isidentifier() else "VALUE"):
            if self.objects.setdefault(name, value) is value:
                return name
        raise AssertionError

    def constant(self, term: Term) -> Any:
        """The value of a term that is known through and through: one object for all that are made alike. Raises ``LookupError``."""
        match term:
            case Known(value):
                return value
            case Made(cls, fields) if is_named_tuple(cls) or dataclasses.is_dataclass(cls):
                values = tuple(self.constant(value) for value in fields.values())
                return self._one((cls, *values), lambda: cls(*values))
            case Several(items):
                values = tuple(map(self.constant, items))
                return self._one((tuple, *values), lambda: values)
        raise LookupError

    def _one(self, parts: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        alike = tuple((type(part), part) if type(part) in LITERALS else id(part) for part in parts)
        if alike not in self._constants:
            self._constants[alike] = make(), parts  # what is named by its id must live as long
        return self._constants[alike][0]

    def one_set(self, items: Iterable[Any]) -> frozenset[Any]:
        """One object for all sets of the same items."""
        found = frozenset(items)
        return self._sets.setdefault(found, found)

    @staticmethod
    def _candidates(stem: str) -> Iterator[str]:
        yield f"{stem}_" if stem in ("e", "s", "c", "new", "tuple_new") else stem
        count = 2
        while True:
            yield f"{stem}__{count}"
            count += 1
