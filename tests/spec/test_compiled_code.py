"""What guards and effects may be made of, compiled: loops, early returns and queues mean what they mean to Python.

The tables use each of these somewhere; here each stands alone, over random queues, and must give what the effect itself gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelspec.compiled import machine_rows
from tunnelspec.compiled.tidy import tidied
from tunnelspec.fifo import Fifo
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import Kind, Machine, Role, State, moves, step


class Item(NamedTuple):
    """What stands in a queue."""

    number: int
    kind: type[Any] | None = None


class Bag(NamedTuple):
    """A context with a queue and a tuple."""

    queue: Fifo[Item] = Fifo()
    rest: tuple[int, ...] = ()
    number: int = 0
    open: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """An event."""

    number: int


@dataclass(frozen=True, slots=True)
class Said:
    """An output."""

    value: Any


Done = tuple[Bag, tuple[Any, ...]]
KINDS = (int, str)


def sums(c: Bag, e: Ask, lim: Limits) -> Done:
    total = sum(item.number for item in c.queue.oldest(e.number) if item.number != e.number)
    return c._replace(number=total), (Said(total),)


def finds(c: Bag, e: Ask, lim: Limits) -> Done:
    place = next((place for place, item in enumerate(c.queue) if item.number == e.number), -1)
    return (c._replace(queue=c.queue.remove(place)) if place >= 0 else c), (Said(place),)


def either(c: Bag, e: Ask, lim: Limits) -> Done:
    wanted = tuple(item for item in c.queue if item.number < e.number or item.kind is None)
    return c, (Said(wanted), Said(len(wanted)))


def renews(c: Bag, e: Ask, lim: Limits) -> Done:
    queue = Fifo(item._replace(number=item.number + e.number) for item in c.queue.drop(1))
    end = (Said("end"),) if len(queue) == 0 or e.number > 1 else ()
    return Bag(queue, c.rest, len(queue), c.open), (*(Said(item.number) for item in queue), *end)


def goes_on(c: Bag, e: Ask, lim: Limits) -> Done:
    queue = Fifo(item for item in c.queue if item.kind is not None)
    longer = queue.append(Item(e.number))
    return c._replace(queue=longer), (*(Said(item) for item in queue), Said(longer[-1]), Said(len(queue)))


def appends(c: Bag, e: Ask, lim: Limits) -> Done:
    queue = c.queue.append(Item(len(c.queue), int))
    return c._replace(queue=queue, rest=(*c.rest, e.number)), (Said(queue[-1].number), Said(len(queue)), Said(queue))


def place_of(queue: Fifo[Item], number: int) -> int:
    first = queue[0].number if len(queue) > 0 else -1
    if 0 <= number - first < len(queue) and queue[number - first].number == number:
        return number - first
    return next((place for place, item in enumerate(queue) if item.number == number), -1)


def kind_of(queue: Fifo[Item], number: int) -> type[Any] | None:
    place = place_of(queue, number)
    return queue[place].kind if place >= 0 else None


def returns_early(c: Bag, e: Ask, lim: Limits) -> Done:
    kind = kind_of(c.queue, e.number)
    return c, (Said(kind), Said(kind in KINDS), Said(kind not in (None, *KINDS)))


def asks_each(c: Bag, e: Ask, lim: Limits) -> Done:
    return c, (Said(tuple(kind_of(c.queue, item.number) for item in c.queue)),)


def passes_on(c: Bag, e: Ask, lim: Limits) -> Done:
    return c, tuple(Said(number) for number in c.rest)


def counts(c: Bag, e: Ask, lim: Limits) -> Done:
    count = -1 if c.open else 1
    return c._replace(number=count), (Said(min(count, e.number)), Said(c.open or e.number), Said(None or count))


WRITTEN = (sums, finds, either, renews, appends, returns_early, passes_on, counts)
CALLED = (
    goes_on,
    asks_each,
)  # what is read of a list must not change; and a way that depends on an item is not written


def is_one(c: Bag, e: Ask, lim: Limits) -> bool:
    return kind_of(c.queue, e.number) in KINDS


def is_other(c: Bag, e: Ask, lim: Limits) -> bool:
    return kind_of(c.queue, e.number) not in (None, *KINDS)


def is_none(c: Bag, e: Ask, lim: Limits) -> bool:
    return kind_of(c.queue, e.number) is None


def machine(*rows: Any) -> Machine:
    """One state, in which these rows share the event."""
    return Machine(
        "T", "test", Role.GATEWAY, "", (State("s", Kind.START, ""),), Bag(), rows, lambda _: (), lambda _: ()
    )


MACHINES = {
    effect: machine(moves("T-1", "s", Ask, None, then=effect, says=".", ref=".")) for effect in WRITTEN + CALLED
}
GUARDED = machine(
    *(
        moves(f"T-{n}", "s", Ask, None, when=guard, says=".", ref=".")
        for n, guard in enumerate((is_one, is_other, is_none))
    )
)


@st.composite
def bags(draw: st.DrawFn) -> Bag:
    """A context; its queue may be a view of a longer list."""
    kinds = st.sampled_from((None, int, str, bytes))
    items = draw(st.lists(st.builds(Item, st.integers(0, 5), kinds), max_size=5))
    queue = Fifo(items)
    if draw(st.booleans()):
        queue.append(Item(9))
    rest = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    return Bag(queue.drop(draw(st.integers(0, 2))), rest, draw(st.integers(0, 3)), draw(st.booleans()))


@pytest.mark.parametrize("effect", MACHINES, ids=lambda effect: effect.__name__)
@settings(deadline=None, max_examples=60)
@given(bag=bags(), number=st.integers(0, 5))
def test_an_effect_does_what_it_says(effect: Any, bag: Bag, number: int) -> None:
    """Compiled or called, it gives the same, twice over: the first step leaves what the second finds as it was."""
    rows = machine_rows(MACHINES[effect], DEFAULT)["s"]
    before = tuple(bag.queue)
    for _ in range(2):
        assert rows[Ask](bag, Ask(number)) == step(MACHINES[effect], "s", bag, Ask(number), DEFAULT)
    assert tuple(bag.queue) == before


@settings(deadline=None, max_examples=60)
@given(bag=bags(), number=st.integers(0, 5))
def test_a_guard_asks_what_it_says(bag: Bag, number: int) -> None:
    """Of three guards over one search one holds, and it is the right one."""
    rows = machine_rows(GUARDED, DEFAULT)["s"]
    assert rows[Ask](bag, Ask(number)) == step(GUARDED, "s", bag, Ask(number), DEFAULT)


def test_which_effects_are_written_out() -> None:
    """Those of the tables' kind are; what could be written wrongly is called."""
    for effect in (*WRITTEN, *CALLED):
        rows = machine_rows(MACHINES[effect], DEFAULT)["s"]
        rows[Ask]
        whole = (
            "interpret" not in rows.sources.get(Ask, "interpret") and f"{kind_of.__name__}(" not in rows.sources[Ask]
        )
        assert whole is (effect in WRITTEN), effect.__name__


