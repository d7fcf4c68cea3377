"""What a step put on a link: what the duties of both sides ask."""

from __future__ import annotations

from typing import Any

from tunnelspec.frames import (
    ToClientWebSocketClose,
    TunnelAck,
)
from tunnelspec.properties import (
    Said,
)
from tunnelspec.system import Bounds


def numbers_of(*frames: Said) -> tuple[int, ...]:
    """The numbers of the messages that this step put on a link."""
    return tuple(sent.number for said in frames for _, sent in said if not isinstance(sent.frame, TunnelAck))


def in_turn(numbers: tuple[int, ...], first: int, modulus: int) -> bool:
    """Whether they follow one another from the first; 0 is nobody's."""
    return all(number == (first - 1 + place) % (modulus - 1) + 1 for place, number in enumerate(numbers))


def closes_sent(b: Bounds, *said: Said) -> tuple[Any, ...]:
    """The closes that this step put on a link."""
    return tuple(
        sent.frame
        for frames in said[: b.runners]
        for _, sent in frames
        if isinstance(sent.frame, ToClientWebSocketClose)
    )


def frames_in(said: Said) -> tuple[Any, ...]:
    """The frames of what was put on a link."""
    return tuple(sent.frame for _, sent in said)
