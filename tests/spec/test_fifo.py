"""The queue of what is pending is a value: whatever is done to one view, the others stay as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelspec.fifo import SLACK, Fifo

Do = st.one_of(
    st.tuples(st.just("append"), st.integers()),
    st.tuples(st.just("drop"), st.integers(0, 3)),
    st.tuples(st.just("remove"), st.integers(0, 3)),
    st.tuples(st.just("back"), st.integers(0, 50)),
)


@given(st.lists(Do, max_size=60))
def test_it_is_a_tuple_but_for_its_cost(steps: list[tuple[str, int]]) -> None:
    """Every view ever made keeps its items, also when an older one is gone on from."""
    views: list[tuple[Fifo[int], tuple[int, ...]]] = [(Fifo(), ())]
    for verb, number in steps:
        queue, model = views[-1]
        if verb == "append":
            views.append((queue.append(number), (*model, number)))
        elif verb == "drop":
            views.append((queue.drop(number), model[number:]))
        elif verb == "remove" and number < len(model):
            views.append((queue.remove(number), (*model[:number], *model[number + 1 :])))
        elif verb == "back":
            views.append(views[number % len(views)])
    for queue, model in views:
        assert tuple(queue) == model
        assert len(queue) == len(model)
        assert [queue[place] for place in range(-len(model), len(model))] == [*model, *model]
        assert queue == Fifo(model)
        assert hash(queue) == hash(Fifo(model))
        assert queue.oldest(2) == model[:2]


def test_what_is_dropped_is_let_go() -> None:
    """A queue that is used for long does not keep what has left it."""
    queue: Fifo[int] = Fifo()
    for number in range(10_000):
        queue = queue.append(number)
        if len(queue) > 5:
            queue = queue.drop(1)
    assert len(queue._items) <= 2 * (SLACK + 6)


def test_beyond_its_ends_there_is_nothing() -> None:
    queue = Fifo((1, 2)).drop(1)
    for place in (1, -2):
        with pytest.raises(IndexError):
            queue[place]
    assert queue != (2,)
    assert repr(queue) == "Fifo([2])"
