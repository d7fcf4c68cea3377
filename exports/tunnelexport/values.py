"""Values of the tables as plain JSON, the same for every export.

- A dataclass (an event, an output, a frame) is an object of its fields and ``type``, the name of its class; a ``NamedTuple``
  (a context, or a part of one) is an object of its fields alone.
- A frame that was received is an event of the frame's name, with ``frame``, ``link``, ``message_id``, ``number`` and ``now``.
- Bytes are lowercase hex, a class is its name, an enum's member its name, a tuple or a queue an array.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from tunnelspec.fifo import Fifo
from tunnelspec.machine import Received, key

EXACT = 1 << 53
"""Whole numbers up to this are exact in every language that reads JSON, also those that know floating point alone."""


def plain(value: Any) -> Any:
    """A value as JSON. Raises ``TypeError`` for what the tables do not use, ``OverflowError`` for an inexact number."""
    match value:
        case None | bool() | str():
            return value
        case bytes():
            return value.hex()
        case Enum():
            return value.name
        case int():
            if abs(value) > EXACT and float(value) != value:
                raise OverflowError(f"{value} is not exact as a floating point number")
            return value
        case type():
            return value.__name__
        case Received():
            return {"type": key(value).__name__, **_fields(value)}
        case tuple() if hasattr(value, "_fields"):
            return {name: plain(getattr(value, name)) for name in value._fields}
        case tuple() | Fifo():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return {"type": type(value).__name__, **_fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
