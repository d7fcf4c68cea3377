"""What can be wrong with a frame, or with the version it is said to be in."""

from __future__ import annotations


class WireError(Exception):
    """Bytes that are not a frame, or a value that has no bytes: the codec's only error.

    ``frame``   the frame's name (``ToServerTunnelMessage``); the union's (``ToServer``) while the frame is not known.
    ``field``   the path to the field, members of unions by name: ``messageKind.ToServerWebSocketOpen.canHibernate``,
                ``events[3].index``, ``headers[0].key``; ``<tag>`` is the frame's own tag, ``<end>`` what follows it.
    ``offset``  in bytes from the frame's start: where the wrong thing begins. That is a field's first byte (of a
                length or a count, the first byte of that number) except that bad UTF-8 is told to the byte. When
                encoding it is where the field would have gone, and for a bad map key where the map would have.
    ``reason``  what is wrong there.
    """

    def __init__(self, frame: str, field: str, offset: int, reason: str) -> None:
        super().__init__(frame, field, offset, reason)
        self.frame = frame
        self.field = field
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.frame}: {self.field} at byte {self.offset}: {self.reason}"

    def within(self, frame: str, field: str, member: bool = False) -> WireError:
        """The same error as its container sees it; ``member``: the container's field is a union, so name the member."""
        path = f"{field}.{self.frame}.{self.field}" if member else f"{field}.{self.field}"
        return WireError(frame, path, self.offset, self.reason)


class UnsupportedVersion(ValueError):
    """No such protocol version here, or the peer has not said clearly which one it speaks."""


class JsonError(ValueError):
    """JSON that does not describe a frame: ``path`` to the place, ``reason`` what is wrong there."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
