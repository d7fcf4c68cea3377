"""Bounded worlds to explore: small ones that each press on one thing, and large ones that mix them.

A scenario is named after what it presses on. ``small`` has one cause of trouble at a time; ``medium`` adds worlds in which
they meet, and reaches every line of the tables; ``large`` adds one world of tens of millions of states.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunnelspec.system import Bounds, System, small_limits

AGEING = small_limits(hibernation=2)


@dataclass(frozen=True)
class Scenario:
    """A world, its name, and why it is looked at."""

    name: str
    says: str
    bounds: Bounds
    world: type[System] = System

    def system(self) -> System:
        """The world over the tables themselves."""
        return self.world(self.bounds)

    @property
    def honest(self) -> bool:
        """Whether every peer follows the tables."""
        return self.bounds.lies == 0


def _scenarios(*rows: tuple[str, str, Bounds]) -> tuple[Scenario, ...]:
    return tuple(Scenario(*row) for row in rows)


SMALL = _scenarios(
    ("sleep", "The actor sleeps with messages in flight.", Bounds(says=1, sleeps=1)),
    ("break", "The link breaks; the client may leave.", Bounds(says=1, acked=3, leaves=1, breaks=1)),
    ("wrap", "A connection that slept wakes; its indices wrap.", Bounds(says=3, acked=6)),
    ("again", "Two losses with nothing between them.", Bounds(says=1, acked=6, sleeps=2)),
    ("limit", "The client sends more than is kept.", Bounds(says=2, acked=6, limits=small_limits(pending=1))),
    ("window", "As many messages as the comparison can tell apart.",
     Bounds(says=2, acked=2, limits=small_limits(modulus=4))),
    ("plain", "A socket that cannot hibernate.", Bounds(says=1, hibernates=False, leaves=1, breaks=1)),
    ("pass", "A socket that cannot hibernate just passes messages.", Bounds(says=1, hibernates=False)),
    ("waver", "An actor that changes its mind about hibernating.", Bounds(says=1, acked=2, wavers=1, sleeps=1)),
    ("crash", "A runner's process dies.", Bounds(says=1, acked=6, crashes=1, sends=2)),
    ("zombie", "The actor moves; its old self lives on.", Bounds(says=1, runners=2, moves=1)),
    ("wake", "The actor starts for a cause of its own.", Bounds(says=1, acked=6, wakes=1)),
    ("stall", "A link carries nothing for a while; time passes.",
     Bounds(says=1, acked=6, stalls=1, passes=True, limits=AGEING)),
    ("end", "Both sides close.", Bounds(says=0, leaves=1, closes=1)),
    ("lie-ack", "A runner says what the tables do not.", Bounds(says=0, lies=1, lying="up-ack")),
    ("lie-down", "A gateway says what the tables do not.",
     Bounds(says=0, acked=2, wakes=1, closes=1, lies=1, lying="down", limits=small_limits(modulus=4, retries=0))),
    ("old", "A sleeper grows old.", Bounds(says=1, acked=3, passes=True, limits=AGEING)),
    ("restless", "An actor that goes back to sleep as often as it likes.",
     Bounds(says=1, acked=6, sleeps=1, restless=True)),
    ("deaf", "An actor that does not listen.", Bounds(says=3, acked=6, leaves=1, limits=small_limits(buffered=2))),
)  # fmt: skip

MEETINGS = _scenarios(
    ("sleep-two", "The actor sleeps with two messages in flight.", Bounds(says=2, sleeps=1)),
    ("close", "Both sides close, awake or asleep.", Bounds(says=1, acked=3, leaves=1, closes=2, sleeps=1)),
    ("full", "A client that goes on sending where nothing more is kept.",
     Bounds(says=3, acked=6, leaves=1, sleeps=1, limits=small_limits(pending=1, buffered=2))),
    ("stall-plain", "A stall, for a socket that cannot hibernate.",
     Bounds(says=1, hibernates=False, sends=1, stalls=1, passes=True, limits=AGEING)),
    ("stall-leave", "A stall, and a client that leaves.",
     Bounds(says=1, leaves=1, stalls=1, passes=True, limits=AGEING)),
    ("lie", "A peer says what the tables do not.", Bounds(says=1, acked=6, lies=1)),
    ("lie-plain", "The same, to a socket that cannot hibernate.", Bounds(says=1, hibernates=False, lies=1)),
    ("lie-zombie", "The same, from a runner that no longer has the actor.",
     Bounds(says=0, acked=6, runners=2, moves=1, wakes=1, lies=1)),
    ("lie-deaf", "A gateway says what the tables do not, to an actor that does not listen.",
     Bounds(says=0, acked=2, wakes=1, closes=1, lies=1, lying="down", limits=small_limits(modulus=4, retries=0, buffered=2))),
    ("wake-old", "Causes to wake, while time passes.", Bounds(says=1, acked=6, leaves=1, wakes=1, sleeps=1, passes=True)),
    ("zombie-talk", "A zombie that sends and closes.", Bounds(says=1, runners=2, moves=1, sends=1, closes=1)),
    ("zombie-break", "A zombie, and a broken link.", Bounds(says=1, acked=6, runners=2, moves=1, breaks=1)),
    ("close-break", "Both sides close, and the link breaks.", Bounds(says=1, leaves=1, closes=1, breaks=1, sends=1)),
    ("sleep-break", "Sleep, a broken link and a client that leaves.",
     Bounds(says=2, leaves=1, sleeps=1, breaks=1)),
    ("wrap-again", "Three messages over the wrap, two losses.", Bounds(says=3, acked=6, sleeps=1, breaks=1)),
)  # fmt: skip

MEDIUM = (*SMALL, *MEETINGS)

LARGE = (*MEDIUM, *_scenarios(
    ("all", "Sleep, a zombie, a broken link and a client that leaves.",
     Bounds(says=2, leaves=1, sleeps=1, breaks=1, moves=1, runners=2)),
))  # fmt: skip
