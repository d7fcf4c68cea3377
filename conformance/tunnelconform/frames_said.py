"""Frames of a runner's own socket that a conversation can name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunnelspec.frames import (
    CommandStopActor,
    CommandWrapper,
    ProtocolMetadata,
    ToClientAckEvents,
    ToClientClose,
    ToClientCommands,
    ToClientInit,
    ToClientKvResponse,
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

SENT: Mapping[str, Any] = {
    "ToClientInit": ToClientInit("conform", -1, ProtocolMetadata(15_000)),
    "ToClientCommands": ToClientCommands((CommandWrapper(0, CommandStopActor("nobody", 1)),)),
    "ToClientAckEvents": ToClientAckEvents(-1),
    "ToClientKvResponse": ToClientKvResponse(1, b"\x00\x00"),
    "ToClientClose": ToClientClose(),
}
"""The same of the gateway's; what counts in them is the link's affair."""
