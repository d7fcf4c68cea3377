"""How values lie in C: structs, their equality, and the one row of bytes that a state is.

A state is written as bytes, item by item, so that equal states are equal bytes whatever lies in unused room. Numbers that
fit take one byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tunnelexport.promela.shapes import (
    NEVER,
    NONE,
    Known,
    List,
    Pair,
    Record,
    Refused,
    Scalar,
    Shapes,
    Type,
    Union,
    members,
    names,
    tag,
)
from tunnelspec.machine import Machine, Transition

ROOM = 16
"""How many items a list holds; one more is an error, never a loss."""

LONG = 257
"""Bytes are numbers: 0 for none, 1 to 256 for one, and from here on those of more than one, in the order of their use."""

WIDE = {"Taken": 64}
"""More room, by what a list is of."""

PRELUDE = """\
#define need(holds, where) do { if (!(holds)) failed(where); } while (0)
static int mod(int a, int b) { int r = a % b; return r < 0 ? r + b : r; }
static int over(int a, int b) { return (a - mod(a, b)) / b; }
static int place(int at, int n, const char *where) { need(at >= -n && at < n, where); return at < 0 ? at + n : at; }
static void put(uchar **to, int x) { \
if (x >= -16 && x < 224) { *(*to)++ = (uchar) (x + 16); return; } \
need(x >= -32768 && x < 32768, "a number beyond 16 bits"); \
*(*to)++ = 255; *(*to)++ = (uchar) (x & 255); *(*to)++ = (uchar) ((x >> 8) & 255); }
static int take(const uchar **from) { \
int x = *(*from)++; \
if (x < 255) return x - 16; \
x = (*from)[0] | ((*from)[1] << 8); *from += 2; return x > 32767 ? x - 65536 : x; }
"""


def stored(type_: Type) -> bool:
    """Whether there is anything to store."""
    return not isinstance(type_, Known) and type_ != NEVER


def literal(words: str) -> str:
    """A C string; SPIN's lexer wants no quotes and no backslashes in it."""
    return '"' + re.sub(r"[^ -!#-&(-\[\]-~]", " ", words) + '"'


