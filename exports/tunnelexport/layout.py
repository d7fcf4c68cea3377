"""The wire's layout as JSON: what follows what in a frame's bytes, for each version, in the words of BARE."""

from __future__ import annotations

from typing import Any

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

VERSIONS = tuple(SCHEMAS)


def version(number: int) -> dict[str, Any]:
    """The layout of one version: every frame of both directions."""
    schema = SCHEMAS[number]
    return {"version": number, "to_server": layout(schema.to_server), "to_client": layout(schema.to_client)}


def layout(type: Type) -> dict[str, Any]:
    """A type's layout."""
    match type:
        case Int():
            return {"is": str(type)}
        case Bool():
            return {"is": "bool"}
        case Fixed(width):
            return {"is": "data", "length": width}
        case Str():
            return {"is": "str"}
        case Data():
            return {"is": "data"}
        case Rest():
            return {"is": "rest"}
        case Enum(cls):
            return {"is": "enum", "name": cls.__name__, "members": [member.name for member in cls]}
        case Optional(inner):
            return {"is": "optional", "of": layout(inner)}
        case List(item):
            return {"is": "list", "of": layout(item)}
        case Map(value):
            return {"is": "map", "of": layout(value)}
        case Record():
            carried = [f for f in type.fields if not isinstance(f.type, Absent)]
            made: dict[str, Any] = {"is": "struct", "name": type.name}
            made["fields"] = [{"name": f.name, "type": layout(f.type)} for f in carried]
            if absent := {f.name: f.type.value for f in type.fields if isinstance(f.type, Absent)}:
                made["absent"] = absent
            return made
        case Union(name, members):
            return {"is": "union", "name": name, "members": [layout(member) for member in members]}
        case Absent():
            raise TypeError("an absent field has no bytes, and stands with its struct")
