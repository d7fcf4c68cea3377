"""Serial numbers: what RFC 1982 says of two numbers that wrap, and of adding to one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunnelexport.vectors.form import Group, Note, Origin, Result, unique
from tunnelspec.serial import U16, add, distance, less, window

NOTES = {
    "Rfc": Note(
        "An implementation that does not follow the RFC's own examples.", "Acks release what was not acked, or nothing."
    ),
    "Wrap": Note(
        "Numbers that are compared as they stand.",
        "After 65 536 messages acks are ignored, and the connection times out.",
    ),
    "Edge": Note(
        "A comparison that gives up one step too early or too late (the merged code: at distance 32 767).",
        "Two peers disagree on whether a message is old.",
    ),
    "Opposite": Note(
        "Half the circle apart the RFC leaves it open which comes first; here neither does. A window of at most 32 767 never asks.",
        "None, if the window is kept.",
    ),
    "TooFar": Note(
        "Adding more than half the circle, which the RFC does not define.", "A number that is taken for an earlier one."
    ),
    "Small": Note(
        "Arithmetic that is right for 16 bits only.",
        "A model with a small modulus does not show what the real one does.",
    ),
}

RFC_8_BIT = ((0, 1), (0, 44), (0, 100), (44, 100), (100, 200), (200, 255), (255, 0), (255, 100), (200, 0), (200, 44))
"""RFC 1982, section 5.2, SERIAL_BITS 8: the first of each pair comes before the second."""

RFC_2_BIT = ((0, 1), (1, 2), (2, 3), (3, 0))
"""RFC 1982, section 5.1, SERIAL_BITS 2: likewise. 0 and 2, and 1 and 3, are not ordered."""

RFC_SUMS = (
    (4, 0, 1, 1),
    (4, 1, 1, 2),
    (4, 2, 1, 3),
    (4, 3, 1, 0),
    (256, 255, 1, 0),
    (256, 100, 100, 200),
    (256, 200, 100, 44),
)
"""Sections 5.1 and 5.2: modulus, number, steps, sum."""


def serials() -> Group:
    """All of them."""
    says = "Two serial numbers, and which comes first; or a number, steps forward, and the sum."
    return Group("serials", says, NOTES, unique((*by_hand(), *comparisons(), *sums())), {})


def by_hand() -> Iterator[dict[str, Any]]:
    """The RFC's own examples, from its text."""
    for modulus, pairs in ((256, RFC_8_BIT), (4, RFC_2_BIT)):
        for a, b in pairs:
            yield compared(modulus, a, b, (b - a) % modulus, True, False, ["Rfc"], Origin.HAND)
            yield compared(modulus, b, a, (a - b) % modulus, False, True, ["Rfc"], Origin.HAND)
    for a, b in ((0, 2), (2, 0), (1, 3), (3, 1)):
        yield compared(4, a, b, 2, False, False, ["Rfc", "Opposite"], Origin.HAND)
    for modulus, a, steps, total in RFC_SUMS:
        yield _sum(modulus, a, steps, total, ["Rfc"], Origin.HAND)


def comparisons() -> Iterator[dict[str, Any]]:
    """Around every edge of the circle of 16 bits, and all pairs of a circle of 8."""
    anchors = (0, 1, 2, 255, 256, 32_766, 32_767, 32_768, 32_769, 65_534, 65_535)
    distances = (0, 1, 2, 255, 32_766, 32_767, 32_768, 32_769, 65_534, 65_535)
    pairs = [(U16, a, (a + steps) % U16) for a in anchors for steps in distances]
    pairs += [(8, a, b) for a in range(8) for b in range(8)]
    for modulus, a, b in pairs:
        steps = distance(a, b, modulus)
        note = "Small" if modulus == 8 else "Wrap" if b < a else "Edge"
        notes = [note, "Opposite"] if steps == modulus // 2 else [note]
        yield compared(modulus, a, b, steps, less(a, b, modulus), less(b, a, modulus), notes, Origin.TABLES)


def sums() -> Iterator[dict[str, Any]]:
    """Steps up to the window, and the first beyond it."""
    for a in (0, 1, 32_767, 32_768, 65_534, 65_535):
        for steps in (0, 1, 2, window(U16) - 1, window(U16)):
            yield _sum(U16, a, steps, add(a, steps), ["Wrap" if a + steps >= U16 else "Edge"], Origin.TABLES)
        yield _sum(U16, a, window(U16) + 1, None, ["TooFar"], Origin.TABLES)


def compared(
    modulus: int, a: int, b: int, steps: int, before: bool, after: bool, notes: list[str], origin: Origin
) -> dict[str, Any]:
    """One comparison: how far it is from ``a`` forward to ``b``, and which comes first."""
    result = Result.ACCEPTABLE if "Opposite" in notes else Result.VALID
    head = {"id": f"compare-{modulus}-{a}-{b}", "result": result.value, "notes": notes, "from": origin.value}
    return {**head, "modulus": modulus, "a": a, "b": b, "distance": steps, "less": before, "greater": after}


def _sum(modulus: int, a: int, steps: int, total: int | None, notes: list[str], origin: Origin) -> dict[str, Any]:
    result = Result.INVALID if total is None else Result.VALID
    head = {"id": f"add-{modulus}-{a}-{steps}", "result": result.value, "notes": notes, "from": origin.value}
    made = {**head, "modulus": modulus, "a": a, "steps": steps}
    return made if total is None else {**made, "sum": total}
