"""Frames for tests, derived from the schema: Hypothesis strategies, and a plain random maker for when volume counts.

A frame of version 1 has, in the fields that version 1 does not carry, what they mean there.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tunnelref.wire.schema import (
    SCHEMAS,
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
from tunnelspec.frames import canonical_map

DIRECTIONS = ("to_server", "to_client")


def union(direction: str, version: int = 2) -> Union:
    """The union of a direction's frames."""
    schema = SCHEMAS[version]
    return schema.to_server if direction == "to_server" else schema.to_client


@cache
def values(type: Type) -> st.SearchStrategy[Any]:
    """Every value of a type."""
    match type:
        case Int():
            return st.integers(type.low, type.high)
        case Bool():
            return st.booleans()
        case Fixed(width):
            return st.binary(min_size=width, max_size=width)
        case Str():
            return st.text()
        case Data() | Rest():
            return st.binary() | st.integers(120, 300).map(bytes)  # around the first length that takes two bytes
        case Absent(value):
            return st.just(value)
        case Enum(cls):
            return st.sampled_from(cls)
        case Optional(inner):
            return st.none() | values(inner)
        case List(item):
            return st.lists(values(item), max_size=4).map(tuple)
        case Map(value):
            return st.dictionaries(st.text(), values(value), max_size=4).map(canonical_map)
        case Record(cls, fields):
            return st.builds(cls, *(values(field.type) for field in fields))
        case Union(_, members):
            return st.one_of([values(member) for member in members])


def frames(direction: str, version: int = 2) -> st.SearchStrategy[Any]:
    """Every frame of a direction."""
    return values(union(direction, version))


def tunnel_messages(direction: str, version: int = 2) -> st.SearchStrategy[Any]:
    """Every tunnel message of a direction."""
    return values(union(direction, version).members[-1])


ALPHABET = "abc/-_.:0 =é€𝄞\x00"


def random_value(type: Type, rng: random.Random) -> Any:
    """Some value of a type, small, with the edges drawn often."""
    match type:
        case Int():
            return rng.choice((type.low, type.high, max(type.low, -1), 0, 1, rng.randint(type.low, type.high)))
        case Bool():
            return rng.random() < 0.5
        case Fixed(width):
            return rng.randbytes(width)
        case Str():
            return "".join(rng.choices(ALPHABET, k=_length(rng)))
        case Data() | Rest():
            return rng.randbytes(_length(rng))
        case Absent(value):
            return value
        case Enum(cls):
            return rng.choice(list(cls))
        case Optional(inner):
            return None if rng.random() < 0.5 else random_value(inner, rng)
        case List(item):
            return tuple(random_value(item, rng) for _ in range(rng.randrange(4)))
        case Map(value):
            return canonical_map({random_value(Str(), rng): random_value(value, rng) for _ in range(rng.randrange(4))})
        case Record(cls, fields):
            return cls(*(random_value(field.type, rng) for field in fields))
        case Union(_, members):
            return random_value(rng.choice(members), rng)


def _length(rng: random.Random) -> int:
    return rng.choice((0, 1, 2, 5, 16, 127, 128)) if rng.random() < 0.2 else rng.randrange(6)
