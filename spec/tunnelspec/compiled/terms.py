"""What the compiler knows of a value while it writes code: its text, or what it is made of, or the value itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


class Refused(Exception):
    """The compiler does not see through this: the interpreter runs it."""


class Fork(Refused):
    """What comes out depends on this condition: it is to be decided before, and then asked for again."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


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
class Several:
    """A tuple, item by item."""

    items: tuple[Term, ...]


Term: TypeAlias = Atom | Known | Made | Several
LITERALS = (int, str, bytes, bool, type(None))


def is_named_tuple(cls: object) -> bool:
    """Whether it is a class made by ``NamedTuple``, with nothing of its own in how it is built."""
    return (
        isinstance(cls, type)
        and issubclass(cls, tuple)
        and cls.__mro__[1:] == (tuple, object)
        and hasattr(cls, "_fields")
    )


def field_names(cls: object) -> tuple[str, ...]:
    """The fields of a class made by ``NamedTuple``; none of any other."""
    return tuple(getattr(cls, "_fields", ())) if is_named_tuple(cls) else ()


def is_plain_dataclass(cls: object) -> bool:
    """Whether it is a frozen dataclass with slots whose making does no more than to set its fields."""
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)) or hasattr(cls, "__post_init__"):
        return False
    own = cls.__dict__.get("__slots__", ())
    plain = all(f.init and f.default_factory is dataclasses.MISSING for f in dataclasses.fields(cls))
    return plain and cls.__dictoffset__ == 0 and own == tuple(f.name for f in dataclasses.fields(cls))


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
    built: dict[Made, str] = field(default_factory=dict)  # what was built on the way here

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def where(self, condition: str, holds: bool) -> Block:
        """The same place, once the condition is decided; where it holds, one deeper."""
        facts = {**self.facts, condition: holds}
        return Block(self.lines, self.depth + holds, dict(self.known), facts, dict(self.built))


class Names:
    """The names of a piece of generated code: its locals, and the objects it refers to."""

    def __init__(self, **objects: Any) -> None:
        self.objects: dict[str, Any] = dict(objects)
        self._count = 0

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

    @staticmethod
    def _candidates(stem: str) -> Iterator[str]:
        yield f"{stem}_" if stem in ("e", "s", "c", "new", "tuple_new") else stem
        count = 2
        while True:
            yield f"{stem}__{count}"
            count += 1