class Layout:
    """The numbers and structs of one model."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self._numbers: dict[str, dict[Any, int]] = {
            "str": {"": 0}
        }  # of each kind, its values in the order of their use
        self._enums: dict[str, int] = {}
        self._structs: dict[Type, str] = {}

    # -- numbers ------------------------------------------------------------------------------------------------------

    def number(self, value: Any) -> str:
        """A scalar in C."""
        if isinstance(value, bool | int):
            return str(int(value)) if value >= 0 else f"({int(value)})"
        if isinstance(value, bytes):
            if len(value) > 1:
                return str(LONG + self._number("bytes", value))
            return str(1 + value[0]) if value else "0"
        if isinstance(value, str):
            return self._enum("S", "str", value, value)
        if isinstance(value, type):
            return self.class_(value.__name__)
        if isinstance(value, Machine | Transition):
            return self._enum("O", "object", value, value.id)
        raise Refused(f"a value that is no number in C: {value!r}")

    def class_(self, name: str) -> str:
        """The number of a class, by its name: a union's tag."""
        return self._enum("C", "type", name, name)

    def _number(self, kind: str, key: Any) -> int:
        known = self._numbers.setdefault(kind, {})
        return known.setdefault(key, len(known))

    def _enum(self, prefix: str, kind: str, key: Any, words: str) -> str:
        number = self._number(kind, key)
        name = f"{prefix}_{re.sub(r'[^A-Za-z0-9]', '_', words)[:40]}"
        if self._enums.setdefault(name, number) != number:
            name = f"{name}_{number}"
            self._enums[name] = number
        return name

    def names(self) -> str:
        """The numbers, named; and of the objects, which are machines and transitions, their ids."""
        objects = [key.id for key in self._numbers.get("object", {})] or [""]
        firsts = [str(key[0]) for key in self._numbers.get("bytes", {})] or ["0"]
        ids = ", ".join(self.number(id_) for id_ in objects)
        rows = [f"enum {{ {name} = {number} }};" for name, number in self._enums.items()]
        rows.append(f"static const short object_id[] = {{ {ids} }};")
        rows.append(f"static const char *const object_name[] = {{ {', '.join(map(literal, objects))} }};")
        rows.append(f"static const int first_of_long[] = {{ {', '.join(firsts)} }};")
        rows.append(f"static int first_byte(int x) {{ return x < {LONG} ? x - 1 : first_of_long[x - {LONG}]; }}")
        rows.append(f"static char taken[{len(objects)}];")
        return "\n".join(rows) + "\n"

    # -- structs ------------------------------------------------------------------------------------------------------

    def c(self, type_: Type) -> str:
        """The C type of a stored value."""
        if isinstance(type_, Scalar):
            return "int"
        if type_ not in self._structs:
            plain = isinstance(type_, Record) and not type_.parts
            words = type_.cls.__name__ if isinstance(type_, Record) else type(type_).__name__
            self._structs[type_] = f"T_{words}" if plain else f"T_{words}_{len(self._structs)}"
        return self._structs[type_]

    def room(self, list_: List) -> int:
        return WIDE.get(tag(list_.item), ROOM)

    def parts(self, type_: Type) -> list[tuple[str, Type]]:
        """The stored parts of a record or a pair, by their C names."""
        if isinstance(type_, Record):
            found = [(f"f_{name}", self.shapes.field(type_, name)) for name in names(type_.cls)]
        elif isinstance(type_, Pair):
            found = [(f"f_{place}", item) for place, item in enumerate(type_.items)]
        else:
            raise Refused(f"no parts: {type_}")
        return [(name, part) for name, part in found if stored(part)]

    def declare(self) -> list[str]:
        """Structs with what compares, writes and reads them, each after what it needs."""
        done: dict[Type, None] = {}
        rows: list[str] = []

        def visit(type_: Type) -> None:
            if not stored(type_) or isinstance(type_, Scalar) or type_ in done:
                return
            done[type_] = None
            for inner in self._inner(type_):
                visit(inner)
            rows.append(self._struct(type_))

        for type_ in list(self._structs):
            visit(type_)
        return rows

    def _inner(self, type_: Type) -> list[Type]:
        if isinstance(type_, List):
            return [type_.item]
        if isinstance(type_, Union):
            return [member for member in members(type_) if member != NONE]
        return [part for _, part in self.parts(type_)]

    def _struct(self, type_: Type) -> str:
        name = self.c(type_)
        if isinstance(type_, List):
            item = f"{self.c(type_.item)} item[{self.room(type_)}]; " if stored(type_.item) else ""
            body = f"int n; {item}"
            same = f"if (a->n != b->n) return 0; {self._each(type_, 'a->', self._unequal(type_.item, 'a->item[i]', 'b->item[i]'))}"
            write = f"put(to, x->n); {self._each(type_, 'x->', self.write(type_.item, 'x->item[i]'))}"
            read = f"x->n = take(from); {self._each(type_, 'x->', self.read(type_.item, 'x->item[i]'))}"
        elif isinstance(type_, Union):
            inner = [member for member in members(type_) if member != NONE and self.holds(member)]
            slots = " ".join(f"{self.c(member)} as_{tag(member)};" for member in inner)
            body = f"int tag; union {{ {slots} }} u;" if inner else "int tag;"
            same = "if (a->tag != b->tag) return 0; " + self._switch(
                "a", inner, lambda m: self._unequal(m, f"a->u.as_{tag(m)}", f"b->u.as_{tag(m)}")
            )
            write = "put(to, x->tag); " + self._switch("x", inner, lambda m: self.write(m, f"x->u.as_{tag(m)}"))
            read = "x->tag = take(from); " + self._switch("x", inner, lambda m: self.read(m, f"x->u.as_{tag(m)}"))
        else:
            parts = self.parts(type_)
            body = " ".join(f"{self.c(part)} {field};" for field, part in parts)
            same = " ".join(self._unequal(part, f"a->{field}", f"b->{field}") for field, part in parts)
            write = " ".join(self.write(part, f"x->{field}") for field, part in parts)
            read = " ".join(self.read(part, f"x->{field}") for field, part in parts)
        return (
            f"typedef struct {name} {{ {body} }} {name};\n"
            f"static int same_{name}(const {name} *a, const {name} *b) {{ {same} return 1; }}\n"
            f"static void put_{name}(uchar **to, const {name} *x) {{ {write} }}\n"
            f"static void take_{name}(const uchar **from, {name} *x) {{ {read} }}\n"
        )

    def holds(self, type_: Type) -> bool:
        """Whether a value of this type is more than its class."""
        return not isinstance(type_, Record) or bool(self.parts(type_))

    def _each(self, type_: List, of: str, body: str) -> str:
        return f"{{ int i; for (i = 0; i < {of}n; i++) {{ {body} }} }}" if stored(type_.item) else ""

    def _switch(self, of: str, inner: list[Type], body: Callable[[Type], str]) -> str:
        cases = " ".join(f"case {self.class_(tag(member))}: {{ {body(member)} break; }}" for member in inner)
        return f"switch ({of}->tag) {{ {cases} default: break; }}" if cases else ""

    def _unequal(self, type_: Type, a: str, b: str) -> str:
        if not stored(type_):
            return ""
        return (
            f"if ({a} != {b}) return 0;"
            if isinstance(type_, Scalar)
            else f"if (!same_{self.c(type_)}(&{a}, &{b})) return 0;"
        )

    def write(self, type_: Type, x: str) -> str:
        """C that writes a stored value."""
        if not stored(type_):
            return ""
        return f"put(to, {x});" if isinstance(type_, Scalar) else f"put_{self.c(type_)}(to, &{x});"

    def read(self, type_: Type, x: str) -> str:
        """C that reads one back."""
        if not stored(type_):
            return ""
        return f"{x} = take(from);" if isinstance(type_, Scalar) else f"take_{self.c(type_)}(from, &{x});"

    def same(self, type_: Type, a: str, b: str) -> str:
        """Whether two stored values of one type are equal: a C expression over lvalues."""
        if not stored(type_):
            return "1"
        return f"({a} == {b})" if isinstance(type_, Scalar) else f"same_{self.c(type_)}(&{a}, &{b})"
