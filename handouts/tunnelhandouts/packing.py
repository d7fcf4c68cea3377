"""Rectangles on a sheet: as large as they can be, without overlap. The same rectangles give the same sheet, always."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TRIES = 4_000
"""Orders and choices that are tried for each scale."""

FINEST = 0.01
"""Two scales that differ by less are alike."""

Shape = tuple[float, float]  # width, height


@dataclass(frozen=True)
class Placed:
    """A rectangle's place: which of its shapes was taken, and where its top left corner is."""

    shape: int
    x: float
    y: float


@dataclass(frozen=True)
class Packing:
    """All places, at one scale."""

    scale: float
    places: tuple[Placed, ...]


def pack(
    choices: Sequence[Sequence[Shape]], wide: float, high: float, head: float, gap: float, tries: int = TRIES
) -> Packing:
    """The places of rectangles, of each of which there are several shapes, at the largest scale that was found to fit.
    ``head`` is added to each height, and ``gap`` between two, whatever the scale. Raises ``ValueError`` if nothing fits."""
    low, top, best = 0.05, 2.0, None
    while top - low > FINEST:
        scale = (low + top) / 2
        scaled = [[(w * scale + gap, h * scale + head + gap) for w, h in shapes] for shapes in choices]
        found = _fit(scaled, wide + gap, high + gap, tries)
        if found is None:
            top = scale
        else:
            low, best = scale, Packing(scale, found)
    if best is None:
        raise ValueError("the sheet is too small")
    return best


def _fit(choices: Sequence[Sequence[Shape]], wide: float, high: float, tries: int) -> tuple[Placed, ...] | None:
    dice = random.Random(0)
    if sum(min(w * h for w, h in shapes) for shapes in choices) > wide * high:
        return None
    order = sorted(range(len(choices)), key=lambda i: -max(w * h for w, h in choices[i]))
    for _ in range(tries):
        picks = [dice.randrange(len(shapes)) for shapes in choices]
        placed = _lay([choices[i][picks[i]] for i in order], wide, high)
        if placed is not None:
            corners = dict(zip(order, placed, strict=True))
            return tuple(Placed(picks[i], *corners[i]) for i in range(len(choices)))
        a, b = dice.randrange(len(order)), dice.randrange(len(order))
        order[a], order[b] = order[b], order[a]
    return None


def _lay(shapes: Sequence[Shape], wide: float, high: float) -> list[tuple[float, float]] | None:
    """Each rectangle as high up as it fits under the skyline of those before; None if one sticks out."""
    line = [(0.0, 0.0, wide)]  # x, y, width: how far down each part of the sheet is taken
    corners: list[tuple[float, float]] = []
    for w, h in shapes:
        spots = [(y, x) for x, y in _spots(line, w, wide) if y + h <= high]
        if not spots:
            return None
        y, x = min(spots)
        corners.append((x, y))
        line = list(_raised(line, x, y + h, w))
    return corners


def _spots(line: Sequence[tuple[float, float, float]], w: float, wide: float) -> Iterator[tuple[float, float]]:
    for x, _, _ in line:
        if x + w <= wide:
            yield x, max(y for at, y, span in line if at < x + w and at + span > x)


def _raised(
    line: Sequence[tuple[float, float, float]], x: float, bottom: float, w: float
) -> Iterator[tuple[float, float, float]]:
    done = False
    for at, y, span in line:
        if at < x:
            yield at, y, min(span, x - at)
        if at + span > x and not done:
            yield x, bottom, w
            done = True
        if at + span > x + w:
            start = max(at, x + w)
            yield start, y, at + span - start
