"""Message ids: 4 random bytes that name a process, 4 that name an endpoint's request there, then the message's number as an
unsigned 64-bit integer.

Unique across restarts, and without keeping a table of ids an ack can be told from a stranger's, and from one of an earlier entry of
the same request.
"""

from __future__ import annotations

import os
import struct

_NUMBER = struct.Struct(">Q")
_HOUSE = 4  # bytes

FOREIGN = 0
"""The number of an id that this process did not make."""

STALE = -1
"""The number of an id that another entry of this process made: no message of this one has it."""


def new_house() -> bytes:
    """Random bytes for a gateway or a runner."""
    return os.urandom(_HOUSE)


def new_prefix(house: bytes) -> bytes:
    """Eight bytes for one of its entries."""
    return house + os.urandom(8 - _HOUSE)


def message_id(prefix: bytes, number: int) -> bytes:
    """The 16 bytes of our message ``number``."""
    return prefix + _NUMBER.pack(number)


def number_of(prefix: bytes, id_: bytes) -> int:
    """Which of our messages the id names; ``STALE`` or ``FOREIGN`` if it names none of ours."""
    if id_.startswith(prefix):
        return int(_NUMBER.unpack_from(id_, 8)[0])
    return STALE if id_.startswith(prefix[:_HOUSE]) else FOREIGN
