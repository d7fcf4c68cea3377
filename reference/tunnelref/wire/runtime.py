"""What the generated code calls when a value is not of the common kind: long numbers, and every error.

Nothing here is on the path of a well-formed frame with lengths below 128, so clearness comes before speed. Functions
that return a ``WireError`` have the caller raise it; the others return a value or raise.

Decoding: ``data`` is the frame, ``at`` an offset into it, ``end`` its length. Encoding: ``before`` are the pieces that
are already written, and their length in sum is the offset.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

from tunnelref.wire.errors import WireError

MAX_UINT = (1 << 64) - 1
SMALL = tuple(bytes((n,)) for n in range(128))
"""The unsigned LEB128 of each number below 128."""

T = TypeVar("T")


def shown(value: object) -> str:
    """A value for an error's text: never long, and cheap, whatever the peer has sent."""
    if isinstance(value, (str, bytes)):
        return repr(value) if len(value) <= 32 else f"{value[:32]!r}... ({len(value)} long)"
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"a {type(value).__name__}"


# ---- Decoding ------------------------------------------------------------------------------------------------------


def frame_bytes(union: str, data: object) -> bytes:
    """The frame as ``bytes``. Raises ``WireError`` for what is not binary, such as a text frame's ``str``."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    kind = "a text frame" if isinstance(data, str) else f"{type(data).__name__}"
    raise WireError(union, "<tag>", 0, f"{kind} where a binary frame is due")


def read_uint(data: bytes, at: int, frame: str, field: str) -> tuple[int, int]:
    """An unsigned LEB128 and the offset after it. Raises ``WireError`` unless minimal, whole and below 2^64."""
    value = shift = 0
    for place in range(at, min(at + 10, len(data))):
        byte = data[place]
        value |= (byte & 127) << shift
        if byte < 128:
            if byte == 0 and place > at:
                raise WireError(frame, field, at, "a number in more bytes than it needs")
            if value > MAX_UINT:
                raise WireError(frame, field, at, "a number of more than 64 bits")
            return value, place + 1
        shift += 7
    if len(data) < at + 10:
        raise WireError(frame, field, at, "the frame ends within a number")
    raise WireError(frame, field, at, "a number of more than 64 bits")


def short(frame: str, spans: Iterable[tuple[str, int]], at: int, end: int) -> WireError:
    """The frame ends within one of these consecutive fields, given with their widths: which?"""
    for field, width in spans:
        if end - at < width:
            reason = "the frame ends before this field" if end == at else f"{width} bytes are due, {end - at} are there"
            return WireError(frame, field, at, reason)
        at += width
    raise AssertionError(f"{frame}: the frame holds all of {list(spans)}")


def bad_bool(frame: str, field: str, data: bytes, at: int) -> WireError:
    """A byte that is no bool, or no byte at all."""
    if at >= len(data):
        return short(frame, ((field, 1),), at, len(data))
    return WireError(frame, field, at, f"a bool of {data[at]}")


def bad_optional(frame: str, field: str, byte: int, at: int) -> WireError:
    """A byte that says neither "there" nor "not there"."""
    return WireError(frame, field, at, f"an optional's tag of {byte}")


def unknown(frame: str, spans: tuple[tuple[str, int], ...], data: bytes, at: int, what: str) -> WireError:
    """An enum's number, or a union's tag, that is missing, malformed or unknown. It is the last of the spans."""
    field, place = spans[-1][0], at + sum(width for _, width in spans[:-1])
    if place >= len(data):
        return short(frame, spans, at, len(data))
    try:
        number, _ = read_uint(data, place, frame, field)
    except WireError as error:
        return error
    return WireError(frame, field, place, f"{what} has no member {number}")


def beyond(frame: str, field: str, at: int, length: int, end: int) -> WireError:
    """A length that reaches beyond the frame; ``at`` is where its bytes would begin."""
    reason = f"a length of {length}, but {end - at} bytes are left"
    return WireError(frame, field, at - len(uint_bytes(length)), reason)


def crowded(frame: str, field: str, at: int, count: int, end: int) -> WireError:
    """A count of items that cannot fit in what is left, told before anything is allocated."""
    reason = f"a count of {count}, for which {end - at} bytes cannot suffice"
    return WireError(frame, field, at - len(uint_bytes(count)), reason)


def bad_utf8(frame: str, field: str, at: int, error: UnicodeDecodeError) -> WireError:
    """Text that is not UTF-8; ``at`` is where it begins."""
    return WireError(frame, field, at + error.start, f"not UTF-8: {error.reason}")


def twice(frame: str, field: str, at: int, key: str) -> WireError:
    """A map's key that has come before."""
    return WireError(frame, field, at, f"the key {shown(key)} comes twice")


