"""The wire codec: frames (``tunnelspec.frames``) to bytes, to JSON, and back, in versions 1 and 2 of the protocol.

``schema`` says how every frame is laid out; everything else is derived from it. ``generate`` (with ``reading``,
``writing``, ``source``) turns it into Python, ``compiled`` compiles that, ``runtime`` has what it calls, ``text`` does
JSON, ``version`` finds out which version is spoken, and ``commands`` is the command line.
"""

from tunnelref.wire.compiled import (
    Codec,
    codec,
    decode_to_client,
    decode_to_server,
    encode_to_client,
    encode_to_server,
)
from tunnelref.wire.errors import JsonError, UnsupportedVersion, WireError
from tunnelref.wire.text import from_json, to_json
from tunnelref.wire.version import SUPPORTED, version_from_url

__all__ = [
    "SUPPORTED",
    "Codec",
    "JsonError",
    "UnsupportedVersion",
    "WireError",
    "codec",
    "decode_to_client",
    "decode_to_server",
    "encode_to_client",
    "encode_to_server",
    "from_json",
    "to_json",
    "version_from_url",
]
