"""Malformed tables are refused by name, and a step never guesses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pytest

from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import (
    Ambiguous,
    Kind,
    Machine,
    Received,
    Role,
    State,
    TableError,
    Transition,
    Undecided,
    Violation,
    ignores,
    key,
    moves,
    refuses,
    step,
)


@dataclass(frozen=True, slots=True)
class Coin:
    value: int = 1


@dataclass(frozen=True, slots=True)
class Push:
    pass


class Purse(NamedTuple):
    held: int = 0


def fits(c: Purse, e: Coin, lim: Limits) -> bool:
    return c.held + e.value <= 2


def is_full(c: Purse, e: Coin, lim: Limits) -> bool:
    return c.held + e.value > 2


def hold(c: Purse, e: Coin, lim: Limits) -> tuple[Purse, tuple[Any, ...]]:
    return Purse(c.held + e.value), ("clink",)


ROWS = (
    moves("T-G-1", "locked", Coin, "open", when=fits, then=hold, says="A coin opens it.", ref="here"),
    refuses("T-G-2", "locked", Coin, when=is_full, says="It is full."),
    ignores("T-G-3", "open", Coin, says="It is open."),
    moves("T-G-4", "open", Push, "locked", says="One goes through.", ref="here"),
    ignores("T-G-5", "locked", Push, says="It does not move."),
)


def turnstile(*rows: Transition) -> Machine:
    states = (State("locked", Kind.START, "Nobody passes."), State("open", Kind.STEADY, "One may pass."))
    return Machine(
        "T-G", "turnstile", Role.GATEWAY, "A turnstile.", states, Purse(), rows or ROWS, lambda lim: (), lambda lim: ()
    )


def test_a_good_table_steps() -> None:
    machine = turnstile()
    done = step(machine, "locked", Purse(), Coin(), DEFAULT)
    assert (done.transition.id, done.state, done.context, done.outputs) == ("T-G-1", "open", Purse(1), ("clink",))
    assert step(machine, "open", Purse(1), Coin(), DEFAULT)[1:] == ("open", Purse(1), ())
    assert step(machine, "locked", Purse(2), Coin(), DEFAULT)[1:] == ("locked", Purse(2), (Violation("T-G-2"),))
    assert machine.alphabet == (Coin, Push)
    assert machine.transition("T-G-4").target == "locked"


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ((*ROWS, ROWS[0]), "T-G-1 is used twice"),
        ((*ROWS[:4], replace(ROWS[4], id="X-1")), "X-1 does not begin with T-G-"),
        ((*ROWS[:3], replace(ROWS[3], target="ajar"), ROWS[4]), "T-G-4 names unknown states: ajar"),
        ((*ROWS[:3], replace(ROWS[3], says="no period"), ROWS[4]), "T-G-4: its sentence does not end with a period"),
        ((*ROWS[:3], replace(ROWS[3], ref=""), ROWS[4]), "T-G-4 has no source"),
        (ROWS[:4], "state 'locked' says nothing about Push"),
        ((replace(ROWS[0], target=None), *ROWS[1:]), "unreachable states: open"),
    ],
)
def test_a_malformed_table_is_refused_by_name(rows: tuple[Transition, ...], named: str) -> None:
    with pytest.raises(TableError, match=named.replace("'", ".")):
        turnstile(*rows)


def test_silence_and_ambiguity_are_errors() -> None:
    """Never the first of two; never nothing."""
    ambiguous = turnstile(replace(ROWS[0], when=None), *ROWS[1:])
    with pytest.raises(Ambiguous, match="T-G-1 and T-G-2"):
        step(ambiguous, "locked", Purse(2), Coin(), DEFAULT)
    silent = turnstile(ROWS[0], *ROWS[2:])
    with pytest.raises(Undecided, match="'locked'"):
        step(silent, "locked", Purse(2), Coin(), DEFAULT)
    with pytest.raises(Undecided):
        step(silent, "locked", Purse(2), object(), DEFAULT)


def test_a_received_frame_is_known_by_its_class() -> None:
    assert key(Received(Coin(), 1)) is Coin
    assert key(Coin()) is Coin
