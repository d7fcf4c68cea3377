"""Generates the functions that read records.

Consecutive fields of fixed size need one bounds check, and none of their own if a byte is read after them anyway
(``try`` costs nothing until it fails). In the generated code ``o`` is the offset and ``end`` the frame's length; a
length or a count is checked against what is left before anything is made from it.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    least_size,
)
from tunnelref.wire.source import Part, Source, fixed_width, int_runs, local, parts_of, tuple_of


def _at(delta: int) -> str:
    return f"o + {delta}" if delta else "o"


class Reader:
    """Writes the function that reads one record."""

    def __init__(self, source: Source, record: Record) -> None:
        self._source = source
        self._record = record
        self._frame = repr(record.name)

    def function(self) -> None:
        record, source = self._record, self._source
        with source.block(f"def read_{record.name}(data, o, end):"):
            if not record.fields:
                source.line(f"return void_{record.name}, o")
                return
            self._sequence(parts_of(record))
            self._construct()
        source.line("")

    def _construct(self) -> None:
        """Makes the frozen dataclass through its slots, in half the time of its ``__init__``: the same object."""
        name = self._record.name
        self._source.line(f"value = new({name})")
        for field in self._record.fields:
            value = repr(field.type.value) if isinstance(field.type, Absent) else local(field.name)
            self._source.line(f"set_{name}_{field.name}(value, {value})")
        self._source.line("return value, o")

    def _sequence(self, parts: Sequence[Part]) -> None:
        """Parts one after the other: runs of fixed size, each checked together with the byte that follows it."""
        run: list[Part] = []
        for part in parts:
            if fixed_width(part.type) is not None:
                run.append(part)
            else:
                self._segment(run, part)
                run = []
        if run:
            self._segment(run, None)

    def _segment(self, run: Sequence[Part], head: Part | None) -> None:
        width = sum(fixed_width(part.type) or 0 for part in run)
        spans = [f"({part.path}, {fixed_width(part.type)})" for part in run]
        match head.type if head else None:
            case Str() | Data() | Optional() | List() | Map():
                assert head
                missing = f"short({self._frame}, {tuple_of([*spans, f'({head.path}, 1)'])}, o, end)"
                self._source.attempt(f"n = data[{_at(width)}]", "IndexError", missing)
                self._fixed(run)
                self._source.line(f"o += {width + 1}")
                self._headed(head)
            case Enum() | Union():
                assert head
                name, target = self._choice(head)
                missing = f"unknown({self._frame}, {tuple_of([*spans, f'({head.path}, 1)'])}, data, o, {name!r})"
                self._source.attempt(f"{target} = members_{name}[data[{_at(width)}]]", "IndexError", missing)
                self._fixed(run)
                self._source.line(f"o += {width + 1}")
                if isinstance(head.type, Union):
                    self._call(head, "read", ", member=True")
            case _:
                if len(run) > 1 or (run and not isinstance(run[0].type, Bool)):  # a lone bool checks for itself
                    with self._source.block(f"if end - o < {width}:"):
                        self._source.line(f"raise short({self._frame}, {tuple_of(spans)}, o, end)")
                self._fixed(run)
                if run:
                    self._source.line(f"o += {width}")
                if head:
                    self._headless(head)

    @staticmethod
    def _choice(head: Part) -> tuple[str, str]:
        if isinstance(head.type, Enum):
            return head.type.cls.__name__, head.target
        assert isinstance(head.type, Union)
        return head.type.name, "read"

    def _fixed(self, run: Sequence[Part]) -> None:
        """Fields of fixed size whose bytes are known to be there."""
        delta = 0
        for parts in int_runs(run):
            first = parts[0]
            match first.type:
                case Int():
                    targets = "".join(f"{part.target}, " for part in parts).strip()
                    self._source.line(f"{targets} = unpack_{self._source.struct(parts)}(data, {_at(delta)})")
                case Bool():
                    bad = f"bad_bool({self._frame}, {first.path}, data, {_at(delta)})"
                    self._source.attempt(f"{first.target} = BOOLS[data[{_at(delta)}]]", "IndexError", bad)
                case Fixed(width):
                    self._source.line(f"{first.target} = data[{_at(delta)}:{_at(delta + width)}]")
            delta += sum(fixed_width(part.type) or 0 for part in parts)

    def _headed(self, part: Part) -> None:
        """A part whose first byte is in ``n``; ``o`` is past it."""
        match part.type:
            case Str() | Data():
                self._length(part)
            case Optional(inner):
                with self._source.block("if n == 0:"):
                    self._source.line(f"{part.target} = None")
                with self._source.block("elif n == 1:"):
                    self._sequence([part.inner(inner)])
                with self._source.block("else:"):
                    self._source.line(f"raise bad_optional({self._frame}, {part.path}, n, o - 1)")
            case List(item):
                self._list(part, item)
            case Map(value):
                self._map(part, value)

    def _long_number(self, part: Part) -> None:
        with self._source.block("if n > 127:"):
            self._source.line(f"n, o = read_uint(data, o - 1, {self._frame}, {part.path})")

    def _length(self, part: Part) -> None:
        self._long_number(part)
        self._source.line("s = o")
        self._source.line("o += n")
        with self._source.block("if o > end:"):
            self._source.line(f"raise beyond({self._frame}, {part.path}, s, n, end)")
        if isinstance(part.type, Data):
            self._source.line(f"{part.target} = data[s:o]")
        else:
            bad = f"bad_utf8({self._frame}, {part.path}, s, error)"
            self._source.attempt(f"{part.target} = data[s:o].decode()", "UnicodeDecodeError as error", bad)

    def _count(self, part: Part, least: int) -> None:
        assert least > 0, f"{part.path}: items of no bytes"
        self._long_number(part)
        with self._source.block(f"if n * {least} > end - o:"):
            self._source.line(f"raise crowded({self._frame}, {part.path}, o, n, end)")

    def _list(self, part: Part, type: Type) -> None:
        items, item, i = (self._source.fresh(stem) for stem in ("items", "item", "i"))
        self._count(part, least_size(type))
        self._source.line(f"{items} = []")
        with self._source.block(f"for {i} in range(n):"):
            self._sequence([part.item(item, type, i)])
            self._source.line(f"{items}.append({item})")
        self._source.line(f"{part.target} = tuple({items})")

    def _map(self, part: Part, type: Type) -> None:
        entries, key, item, i, start = (self._source.fresh(stem) for stem in ("entries", "key", "item", "i", "start"))
        self._count(part, 1 + least_size(type))
        self._source.line(f"{entries} = {{}}")
        with self._source.block(f"for {i} in range(n):"):
            key_part = part.item(key, Str(), i, ".key")
            self._source.line(f"{start} = o")
            self._sequence([key_part])
            with self._source.block(f"if {key} in {entries}:"):
                self._source.line(f"raise twice({self._frame}, {key_part.path}, {start}, {key})")
            self._sequence([part.item(item, type, i, ".value")])
            self._source.line(f"{entries}[{key}] = {item}")
        self._source.line(f"{part.target} = tuple(sorted({entries}.items()))")

    def _headless(self, part: Part) -> None:
        match part.type:
            case Record():
                self._call(part, f"read_{part.type.name}", "")
            case Rest():
                self._source.line(f"{part.target} = data[o:]")
                self._source.line("o = end")
            case _:
                raise TypeError(f"{part.path}: {part.type} cannot be read")

    def _call(self, part: Part, function: str, member: str) -> None:
        raised = f"error.within({self._frame}, {part.path}{member})"
        self._source.attempt(f"{part.target}, o = {function}(data, o, end)", "WireError as error", raised)
