"""What classes are made of: what a field's annotation says, and how an object of a frozen dataclass is made quickly.

A frozen dataclass's own ``__init__`` sets each field through ``object.__setattr__``, because its objects do not let themselves be
changed. An object of a class of the same form does; once filled in, it becomes one of the frozen class, at a third of the cost.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

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
    lines = [f"def make({', '.join(names)}):", "    made = Open()"]
    lines += [f"    made.{name} = {name}" for name in names]
    scope: dict[str, Any] = {"Open": open_form(cls), "cls": cls}
    exec("\n".join([*lines, "    made.__class__ = cls", "    return made"]), scope)
    return cast(type[T], scope["make"])


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


@cache
def _hints(cls: Hashable) -> Mapping[str, Any]:
    return get_type_hints(cls) if is_named_tuple(cls) else {}


def field_hint(hint: Any, name: str) -> Any:
    """What the field of a NamedTuple is annotated with; None where that is not known."""
    cls = class_of(hint)
    return None if cls is None else _hints(cls).get(name)  # type: ignore[arg-type]  # as above


def class_of(hint: Any) -> type[Any] | None:
    """The class that an annotation names; None if it names none, or several."""
    cls = get_origin(hint) or hint
    return cls if isinstance(cls, type) else None


def item_hint(hint: Any) -> Any:
    """What the items of an annotated collection are; None where that is not known."""
    arguments = get_args(hint)
    return arguments[0] if arguments and arguments[0] is not Any else None
