"""Frames to bytes and back. The functions are generated from the schema and compiled once for each version."""

from __future__ import annotations

import linecache
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from tunnelref.wire import generate, runtime
from tunnelref.wire.errors import WireError
from tunnelref.wire.schema import SCHEMAS
from tunnelref.wire.version import supported
from tunnelspec.frames import ToClient, ToServer

Buffer: TypeAlias = bytes | bytearray | memoryview

LATEST = max(SCHEMAS)


@dataclass(frozen=True, slots=True)
class Codec:
    """The functions of one protocol version. They raise ``WireError`` and nothing else.

    ``encode_tunnel_to_client`` is ``encode_to_client`` of a ToClientTunnelMessage, from its fields.

    A codec is *canonical*: for one value there is one encoding, and what decodes is either that encoding or differs
    from it in the order of a map's entries alone.
    """

    version: int
    encode_to_server: Callable[[ToServer], bytes]
    decode_to_server: Callable[[Buffer], ToServer]
    encode_to_client: Callable[[ToClient], bytes]
    decode_to_client: Callable[[Buffer], ToClient]
    encode_tunnel_to_client: Callable[..., bytes]
    source: str  # what was compiled, for whoever wants to read it


@cache
def _compiled(version: int) -> Codec:
    schema = SCHEMAS[version]
    source = generate.source(schema)
    name = f"<tunnelref.wire, version {version}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # tracebacks show the lines
    scope: dict[str, Any] = {
        **vars(runtime),
        **generate.classes(schema),
        "BOOLS": (False, True),
        "Struct": struct.Struct,
        "struct_error": struct.error,
        "join": b"".join,
        "new": object.__new__,
        "utf8": str.encode,
        "WireError": WireError,
    }
    exec(compile(source, name, "exec"), scope)
    return Codec(
        version=version,
        encode_to_server=scope["encode_to_server"],
        decode_to_server=scope["decode_to_server"],
        encode_to_client=scope["encode_to_client"],
        decode_to_client=scope["decode_to_client"],
        encode_tunnel_to_client=scope["encode_tunnel_to_client"],
        source=source,
    )


def codec(version: int = LATEST) -> Codec:
    """The codec of a protocol version. Raises ``UnsupportedVersion``. Whoever codes many frames keeps it at hand."""
    return _compiled(supported(version))


def encode_to_server(value: ToServer, version: int = LATEST) -> bytes:
    """The bytes of a frame from runner to gateway. Raises ``WireError``, ``UnsupportedVersion``."""
    return codec(version).encode_to_server(value)


def decode_to_server(data: Buffer, version: int = LATEST) -> ToServer:
    """The frame from runner to gateway that these bytes are, all of them. Raises as ``encode_to_server`` does."""
    return codec(version).decode_to_server(data)


def encode_to_client(value: ToClient, version: int = LATEST) -> bytes:
    """The bytes of a frame from gateway to runner. Raises ``WireError``, ``UnsupportedVersion``."""
    return codec(version).encode_to_client(value)


def decode_to_client(data: Buffer, version: int = LATEST) -> ToClient:
    """The frame from gateway to runner that these bytes are, all of them. Raises as ``encode_to_client`` does."""
    return codec(version).decode_to_client(data)
