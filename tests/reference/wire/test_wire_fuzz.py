"""Whatever comes, the decoder answers with a frame or a ``WireError``, in bounded memory.

``TUNNELSPEC_FUZZ`` inputs (20 000 unless told; a million takes minutes), from ``TUNNELSPEC_FUZZ_SEED`` (0).
"""

from __future__ import annotations

import os
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.strategies import DIRECTIONS, random_value, union
from tunnelref.wire import WireError, codec

INPUTS = int(os.environ.get("TUNNELSPEC_FUZZ", "20000"))
SEED = int(os.environ.get("TUNNELSPEC_FUZZ_SEED", "0"))

# Python's own objects are much larger than a wire's byte; what counts is that the factor is constant.
BYTES_PER_INPUT_BYTE = 50
BYTES_BESIDE = 8192

WIRES = [(direction, version) for direction in DIRECTIONS for version in (1, 2)]
NASTY = (0, 1, 2, 0x7F, 0x80, 0x81, 0xFF)


def _functions(direction: str, version: int) -> tuple[Callable[[Any], bytes], Callable[[Any], Any]]:
    wire = codec(version)
    return getattr(wire, f"encode_{direction}"), getattr(wire, f"decode_{direction}")


def _mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """One to three small injuries."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(7):
            case 0:
                del out[at:]
            case 1:
                out[at : at + 1] = bytes((rng.choice(NASTY),))
            case 2:
                out[at : at + 1] = rng.randbytes(1)
            case 3:
                out[at:at] = bytes(rng.choices(NASTY, k=rng.randint(1, 10)))
            case 4:
                del out[at : at + rng.randint(1, 4)]
            case 5:
                out[at:] = other[rng.randrange(len(other) + 1) :]
            case _:
                if at < len(out):
                    out[at] ^= 1 << rng.randrange(8)
    return bytes(out)


def _input(direction: str, version: int, rng: random.Random) -> bytes:
    encode, _ = _functions(direction, version)
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(60))
    frames = union(direction, version)
    chosen = frames.members[-1] if rng.random() < 0.6 else frames  # tunnel messages, mostly
    data, other = encode(random_value(chosen, rng)), encode(random_value(frames, rng))
    return data if rng.random() < 0.05 else _mutated(data, other, rng)


def test_only_frames_and_wire_errors() -> None:
    rng = random.Random(SEED)
    outcomes: Counter[str] = Counter()
    for n in range(INPUTS):
        direction, version = WIRES[n % len(WIRES)]
        encode, decode = _functions(direction, version)
        data = _input(direction, version, rng)
        try:
            frame = decode(data)
        except WireError as error:
            outcomes["refused"] += 1
            outcomes["outside"] += not 0 <= error.offset <= len(data)
            continue
        outcomes["read"] += 1
        again = encode(frame)
        assert decode(again) == frame, data.hex()
        assert again == data or sorted(again) == sorted(data), data.hex()
    assert not outcomes["outside"], "an offset outside the frame"
    assert outcomes["read"] > INPUTS // 20, outcomes  # the mutations are not so rough that nothing passes
    assert outcomes["refused"] > INPUTS // 20, outcomes


def _peak(decode: Callable[[Any], Any], data: bytes) -> int:
    """The most memory, in bytes, that was in use for decoding beyond what was before."""
    tracemalloc.clear_traces()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    try:
        frame = decode(data)
    except WireError as error:
        frame = str(error)
    _, peak = tracemalloc.get_traced_memory()
    del frame
    return peak - before


def _heavy() -> list[tuple[str, str, int, bytes]]:
    """Inputs that are worth most memory for each of their bytes, or claim to be."""
    ids = bytes(32)
    keys = [a + b for a in "abcdefghijklmnop" for b in map(chr, range(1, 127))]
    entries = b"".join(b"\x02" + key.encode() + b"\x00" for key in keys)
    headers = b"\x05" + ids + b"\x04\x00\x00" + _uint(len(keys)) + entries + b"\x00"
    names = b"\x00\x00" + bytes(8) + b"\x00\x01" + _uint(len(keys)) + entries + b"\x00"
    event = bytes(8) + b"\x02\x00" + bytes(4) + b"\x00"
    odd_event = b"\x01" * 8 + b"\x01\x00" + b"\x01" * 4 + b"\x01\x01\x01\x01a"
    command = b"\x01" * 8 + b"\x00\x01\xff"[:2] + b"a" + b"\x01" * 4 + b"\x01b\x01\x01c" + b"\x01" * 8 + b"\x01\x01d"
    huge = _uint((1 << 64) - 1)
    return [
        ("headers", "to_client", 2, headers),
        ("headers, no end", "to_client", 2, headers[:-1]),
        ("names", "to_server", 2, names),
        ("events", "to_server", 2, b"\x01" + _uint(4000) + event * 4000),
        ("odd events", "to_server", 2, b"\x01" + _uint(4000) + odd_event * 4000),
        ("commands", "to_client", 2, b"\x02" + _uint(4000) + command * 4000),
        ("a long message", "to_server", 2, b"\x06" + ids + b"\x05" + _uint(1 << 20) + bytes(1 << 20) + b"\x00"),
        ("a long text", "to_server", 2, b"\x05" + _uint(1 << 20) + "é".encode() * (1 << 19) + bytes(4)),
        ("a long bad text", "to_server", 2, b"\x05" + _uint(1 << 20) + b"a" * ((1 << 20) - 1) + b"\xff" + bytes(4)),
        ("events claimed", "to_server", 2, b"\x01" + huge + bytes(99)),
        ("headers claimed", "to_client", 2, b"\x05" + ids + b"\x04\x00\x00" + huge + bytes(99)),
        ("length claimed", "to_server", 2, b"\x06" + ids + b"\x05" + huge + bytes(99)),
        ("kv", "to_server", 2, b"\x05\x00" + bytes(4) + bytes(1 << 20)),
    ]


def _uint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes((number & 127 | 128,))
        number >>= 7
    return out + bytes((number,))


HEAVY = _heavy()


@pytest.mark.parametrize(("name", "direction", "version", "data"), HEAVY, ids=[case[0] for case in HEAVY])
def test_memory_of_heavy_inputs(name: str, direction: str, version: int, data: bytes) -> None:
    _, decode = _functions(direction, version)
    tracemalloc.start()
    try:
        peak = _peak(decode, data)
    finally:
        tracemalloc.stop()
    assert peak <= BYTES_PER_INPUT_BYTE * len(data) + BYTES_BESIDE, f"{peak / len(data):.0f} bytes for each byte"


def test_memory_of_mutated_inputs() -> None:
    rng = random.Random(SEED)
    inputs = [(*wire, _input(*wire, rng)) for wire in WIRES for _ in range(min(INPUTS, 20_000) // 20)]
    tracemalloc.start()
    try:
        for direction, version, data in inputs:
            peak = _peak(_functions(direction, version)[1], data)
            assert peak <= BYTES_PER_INPUT_BYTE * len(data) + BYTES_BESIDE, data.hex()
    finally:
        tracemalloc.stop()
