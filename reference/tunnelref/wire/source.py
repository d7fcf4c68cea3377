"""Python source in the making: indented lines, and the parts of a record that the lines are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tunnelref.wire.schema import Absent, Bool, Fixed, Int, Record, Type

STRUCT_CODES = {"u16": "H", "u32": "I", "i64": "q"}
RESERVED = frozenset({"data", "o", "end", "n", "s", "out", "value", "error", "read", "write"})
"""Locals of the generated functions, which a field's local must not hide."""


class Source:
    """Lines of Python."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._structs: set[str] = set()
        self._depth = 0
        self._names = 0

    def line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def attempt(self, text: str, failure: str, raised: str) -> None:
        """One statement, and what is raised when it fails."""
        with self.block("try:"):
            self.line(text)
        with self.block(f"except {failure}:"):
            self.line(f"raise {raised} from None")

    def fresh(self, stem: str) -> str:
        """A local's name that no field has."""
        self._names += 1
        return f"{stem}_{self._names}"

    def struct(self, ints: Sequence[Part]) -> str:
        """The suffix of the functions ``pack_`` and ``unpack_`` for these ints in a row."""
        codes = "".join(STRUCT_CODES[str(part.type)] for part in ints)
        self._structs.add(codes)
        return codes

    def text(self) -> str:
        """All of it, after the struct functions it calls."""
        lines = [f"pack_{codes} = Struct('<{codes}').pack" for codes in sorted(self._structs)]
        lines += [f"unpack_{codes} = Struct('<{codes}').unpack_from" for codes in sorted(self._structs)]
        return "\n".join([*lines, "", *self._lines, ""])


@dataclass(frozen=True, slots=True)
class Part:
    """A field, or an item within one."""

    target: str  # the local that holds its value
    type: Type
    path: str  # its path in the record, as a Python expression

    def inner(self, type: Type) -> Part:
        """What an optional holds: same place, same path."""
        return Part(self.target, type, self.path)

    def item(self, target: str, type: Type, index: str, suffix: str = "") -> Part:
        """An item of a list, or the key or value of a map's entry; ``index`` is the local that counts them."""
        return Part(target, type, f"{self.path} + f'[{{{index}}}]{suffix}'")


def parts_of(record: Record) -> list[Part]:
    """The record's fields, but for those that this version does not carry."""
    return [
        Part(local(field.name), field.type, repr(field.name))
        for field in record.fields
        if not isinstance(field.type, Absent)
    ]


def local(name: str) -> str:
    """The local for a field."""
    return f"{name}_" if name in RESERVED else name


def fixed_width(type: Type) -> int | None:
    """The size in bytes of a primitive whose size is always the same."""
    return type.width if isinstance(type, (Int, Bool, Fixed)) else None


def tuple_of(items: Sequence[str]) -> str:
    """A tuple display."""
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def int_runs(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """The parts in order, neighbouring ints together: one call of struct serves them all."""
    run: list[Part] = []
    for part in parts:
        if run and not (isinstance(part.type, Int) and isinstance(run[-1].type, Int)):
            yield run
            run = []
        run.append(part)
    if run:
        yield run
