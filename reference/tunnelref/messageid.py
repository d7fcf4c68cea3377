"""Message ids: 8 random bytes that name an endpoint's request, then the message's number as an unsigned 64-bit integer.

Unique across restarts, and an ack can be told from a stranger's without keeping a table of ids.
"""

from __future__ import annotations

import os
import struct

_NUMBER = struct.Struct(">Q")


def new_prefix() -> bytes:
    """Eight random bytes."""
    return os.urandom(8)


def message_id(prefix: bytes, number: int) -> bytes:
    """The 16 bytes of our message ``number``."""
    return prefix + _NUMBER.pack(number)


def number_of(prefix: bytes, id_: bytes) -> int:
    """Which of our messages the id names; 0 if it names none of ours."""
    return int(_NUMBER.unpack_from(id_, 8)[0]) if id_.startswith(prefix) else 0
