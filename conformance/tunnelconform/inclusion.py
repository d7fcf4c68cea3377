"""Whether anybody outside could tell a departure from the tables: do they allow all that it does?

A departed machine is held against the table's own, from each state and each bounded context, in every sequence of events. Beside
each state that the departed one may be in stands the set of those that the table may be in, having put out the same. Where that
set becomes empty, the departure can be told; where it never does, all that the departure does is something that the tables
allow, and no observer of outputs can tell. Two things are not to be seen from outside: a ``Violation``, which is a record, and
whether a collection comes a millisecond sooner or later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from tunnelspec.deviations import Deviation, depart
from tunnelspec.endpoint import TABLES, Endpoint
from tunnelspec.events import Collect, Happens, SocketMessage
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Undecided, Violation, enabled, step
from tunnelspec.system import small_limits

MOST = 5_000
"""So many pairs of one machine are looked at."""

LATER_MS = 5
"""Events come at two moments that are so far apart."""

MORE: Mapping[str, tuple[Any, ...]] = {"EVT-R": (Happens(SocketMessage(1, b"", False), 0),)}
"""Events that a table need not be proved total over, but that tell departures apart."""

Stand = tuple[str, Any]
"""A machine's state and context."""


@dataclass(frozen=True)
class Held:
    """What came of it: where it stood and the events after which the tables do not allow what the departure puts out, or
    nothing."""

    apart: tuple[Any, ...]
    pairs: int
    complete: bool  # there were no more pairs

    @property
    def included(self) -> bool:
        """Whether the tables allow all of it."""
        return not self.apart


def inclusion(deviations: Sequence[Deviation], role: str) -> Held:
    """Whether the tables of a role allow all that they do with these deviations."""
    limits = small_limits()
    tables, lives_by = depart(TABLES, limits, deviations)
    right: Endpoint = getattr(TABLES, role)
    wrong: Endpoint = getattr(tables, role)
    pairs, complete = 0, True
    for own, departed in zip(right.machines, wrong.machines, strict=True):
        if own is departed and lives_by == limits:
            continue
        held = _held(own, departed, limits, lives_by)
        if held.apart:
            return held
        pairs, complete = pairs + held.pairs, complete and held.complete
    return Held((), pairs, complete)


def _held(own: Machine, departed: Machine, limits: Limits, lives_by: Limits) -> Held:
    """One machine against its departed twin."""
    stands = [(state.name, context) for state in own.states for context in (own.start, *own.contexts(limits))]
    agenda: deque[tuple[Stand, frozenset[Stand], tuple[Any, ...]]] = deque(
        (stand, frozenset({stand}), (stand,)) for stand in stands
    )
    known: set[Any] = {(there, here) for there, here, _ in agenda}
    events = tuple(
        dict.fromkeys(at for event in (*own.events(limits), *MORE.get(own.id, ())) for at in _earlier_and_later(event))
    )
    while agenda:
        there, here, path = agenda.popleft()
        for event in events:
            if _excluded(own, here, event, limits):
                continue
            wrong, put_out = _step(departed, there, event, lives_by)
            same = frozenset(
                after
                for stand in here
                for at in _moments(event)
                for after, said in (_step(own, stand, at, limits),)
                if said == put_out
            )
            if not same:
                return Held((*path, event), len(known), False)
            if (wrong, same) not in known:
                if len(known) >= MOST:
                    return Held((), len(known), False)
                known.add((wrong, same))
                agenda.append((wrong, same, (*path, event)))
    return Held((), len(known), True)


def _excluded(machine: Machine, stands: Iterable[Stand], event: Any, limits: Limits) -> bool:
    """Whether the table says that this cannot come."""
    return all(any(row.excluded for row in enabled(machine, *stand, event, limits)) for stand in stands)


def _earlier_and_later(event: Any) -> Iterator[Any]:
    """The event at two moments, further apart than what cannot be told."""
    yield event
    if _dated(event):
        yield replace(event, now=event.now + LATER_MS)


def _moments(event: Any) -> Iterator[Any]:
    """When an event may come, for all that can be told."""
    yield event
    if isinstance(event, Collect):
        yield replace(event, now=event.now + 1)


def _step(machine: Machine, stand: Stand, event: Any, limits: Limits) -> tuple[Stand, tuple[Any, ...]]:
    """Where it stands then, and what of its outputs can be seen."""
    try:
        done = step(machine, *stand, event, limits)
    except Undecided:  # a departure may leave a gap in its table
        return stand, (Undecided,)
    return (done.state, done.context), tuple(_timeless(o) for o in done.outputs if not isinstance(o, Violation))


def _timeless(output: Any) -> Any:
    """The output without the moment at which it was put out."""
    return replace(output, now=0) if _dated(output) else output


def _dated(what: Any) -> bool:
    """Whether it says when it happens."""
    return is_dataclass(what) and any(f.name == "now" for f in fields(what))
