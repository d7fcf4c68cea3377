"""Generates the functions that write records.

Pieces are collected in the list ``out`` and joined once, so that a large payload is copied once. Locals hold the pieces
of a record until they must go out, and whatever fails meanwhile knows its offset: the length of all that came before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tunnelref.wire.schema import (
    Absent,
    Bool,
    Data,
    Enum,
    Fixed,
    Int,
    List,
    Map,
    Optional,
    Record,
    Rest,
    Str,
    Type,
    Union,
)
from tunnelref.wire.source import Part, Source, int_runs, parts_of, tuple_of


class Writer:
    """Writes the function that writes one record, with its tag if it is a member of a union."""

    def __init__(self, source: Source, record: Record, version: int) -> None:
        self._source = source
        self._record = record
        self._frame = repr(record.name)
        self._version = version
        self._pieces: list[str] = []  # locals, or constants, that hold bytes which are not in ``out`` yet

    def function(self, name: str, tag: int | None) -> None:
        with self._source.block(f"def {name}(value, out):"):
            self._fields(tag, lambda part: f"value.{_field(part)}")
            if not parts_of(self._record) and tag is None:
                self._source.line("pass")
        self._source.line("")

    def function_of_fields(self, name: str, tag: int) -> None:
        """The same as a frame of its own, from its fields: whoever has them need not make the record."""
        with self._source.block(f"def {name}({', '.join(part.target for part in parts_of(self._record))}):"):
            self._source.line("out = []")
            self._fields(tag, None)
            self._source.line("return join(out)")
        self._source.line("")

    def _fields(self, tag: int | None, read: Callable[[Part], str] | None) -> None:
        if tag is not None:
            self._pieces.append(repr(bytes((tag,))))
        for run in int_runs(parts_of(self._record)):
            if read is not None:
                for part in run:
                    self._source.line(f"{part.target} = {read(part)}")
            if isinstance(run[0].type, Int):
                self._ints(run)
            else:
                self._part(run[0])
        self._flush()

    def _flush(self) -> None:
        if len(self._pieces) == 1:
            self._source.line(f"out.append({self._pieces[0]})")
        elif self._pieces:
            self._source.line(f"out += {tuple_of(self._pieces)}")
        self._pieces.clear()

    def _before(self) -> str:
        return tuple_of(["*out", *self._pieces])

    def _piece(self, expression: str) -> None:
        name = self._source.fresh("p")
        self._source.line(f"{name} = {expression}")
        self._pieces.append(name)

    def _ints(self, run: Sequence[Part]) -> None:
        for part in run:
            with self._source.block(f"if type({part.target}) is not int:"):
                plain = f"plain_int({self._frame}, {part.path}, {part.target}, {self._before()}, '{part.type}')"
                self._source.line(f"{part.target} = {plain}")
        name = self._source.fresh("p")
        arguments = ", ".join(part.target for part in run)
        ranges = tuple_of([f"({p.path}, {p.target}, {', '.join(map(repr, _range(p.type)))})" for p in run])
        bad = f"out_of_range({self._frame}, {ranges}, {self._before()})"
        self._source.attempt(f"{name} = pack_{self._source.struct(run)}({arguments})", "struct_error", bad)
        self._pieces.append(name)

    def _part(self, part: Part) -> None:
        x = part.target
        match part.type:
            case Int():
                self._ints([part])
            case Bool():
                bad = self._wrong(part, "bool")
                self._piece(f"b'\\x01' if {x} is True else b'\\x00' if {x} is False else {bad}")
            case Fixed(width):
                self._bytes(part)
                with self._source.block(f"if len({x}) != {width}:"):
                    self._source.line(f"raise bad_width({self._frame}, {part.path}, {x}, {self._before()}, {width})")
                self._pieces.append(x)
            case Rest():
                self._bytes(part)
                self._pieces.append(x)
            case Data():
                self._bytes(part)
                self._number(f"len({x})")
                self._pieces.append(x)
            case Str():
                raw = self._source.fresh("raw")
                bad = f"bad_text({self._frame}, {part.path}, {x}, {self._before()})"
                self._source.attempt(f"{raw} = utf8({x})", "(TypeError, UnicodeEncodeError)", bad)
                self._number(f"len({raw})")
                self._pieces.append(raw)
            case Enum(cls):
                name = cls.__name__
                bad = self._wrong(part, name)
                self._piece(f"SMALL[{x}] if type({x}) is {name} else {bad}")
            case Optional(inner):
                self._optional(part, inner)
            case List(item):
                self._list(part, item)
            case Map(value):
                self._map(part, value)
            case Union():
                self._union(part, part.type)
            case Record():
                self._flush()
                with self._source.block(f"if type({x}) is not {part.type.name}:"):
                    self._source.line(self._wrong(part, part.type.name))
                self._call(part, f"write_{part.type.name}", "")
            case Absent():
                raise TypeError(f"{part.path}: an absent part cannot be written")

    def _wrong(self, part: Part, due: str) -> str:
        return f"wrong({self._frame}, {part.path}, {part.target}, {self._before()}, {due!r})"

    def _bytes(self, part: Part) -> None:
        with self._source.block(f"if type({part.target}) is not bytes:"):
            plain = f"plain_bytes({self._frame}, {part.path}, {part.target}, {self._before()}, 'bytes')"
            self._source.line(f"{part.target} = {plain}")

    def _number(self, expression: str) -> None:
        self._source.line(f"n = {expression}")
        self._piece("SMALL[n] if n < 128 else uint_bytes(n)")

    def _optional(self, part: Part, inner: Type) -> None:
        self._flush()
        with self._source.block(f"if {part.target} is None:"):
            self._source.line("out.append(b'\\x00')")
        with self._source.block("else:"):
            self._pieces.append("b'\\x01'")
            self._part(part.inner(inner))
            self._flush()

    def _list(self, part: Part, type: Type) -> None:
        item, i = self._source.fresh("item"), self._source.fresh("i")
        with self._source.block(f"if not isinstance({part.target}, tuple):"):
            self._source.line(self._wrong(part, "a tuple"))
        self._number(f"len({part.target})")
        self._flush()
        with self._source.block(f"for {i}, {item} in enumerate({part.target}):"):
            self._part(part.item(item, type, i))
            self._flush()

    def _map(self, part: Part, type: Type) -> None:
        entries, key, item, i = (self._source.fresh(stem) for stem in ("entries", "key", "item", "i"))
        self._source.line(f"{entries} = sorted_pairs({self._frame}, {part.path}, {part.target}, {self._before()})")
        self._number(f"len({entries})")
        self._flush()
        with self._source.block(f"for {i}, ({key}, {item}) in enumerate({entries}):"):
            self._part(part.item(key, Str(), i, ".key"))
            self._part(part.item(item, type, i, ".value"))
            self._flush()

    def _union(self, part: Part, union: Union) -> None:
        self._flush()
        arguments = f"{self._frame}, {part.path}, {part.target}, out, {union.name!r}, {self._version}"
        self._source.attempt(
            f"write = writers_{union.name}[type({part.target})]", "KeyError", f"no_member({arguments})"
        )
        self._call(part, "write", ", member=True")

    def _call(self, part: Part, function: str, member: str) -> None:
        raised = f"error.within({self._frame}, {part.path}{member})"
        self._source.attempt(f"{function}({part.target}, out)", "WireError as error", raised)


def _field(part: Part) -> str:
    return part.target.rstrip("_")


def _range(type: Type) -> tuple[str, int, int, int]:
    assert isinstance(type, Int)
    return str(type), type.low, type.high, type.width