def trailing(frame: str, at: int, end: int) -> WireError:
    """Bytes after the value."""
    return WireError(frame, "<end>", at, f"{end - at} bytes too many")


# ---- Encoding ------------------------------------------------------------------------------------------------------


def uint_bytes(number: int) -> bytes:
    """The minimal unsigned LEB128 of a number."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def offset(before: Iterable[bytes]) -> int:
    return sum(map(len, before))


def wrong(frame: str, field: str, value: object, before: Iterable[bytes], due: str) -> NoReturn:
    """A value of the wrong type."""
    raise WireError(frame, field, offset(before), f"{due} is due, not {shown(value)}")


def plain_int(frame: str, field: str, value: object, before: Iterable[bytes], due: str) -> int:
    """The int behind an enum's member, say; a bool is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    wrong(frame, field, value, before, due)


def plain_bytes(frame: str, field: str, value: object, before: Iterable[bytes], due: str) -> bytes:
    """The bytes behind a subclass of theirs. A bytearray is none: frames do not change."""
    if isinstance(value, bytes):
        return bytes(value)
    wrong(frame, field, value, before, due)


def out_of_range(frame: str, ints: Iterable[tuple[str, int, str, int, int, int]], before: Iterable[bytes]) -> WireError:
    """One of these ints (field, value, type, lowest, highest, width) does not fit its type: which?"""
    at = offset(before)
    for field, value, name, low, high, width in ints:
        if not low <= value <= high:
            return WireError(frame, field, at, f"{shown(value)} is not in {low} to {high} ({name})")
        at += width
    raise AssertionError(f"{frame}: all of {list(ints)} are in range")


def bad_width(frame: str, field: str, value: bytes, before: Iterable[bytes], width: int) -> WireError:
    """Fixed data of another length."""
    return WireError(frame, field, offset(before), f"{width} bytes are due, not {len(value)}")


def bad_text(frame: str, field: str, value: object, before: Iterable[bytes]) -> WireError:
    """Not a str, or one with lone surrogates, for which UTF-8 has no bytes."""
    if isinstance(value, str):
        return WireError(frame, field, offset(before), f"{shown(value)} has no UTF-8: a lone surrogate")
    wrong(frame, field, value, before, "str")


def sorted_pairs(frame: str, field: str, value: Any, before: Iterable[bytes]) -> Iterable[tuple[str, Any]]:
    """A map's entries, sorted by key. Raises ``WireError`` unless they are pairs with text for keys, none twice."""
    if type(value) is not tuple:
        wrong(frame, field, value, before, "a tuple of pairs")
    previous: str | None = None
    for pair in value:  # canonical maps are the rule: they are seen to be so in one go
        if type(pair) is not tuple or len(pair) != 2 or type(pair[0]) is not str:
            break
        if previous is not None and pair[0] <= previous:
            break
        previous = pair[0]
    else:
        return value
    return _sort(frame, field, value, before)


def _sort(frame: str, field: str, pairs: tuple[Any, ...], before: Iterable[bytes]) -> list[tuple[str, Any]]:
    entries: dict[str, Any] = {}
    for i, pair in enumerate(pairs):
        if type(pair) is not tuple or len(pair) != 2:
            wrong(frame, f"{field}[{i}]", pair, before, "a pair")
        if not isinstance(pair[0], str):
            wrong(frame, f"{field}[{i}].key", pair[0], before, "str")
        if pair[0] in entries:
            raise twice(frame, f"{field}[{i}].key", offset(before), pair[0])
        entries[pair[0]] = pair[1]
    return [(key, entries[key]) for key in sorted(entries)]


def no_member(frame: str, field: str, value: object, before: Iterable[bytes], what: str, version: int) -> WireError:
    """A value of a type that the union, in this version, does not have."""
    return WireError(frame, field, offset(before), f"{type(value).__name__} is not in {what} of version {version}")
