"""The parts of the closed world (``system``): what can be bounded, its components, and what an action is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tunnelspec.endpoint import Local
from tunnelspec.limits import Limits
from tunnelspec.serial import window

SIDES = ("a", "b")
"""The two runners."""

LEAVE_CODE = 1000
"""What the client closes with."""

ACTOR_CODE = 4000
"""What the actor closes with."""

NOT_FOUND = (1011, "Actor not found")


# -- what can be bounded ---------------------------------------------------------------------------------------------


def small_limits(
    *, modulus: int = 8, pending: int = 0, retries: int = 1, buffered: int = 4, hibernation: int = 3
) -> Limits:
    """Limits of a bounded world. Times are ticks: 5 s is less than a tick, 30 s is two, the maximum age more."""
    return Limits(
        index_modulus=modulus,
        number_modulus=16,
        max_pending_messages=pending or window(modulus),
        max_pending_bytes=64,
        max_total_pending_bytes=64,
        max_retries=retries,
        backoff_ms=1,
        runner_ack_timeout_ms=0,
        ack_timeout_ms=1,
        max_hibernation_ms=hibernation,
        max_buffered_events=buffered,
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may happen in a world, each a number of times. ``acked`` is the index that was acked in an earlier life of
    the connection, which then begins asleep; -1: it begins with its first open."""

    limits: Limits = field(default_factory=small_limits)
    hibernates: bool = True
    runners: int = 1
    acked: int = -1
    says: int = 1  # messages of the client
    leaves: int = 0  # the client's close
    passes: bool = False  # time passes
    wavers: int = 0  # the actor changes its mind about hibernating
    sends: int = 0  # messages of the actor
    closes: int = 0  # the actor's close
    sleeps: int = 0  # the actor sleeps, or crashes
    restless: bool = False  # it may do so again and again: sleeping takes nothing from the budget
    wakes: int = 0  # the actor starts for a cause of its own
    moves: int = 0  # the actor is taken for lost, and started on the other runner
    breaks: int = 0  # a link breaks
    crashes: int = 0  # a runner's process dies, and is started again
    stalls: int = 0  # a link carries nothing for a while
    lies: int = 0  # frames that a broken or hostile peer slips into a link
    lying: str = ""  # what the lies' names begin with; "": all of them


class Budget(NamedTuple):
    """What of the bounds is left."""

    leaves: int
    wavers: int
    sends: int
    closes: int
    sleeps: int
    wakes: int
    moves: int
    breaks: int
    crashes: int
    stalls: int
    lies: int


# -- components ------------------------------------------------------------------------------------------------------


class Client(NamedTuple):
    """The client. ``told`` is the code it was closed with, 0 if it was not."""

    phase: str = "new"  # new, connecting, open, left, told
    said: int = 0  # messages it sent; the n-th has data n
    heard: int = 0  # the data of the last message that reached it
    told: int = 0


class Gateway(NamedTuple):
    """The gateway's endpoint, its armed timers, and whether it waits for a route."""

    machines: tuple[Local, ...]
    opening: bool = False  # OpenTimeout is armed
    backing: bool = False  # BackoffOver is armed
    resolving: bool = False
    ended: str = ""  # the transition that closed it


class Runner(NamedTuple):
    """A runner's endpoint, and its armed timer."""

    machines: tuple[Local, ...]
    due: bool = False  # AckDue is armed


class Host(NamedTuple):
    """The actor on one runner: whether it lives, was asked about the socket, and what waits for it, in order."""

    on: bool = False
    wavers: bool = False  # it sees hibernation otherwise than in its other lives
    asked: bool = False
    mailbox: tuple[Any, ...] = ()  # SocketMessage, SocketClosed, Conclude


class Line(NamedTuple):
    """A runner's link. When it breaks, each end notices for itself; when both have, the runner has dialled again."""

    link: int
    up: bool = True
    stalled: bool = False
    gateway_knows: bool = False
    runner_knows: bool = False


class Store(NamedTuple):
    """The actor's durable state: who may write it, and what it knows of the socket."""

    owner: str = ""
    last: int = -1  # the last index committed
    applied: int = 0  # the data of the last message applied
    concluded: int = 0  # the code it was closed with, 0 if it was not


class Carried(NamedTuple):
    """A frame on a link, with the sender's number for it; of a TunnelAck, the number it names."""

    frame: Any
    number: int


World = Mapping[str, Any]  # component -> value


# -- stages ----------------------------------------------------------------------------------------------------------

Values = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Stage:
    """A pure function of some components to some components. ``do(*given, *reads)`` gives the values of ``writes``, or None
    if the action is not possible."""

    do: Callable[..., Values | None]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    given: Values = ()
    idle: str = ""  # a register: when it is (), the stage changes nothing

    def __call__(self, *values: Any) -> Values | None:
        return self.do(*self.given, *values)


@dataclass(frozen=True, eq=False)
class Action:
    """Something that can happen: who does it, what it is, and its stages."""

    id: str
    party: str  # client, gateway, link a, runner a, actor a, …, time
    says: str
    stages: tuple[Stage, ...]
