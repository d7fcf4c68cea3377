"""Making a frozen dataclass quickly.

Its own ``__init__`` sets each field through ``object.__setattr__``, because its objects do not let themselves be changed. An object
of a class of the same form does; once filled in, it becomes one of the frozen class, at a third of the cost.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")


@cache
def _open_form(cls: Hashable) -> type[Any]:
    assert isinstance(cls, type)
    bases = getattr(cls, "__orig_bases__", cls.__bases__)
    slots = cls.__dict__["__slots__"]
    return types.new_class(f"Open{cls.__name__}", bases, exec_body=lambda body: body.update(__slots__=slots))


def open_form(cls: type[Any]) -> type[Any]:
    """A class of the same form as a frozen dataclass with slots, whose objects can be filled in and then become its."""
    return _open_form(cls)  # type: ignore[arg-type]  # a class is hashable, whatever its objects are


def maker(cls: type[T]) -> type[T]:
    """A function that makes objects of a frozen dataclass with slots as a call of the class does; all fields must be given."""
    names = [field.name for field in dataclasses.fields(cast(Any, cls))]
    lines = [f"def make({', '.join(names)}):", "    made = new(Open)"]
    lines += [f"    made.{name} = {name}" for name in names]
    scope: dict[str, Any] = {"new": object.__new__, "Open": open_form(cls), "cls": cls}
    exec("\n".join([*lines, "    made.__class__ = cls", "    return made"]), scope)
    return cast(type[T], scope["make"])
