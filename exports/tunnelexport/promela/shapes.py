"""What values can be where: the types of the translation, and how they grow.

Annotations say ``Any`` where a table does not care, so types are not read but found: the translation is run again and again, each
time with what had flowed where, until nothing grows. A field that never has but one value keeps it as its type (``Known``): it is
then no part of the state, and what depends on it is decided before SPIN runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from tunnelspec.endpoint import Endpoint, Local, Taken
from tunnelspec.fifo import Fifo
from tunnelspec.machine import Machine, Step, Transition


class Refused(Exception):
    """What cannot be translated: the message has file and line."""


@dataclass(frozen=True)
class Type:
    """What a value can be."""


@dataclass(frozen=True)
class Never(Type):
    """Nothing flowed here yet."""


@dataclass(frozen=True)
class Scalar(Type):
    """A number in C. ``bool``; ``int``; ``str``, ``bytes``, ``type`` and ``object``, by their numbers."""

    kind: str


@dataclass(frozen=True, eq=False)
class Known(Type):
    """Exactly this value. Two are equal if their values are, and of one type: 0 is not False."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and same(self.value, other.value)

    def __hash__(self) -> int:
        return hash(type(self.value))


@dataclass(frozen=True)
class Record(Type):
    """A NamedTuple or dataclass. What its fields can be is kept for the class, but for ``Local``, which has many kinds."""

    cls: type[Any]
    parts: tuple[tuple[str, Type], ...] = ()


@dataclass(frozen=True)
class List(Type):
    """Any number of values, up to a capacity. ``fifo``: as a ``Fifo``, not a tuple."""

    item: Type
    fifo: bool = False


@dataclass(frozen=True)
class Pair(Type):
    """A tuple of fixed length."""

    items: tuple[Type, ...]


@dataclass(frozen=True)
class Union(Type):
    """One of several, told apart by a tag. None is ``Known(None)``."""

    members: frozenset[Type]


NEVER = Never()
NONE = Known(None)
BOOL, INT, STR, BYTES, CLASS, OBJECT = (Scalar(kind) for kind in ("bool", "int", "str", "bytes", "type", "object"))
SCALARS: Mapping[type[Any], Scalar] = {bool: BOOL, int: INT, bytes: BYTES, Machine: OBJECT, Transition: OBJECT}


def same(a: Any, b: Any) -> bool:
    """Equal, and of one type, all the way down."""
    if type(a) is not type(b) or a != b:
        return False
    return all(same(x, y) for x, y in zip(a, b, strict=True)) if isinstance(a, tuple) else True


def is_record(value: Any) -> bool:
    return hasattr(value, "_fields") or (is_dataclass(value) and not isinstance(value, type))


def names(cls: type[Any]) -> tuple[str, ...]:
    """The fields of a record's class."""
    return cls._fields if hasattr(cls, "_fields") else tuple(f.name for f in fields(cls))


def members(type_: Type) -> tuple[Type, ...]:
    """What a value of this type can be, one by one, in a fixed order."""
    found = type_.members if isinstance(type_, Union) else () if type_ == NEVER else (type_,)
    return tuple(sorted(found, key=tag))


def tag(type_: Type) -> str:
    """The name of a union's member."""
    if isinstance(type_, Record):
        return type_.cls.__name__
    if isinstance(type_, Scalar):
        return type_.kind
    if type_ == NONE:
        return "NoneType"
    return "tuple"


