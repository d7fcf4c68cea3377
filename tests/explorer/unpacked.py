"""A packed world, read as the page reads it: written from the format's description, not from the packer."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

KINDS = {1: np.uint8, 2: np.uint16, 4: np.uint32}


class Unpacked:
    """States by number; ``steps`` are (action id, target, story)."""

    def __init__(self, packed: bytes) -> None:
        (length,) = struct.unpack_from("<I", packed)
        self.head: dict[str, Any] = json.loads(packed[4 : 4 + length])
        offset, self.arrays = 4 + length, {}
        for name, size, count in self.head["arrays"]:
            self.arrays[name] = np.frombuffer(packed, KINDS[size], count, offset).astype(int)
            offset += size * count
        assert offset == len(packed)
        self.counts = self.arrays["counts"]
        self.first = np.concatenate(([0], np.cumsum(self.counts)))
        self.actions = [id_ for id_, _, _ in self.head["actions"]]
        self.first_reason = np.concatenate(([0], np.cumsum(len(self.actions) - self.counts)))

    def steps(self, state: int) -> list[tuple[str, int, dict[str, Any]]]:
        """What is possible."""
        return [
            (
                self.actions[self.arrays["action"][e]],
                int(self.arrays["target"][e]),
                self.head["stories"][self.arrays["story"][e]],
            )
            for e in range(self.first[state], self.first[state + 1])
        ]

    def refused(self, state: int) -> dict[str, list[str]]:
        """What is not, and why."""
        possible = {id_ for id_, _, _ in self.steps(state)}
        others = [id_ for id_ in self.actions if id_ not in possible]
        reasons = self.arrays["reason"][self.first_reason[state] : self.first_reason[state + 1]]
        return {id_: self.head["reasons"][number] for id_, number in zip(others, reasons, strict=True)}

    def values(self, state: int) -> dict[str, Any]:
        """Each part of the world."""
        return {
            f"{name} {of}": values[self.arrays[f"column {place}"][state]]
            for place, (_, name, of, values) in enumerate(self.head["columns"])
        }

    def stand(self, state: int) -> tuple[list[str], list[str]]:
        """The properties of states that could fail and hold, and those that fail."""
        could, broke = self.head["stands"][self.arrays["stand"][state]]
        return could, broke
