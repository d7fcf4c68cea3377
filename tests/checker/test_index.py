"""The exact set under the explorer: every key has one number, and no two keys share one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelcheck import index as module
from tunnelcheck.index import Index


@given(
    st.lists(st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=60), max_size=12),
    st.sampled_from([0, 1 << 14]),
)
def test_numbers_are_given_in_the_order_of_arrival(batches: list[list[int]], few: int) -> None:
    """With the dictionary and without it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", few)
        index, known = Index(), {}
        for batch in batches:
            numbers = index.add(np.array(batch, np.uint64))
            for key, number in zip(batch, numbers.tolist(), strict=True):
                assert known.setdefault(key, number) == number
        assert index.count == len(known)
        assert sorted(known.values()) == list(range(len(known)))
        assert [known[key] for key in index.keys.tolist()] == list(range(len(known)))


def test_a_large_set_grows_and_keeps_its_numbers() -> None:
    keys = np.random.default_rng(7).integers(0, 2**63, 300_000).astype(np.uint64)
    index = Index()
    first = index.add(keys)
    assert np.array_equal(index.add(keys), first)
    assert index.count == len(np.unique(keys))
    assert np.array_equal(index.keys[first], keys)
