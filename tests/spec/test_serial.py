"""RFC 1982: the algebra for several moduli by property, and everything for u16 by trying all pairs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tunnelproofs.serials import edges, prove
from tunnelspec.serial import U16, add, distance, greater, less, merged_wrapping_gt, window

moduli = st.integers(1, 16).map(lambda bits: 1 << bits)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, int, int]:
    modulus = draw(moduli)
    number = st.integers(0, modulus - 1)
    return draw(number), draw(number), modulus


@given(pairs())
def test_distance_and_add_undo_each_other(pair: tuple[int, int, int]) -> None:
    a, b, modulus = pair
    assert add(a, distance(a, b, modulus), modulus) == b


@given(pairs())
def test_less_is_antisymmetric_and_total_but_at_half(pair: tuple[int, int, int]) -> None:
    a, b, modulus = pair
    assert less(a, b, modulus) + less(b, a, modulus) + (a == b) == (distance(a, b, modulus) != modulus // 2 or a == b)
    assert greater(a, b, modulus) == less(b, a, modulus)


@given(pairs(), st.data())
def test_less_is_transitive_in_the_window(pair: tuple[int, int, int], data: st.DataObject) -> None:
    a, _, modulus = pair
    if window(modulus) >= 2:
        first = data.draw(st.integers(1, window(modulus) - 1))
        second = data.draw(st.integers(1, window(modulus) - first))
        b, c = add(a, first, modulus), add(a, first + second, modulus)
        assert less(a, b, modulus)
        assert less(b, c, modulus)
        assert less(a, c, modulus)


def test_the_tests_that_a_review_proposed() -> None:
    """F05: of three proposed assertions the middle one fails for the merged code, and holds for RFC 1982."""
    assert merged_wrapping_gt(1, U16 - 1)
    assert not merged_wrapping_gt(U16 // 2 - 1, 0)
    assert greater(U16 // 2 - 1, 0)
    assert not merged_wrapping_gt(U16 - 1, 1)


def test_all_pairs_of_u16() -> None:
    """All 2^32 pairs: what is claimed holds, and the merged comparison differs at distance 32 767 alone."""
    result = prove()
    assert result.holds
    assert result.pairs == 1 << 32
    assert result.open_pairs == U16
    assert (result.merged_differs, result.merged_differs_at) == (U16, (32_767,))
    assert [(d, after, before, merged) for d, after, before, merged in edges() if 32_766 <= d <= 32_769] == [
        (32_766, True, False, True),
        (32_767, True, False, False),
        (32_768, False, False, False),
        (32_769, False, True, False),
    ]