class Shapes:
    """What has flowed where so far."""

    def __init__(self) -> None:
        self.fields: dict[tuple[type[Any], str], Type] = {}
        self.components: dict[str, Type] = {}
        self.heard: dict[str, Type] = {}  # endpoint role -> what its machines hear, from outside and from one another
        self.places: dict[str, tuple[Type, ...]] = {}  # endpoint role -> where each of its machines can stand
        self.grew = False
        self._note(Taken, {"machine": OBJECT, "source": STR, "step": Record(Step)})
        self._note(Step, {"transition": OBJECT, "state": STR, "context": NEVER, "outputs": NEVER})

    def _note(self, cls: type[Any], parts: dict[str, Type]) -> None:
        self.fields |= {(cls, name): type_ for name, type_ in parts.items()}

    def field(self, record: Record, name: str) -> Type:
        """What a record's field can be."""
        if record.parts:
            return dict(record.parts)[name]
        return self.fields.get((record.cls, name), NEVER)

    def flow(self, cls: type[Any], name: str, type_: Type) -> None:
        """A value of this type goes into a field."""
        before = self.fields.get((cls, name), NEVER)
        after = self.join(before, type_)
        if after != before:
            self.fields[cls, name] = after
            self.grew = True

    def component(self, name: str, type_: Type) -> None:
        """A value of this type becomes a component of the world."""
        before = self.components.get(name, NEVER)
        after = self.join(before, type_)
        if after != before:
            self.components[name] = after
            self.grew = True

    def hears(self, endpoint: Endpoint, type_: Type) -> None:
        """An endpoint's machines hear a value of this type."""
        before = self.heard.get(endpoint.role, NEVER)
        after = self.join(before, self.widened(type_))
        if after != before:
            self.heard[endpoint.role] = after
            self.grew = True

    def stands(self, endpoint: Endpoint, place: int, type_: Type) -> None:
        """An endpoint's machine stands there."""
        before = self.places.setdefault(endpoint.role, tuple(NEVER for _ in endpoint.machines))
        after = list(before)
        after[place] = self.join(before[place], self.widened(type_))
        if tuple(after) != before:
            self.places[endpoint.role] = tuple(after)
            self.grew = True

    # -- growing ------------------------------------------------------------------------------------------------------

    def widened(self, type_: Type) -> Type:
        """The type of values like this one."""
        if not isinstance(type_, Known) or type_.value is None:
            return type_
        value = type_.value
        if isinstance(value, str):
            return STR
        if isinstance(value, type):
            return CLASS
        if type(value) in SCALARS:
            return SCALARS[type(value)]
        if isinstance(value, Local):
            return Record(Local, (("state", STR), ("context", self.widened(Known(value.context)))))
        if is_record(value):
            for name in names(type(value)):
                self.flow(type(value), name, Known(getattr(value, name)))
            return Record(type(value))
        if isinstance(value, tuple | Fifo):
            items = [Known(item) for item in value]
            if any(isinstance(item, Local) for item in value):
                return Pair(tuple(self.widened(item) for item in items))
            return List(self.joined(self.widened(item) for item in items), isinstance(value, Fifo))
        raise Refused(f"a value that has no type in C: {value!r}")

    def joined(self, types: Iterable[Type]) -> Type:
        found: Type = NEVER
        for type_ in types:
            found = self.join(found, type_)
        return found

    def join(self, a: Type, b: Type) -> Type:
        """The smallest type that has the values of both."""
        if a == b or b == NEVER:
            return a
        if a == NEVER:
            return b
        a, b = self.widened(a), self.widened(b)
        if a == b:
            return a
        if {a, b} == {BOOL, INT}:
            return INT
        if isinstance(a, List) and isinstance(b, List):
            if a.fifo != b.fifo and NEVER not in (a.item, b.item):
                raise Refused("a Fifo and a tuple in one place")
            return List(self.join(a.item, b.item), a.fifo or b.fifo)
        if isinstance(a, Pair) and isinstance(b, Pair) and len(a.items) == len(b.items):
            return Pair(tuple(self.join(x, y) for x, y in zip(a.items, b.items, strict=True)))
        if isinstance(a, Record) and isinstance(b, Record) and a.cls is b.cls:
            parts = zip(a.parts, b.parts, strict=True)
            return Record(a.cls, tuple((name, self.join(x, y)) for (name, x), (_, y) in parts))
        found: dict[str, Type] = {}
        for member in (*members(a), *members(b)):
            name = tag(member)
            if name in found and not isinstance(a, Union) and not isinstance(b, Union):
                raise Refused(f"{a} and {b} in one place")
            found[name] = self.join(found[name], member) if name in found else member
        return Union(frozenset(found.values()))
