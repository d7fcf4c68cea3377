"""How wide a text is, in Helvetica or a font with the same widths (Arial, Liberation Sans, Arimo).

graphviz-pure measures with Arimo, so what is added to its pictures agrees with what it drew. Widths are in 1/1000 of the font
size, from Adobe's font metrics of Helvetica and Helvetica-Bold; a character outside ASCII counts as the widest letter.
"""

from __future__ import annotations

REGULAR = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 "
    "556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 "
    "556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
BOLD = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 "
    "556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 "
    "667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 "
    "611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"
)
FAMILY = "Arial, Helvetica, 'Liberation Sans', Arimo, 'DejaVu Sans Condensed', sans-serif"
"""Fonts of these widths, and where none is installed one that is about as narrow: not every reader of SVG heeds textLength."""

_REGULAR = tuple(int(width) for width in REGULAR.split())
_BOLD = tuple(int(width) for width in BOLD.split())


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide ``text`` is at ``size``, in the unit of ``size``."""
    table = _BOLD if bold else _REGULAR
    return sum(table[ord(c) - 32] if " " <= c <= "~" else 944 for c in text) * size / 1000


def wrap(text: str, size: float, room: float, bold: bool = False) -> list[str]:
    """``text`` in lines that fit ``room``: broken at spaces, and a word that is longer than half of it after its brackets."""
    lines = [""]
    for word in text.split():
        pieces = word.replace("(", "(\n").split("\n") if width(word, size, bold) > room / 2 else [word]
        for place, piece in enumerate(pieces):
            glue = "" if place or not lines[-1] else " "
            if lines[-1] not in ("", "/") and width(lines[-1] + glue + piece, size, bold) > room:
                lines.append(piece)
            else:
                lines[-1] += glue + piece
    return [line for line in lines if line]
