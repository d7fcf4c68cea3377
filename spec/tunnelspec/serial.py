"""Serial numbers: comparing what wraps (RFC 1982), for any modulus that is a power of two (2^SERIAL_BITS).

The wire's index is a u16, so the modulus is 2^16; a checker takes 8. What a comparison says depends on the distance between
two numbers alone, which is why what is shown for a small modulus holds for the large one; ``tunnelproofs.serials`` checks that
over all pairs. Every function takes whole numbers or numpy arrays of them, so that what is proved is what is used.
"""

from __future__ import annotations

U16 = 1 << 16


def distance(a: int, b: int, modulus: int = U16) -> int:
    """Steps forward from ``a`` to ``b``: 0 to modulus - 1."""
    return (b - a) & (modulus - 1)


def add(a: int, steps: int, modulus: int = U16) -> int:
    """The number ``steps`` after ``a`` (RFC 1982, section 3.1). Defined for steps up to ``window(modulus)``."""
    return (a + steps) & (modulus - 1)


def less(a: int, b: int, modulus: int = U16) -> bool:
    """Whether ``a`` comes before ``b`` (RFC 1982, section 3.2).

    Half the circle apart the RFC leaves it open which comes first; here neither does.
    """
    steps = distance(a, b, modulus)
    return (steps > 0) & (steps < modulus // 2)


def greater(a: int, b: int, modulus: int = U16) -> bool:
    """Whether ``a`` comes after ``b`` (RFC 1982, section 3.2)."""
    return less(b, a, modulus)


def window(modulus: int = U16) -> int:
    """How many consecutive numbers after one can all be told to come after it: half the circle, less one."""
    return modulus // 2 - 1


def merged_wrapping_gt(a: int, b: int) -> bool:
    """The merged code's ``wrapping_gt``, for comparison only: it gives up one step before the RFC does."""
    return (a != b) & (distance(b, a) < U16 // 2 - 1)
