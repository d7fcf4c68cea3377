"""Values from the vectors' JSON, as the tables have them."""

from __future__ import annotations

import typing
from dataclasses import is_dataclass
from typing import Any

from tunnelexport import tables
from tunnelexport.hints import item, parts
from tunnelspec.endpoint import MACHINES
from tunnelspec.fifo import Fifo
from tunnelspec.machine import Received

TYPES = {cls.__name__: cls for cls in tables.classes(MACHINES)}


def event(json: Any) -> Any:
    """An event: a frame in its envelope, or what it is."""
    if "frame" in json and "message_id" in json:
        return revived(Received, {**json, "type": "Received"})
    return revived(TYPES[json["type"]], json)


def revived(hint: Any, json: Any) -> Any:
    """A value of that type."""
    if json is None:
        assert parts(hint) & {type(None), Any}, hint
        return None
    if isinstance(json, dict) and "type" in json and hint is not Received:
        hint = TYPES[json["type"]]
    if typing.get_origin(hint) is type:
        return TYPES[json]
    if (inner := item(hint)) is not None:
        made = [revived(inner, entry) for entry in json]
        return Fifo(made) if typing.get_origin(hint) is Fifo else tuple(made)
    if typing.get_origin(hint) is tuple:
        return tuple(revived(kind, entry) for kind, entry in zip(typing.get_args(hint), json, strict=True))
    if bytes in parts(hint):
        return bytes.fromhex(json)
    if parts(hint) <= {int, str, bool, type(None)}:
        assert type(json) in parts(hint), (hint, json)
    if isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "_fields")):
        hints = typing.get_type_hints(hint)
        return hint(**{name: revived(hints[name], value) for name, value in json.items() if name != "type"})
    return json
