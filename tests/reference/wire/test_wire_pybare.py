"""pybare, with a schema of its own, writes the same bytes, and reads ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import DIRECTIONS, frames, tunnel_messages
from tunnelref.wire import codec

pytest.importorskip("bare", reason="pybare is not installed")

from tests.reference.wire import pybare_oracle as oracle
from tunnelexport.vectors.frames_by_hand import VECTORS, Vector

EVERY_WIRE = [(direction, version) for direction in DIRECTIONS for version in (1, 2)]


def _has_oracle(frame: Any) -> bool:
    return "Kv" not in type(frame).__name__  # their data is opaque, for which BARE has no word


@pytest.mark.parametrize(("direction", "version"), EVERY_WIRE)
@given(data=st.data())
def test_same_bytes(direction: str, version: int, data: st.DataObject) -> None:
    encode = getattr(codec(version), f"encode_{direction}")
    frame = data.draw(st.one_of(frames(direction, version), tunnel_messages(direction, version)).filter(_has_oracle))
    wire = encode(frame)
    assert oracle.encode(direction, version, frame) == wire
    assert oracle.recode(direction, version, wire) == wire


@pytest.mark.parametrize("vector", [v for v in VECTORS if _has_oracle(v.value)], ids=lambda vector: vector.name)
def test_vectors(vector: Vector) -> None:
    for version in vector.versions:
        assert oracle.encode(vector.direction, version, vector.value) == vector.data
        assert oracle.recode(vector.direction, version, vector.data) == vector.data
