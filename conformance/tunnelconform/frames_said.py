"""Frames of a runner's own socket that a conversation can name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunnelspec.frames import (
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerKvRequest,
    ToServerPing,
    ToServerStopping,
)

POSTED: Mapping[str, Any] = {
    "ToServerInit": ToServerInit("tunnelspec", 1, 1, None, None, None),
    "ToServerPing": ToServerPing(0),
    "ToServerStopping": ToServerStopping(),
    "ToServerEvents": ToServerEvents(()),
    "ToServerAckCommands": ToServerAckCommands(0),
    "ToServerKvRequest": ToServerKvRequest("nobody", 1, b"\x00\x00"),
}
"""By name. What a ToServerInit says is the place's affair."""