def test_what_is_read_once_goes_where_it_is_read() -> None:
    """But not into a loop, where it would be worked out each time; and what is never read goes."""
    lines = [
        "    idle_1 = e.idle",
        "    sum_2 = 0",
        "    step_3 = e.step + 1",
        "    for item_4 in c0.items:",
        "        half_5 = item_4.size // 2",
        "        sum_2 += half_5 * step_3",
        "    n_6 = sum_2 - 1",
        "    return n_6 * 2",
    ]
    assert tidied(lines, {}) == [
        "    sum_2 = 0",
        "    step_3 = e.step + 1",
        "    for item_4 in c0.items:",
        "        sum_2 += (item_4.size // 2) * step_3",
        "    return (sum_2 - 1) * 2",
    ]


def test_many_fields_are_taken_at_once() -> None:
    """Three of three by one assignment, one of three by its name."""
    fields = {"c0": ("a", "b", "c")}
    three = [f"    {name}_1 = c0.{name}" for name in "abc"]
    assert tidied([*three, "    return a_1, b_1, c_1, a_1"], fields) == [
        "    a_1, b_1, c_1, = c0",
        "    return a_1, b_1, c_1, a_1",
    ]
    assert tidied(["    b_1 = c0.b", "    return b_1"], fields) == ["    return c0.b"]
