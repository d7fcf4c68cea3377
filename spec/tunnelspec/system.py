"""The closed world: a client, the gateway, links that break, runners, an actor with durable state, and time.

The world is a set of **components** (``World``), and what can happen in it is a set of **actions**. An action is a row of
**stages**, each a pure function of a few named components to a few named components; None means *not possible now*. The
protocol itself is in none of them: a stage hands an event to an endpoint's tables, and others carry what the tables put out.

Because a stage sees nothing but the components it names, what it does can be tabulated over their values: that is all an
explorer needs to know, and why it is fast.

*Registers* pass values between the stages of one action, and mean nothing between actions: ``heard``, the event for an
endpoint's machines; ``said_…``, what they put out, and for whom; ``took``, the transitions that were taken.

*Time* has no clock. All events carry ``now=0``, and what was sent carries minus its age; a ``tick`` (one gateway
collection) makes everything a tick older, up to an age beyond every timeout. Short timers may fire whenever they are armed, for a
slow peer cannot be told from a lost one; a tick comes only when nothing is on its way but what is stalled, for 2 s < 15 s < 30 s.

*What is left out*: a message's size is 1 and its data its ordinal; the relay speaks for every link that broke, whether or not the
request was open on it (the tables ignore the difference); message ids of one endpoint are never reused, as 128 bits promise; the
durable state keeps of a close the code and not the reason, and knows a socket by what it has applied of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import product
from typing import Any, ClassVar, NamedTuple

from tunnelspec.ack import Queue
from tunnelspec.connection import Connection
from tunnelspec.endpoint import GATEWAY, RUNNER, Endpoint, Local, Taken
from tunnelspec.events import (
    AckDue,
    ActorAccepts,
    ActorCloses,
    ActorListens,
    ActorRefuses,
    ActorSends,
    ActorStarted,
    ActorStops,
    AskActor,
    BackoffOver,
    CancelTimer,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    CloseClient,
    Collect,
    Committed,
    Conclude,
    Concluded,
    Deliver,
    Emit,
    Forget,
    Free,
    LinkLost,
    OpenTimeout,
    ReadClient,
    Remember,
    Resolve,
    RouteFailed,
    RouteFound,
    Send,
    SendAck,
    SetTimer,
    SocketClosed,
    SocketMessage,
)
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Received, Violation
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


# == the endpoints hear ==============================================================================================


def armed(was: bool, timer: type[Any], outputs: Values) -> bool:
    """Whether a timer is armed after these outputs."""
    for output in outputs:
        if isinstance(output, SetTimer | CancelTimer) and output.event is timer:
            was = isinstance(output, SetTimer)
    return was


def gateway_hears(system: System, gateway: Gateway, heard: Any) -> Values:
    """The gateway's tables decide. When the entry is freed, what it knew is forgotten."""
    result = system.gateway.step(gateway.machines, heard, system.limits)
    took = tuple(taken.step.transition.id for taken in result.steps)
    outputs = result.outputs
    if Free() in outputs:
        machines = system.gateway.freed(result.state)
        waits = gateway.resolving and not isinstance(heard, RouteFound | RouteFailed)
        after = Gateway(machines, resolving=waits, ended=gateway.ended or closing(system, result.steps))
    else:
        after = Gateway(
            result.state,
            armed(gateway.opening, OpenTimeout, outputs),
            armed(gateway.backing, BackoffOver, outputs),
            Resolve() in outputs or (gateway.resolving and not isinstance(heard, RouteFound | RouteFailed)),
            gateway.ended,
        )
    to_client = tuple(o for o in outputs if isinstance(o, ReadClient | Deliver | CloseClient))
    refused = tuple(o.rule for o in outputs if isinstance(o, Violation))
    return after, *(carried(outputs, side) for side in system.sides), to_client, refused, took


def closing(system: System, steps: tuple[Taken, ...]) -> str:
    """The transition that closed the connection."""
    return next(
        t.step.transition.id for t in steps if t.machine is system.gateway.machines[0] and t.step.state == "closed"
    )


def runner_hears(system: System, side: str, runner: Runner, heard: Any) -> Values:
    """The runner's tables decide; without an event, nothing. When the entry is freed, the next open begins a new one."""
    if heard is None:
        return runner, (), (), (), ()
    result = system.runner.step(runner.machines, heard, system.limits)
    took = tuple(taken.step.transition.id for taken in result.steps)
    outputs = result.outputs
    kept = Runner(result.state, armed(runner.due, AckDue, outputs))
    after = system.fresh_runner(result.state) if Free() in outputs else kept
    to_host = tuple(o for o in outputs if isinstance(o, AskActor | Emit | Conclude | Remember | Forget))
    refused = tuple(o.rule for o in outputs if isinstance(o, Violation))
    return after, carried(outputs, side), to_host, refused, took


# == what they said is carried =======================================================================================


def carried(outputs: Values, side: str) -> tuple[tuple[int, Carried], ...]:
    """What of the outputs goes to or comes from this side, each with its link. The links of a are odd, those of b even."""
    return tuple(
        (o.link, Carried(o.frame, o.number) if isinstance(o, Send) else Carried(TunnelAck(), o.message_id[0]))
        for o in outputs
        if (isinstance(o, Send) or (isinstance(o, SendAck) and o.message_id != b"")) and SIDES[1 - o.link % 2] == side
    )


def carry(line: Line, queue: tuple[Carried, ...], said: tuple[tuple[int, Carried], ...]) -> Values:
    """Frames join the queue of a link that is up; on a broken one they are lost."""
    return (queue + tuple(frame for link, frame in said if line.up and link == line.link),)


def tell_client(client: Client, said: Values) -> Values:
    """The client hears the gateway."""
    for output in said:
        if isinstance(output, ReadClient) and client.phase == "connecting":
            client = client._replace(phase="open")
        elif isinstance(output, Deliver) and client.phase == "open":
            client = client._replace(heard=output.data[0])
        elif isinstance(output, CloseClient) and client.phase != "left":
            client = client._replace(phase="told", told=output.code)
    return (client,)


def tell_host(host: Host, said: Values) -> Values:
    """The actor's host hears the runner: a question, or what its listener is to see."""
    for output in said:
        if isinstance(output, AskActor):
            host = host._replace(asked=True)
        elif isinstance(output, Emit) and isinstance(output.event, SocketMessage | SocketClosed):
            host = host._replace(mailbox=(*host.mailbox, output.event)) if host.on else host
        elif isinstance(output, Conclude) and host.on:
            host = host._replace(mailbox=(*host.mailbox, output))
    return (host,)


def tell_store(side: str, store: Store, said: Values) -> Values:
    """The durable state hears that a socket's record may go."""
    if Forget() in said and store.owner == side:
        return (store._replace(last=-1, concluded=0),)
    return (store,)


# == what can happen =================================================================================================


def client_connects(client: Client) -> Values | None:
    if client.phase != "new":
        return None
    return client._replace(phase="connecting"), ClientConnected()


def client_says(says: int, client: Client) -> Values | None:
    """Also a client that was closed may have sent before it saw that."""
    if client.phase not in ("open", "told") or client.said == says:
        return None
    return client._replace(said=client.said + 1), ClientMessage(bytes([client.said + 1]), False, 1, 0, 0)


def client_leaves(client: Client, budget: Budget) -> Values | None:
    """Also a client that was closed may have left before it saw that."""
    if client.phase not in ("connecting", "open", "told") or not budget.leaves:
        return None
    after = client if client.phase == "told" else client._replace(phase="left")
    return after, budget._replace(leaves=0), ClientClosed(LEAVE_CODE, "", 0)


def open_times_out(gateway: Gateway) -> Values | None:
    return (gateway._replace(opening=False), OpenTimeout(0)) if gateway.opening else None


def backoff_ends(gateway: Gateway) -> Values | None:
    return (gateway._replace(backing=False), BackoffOver(0)) if gateway.backing else None


def resolves(gateway: Gateway) -> Values | None:
    return () if gateway.resolving else None


def finds(
    side: str, store: Store, budget: Budget, line: Line, here: Host, other_line: Line, there: Host
) -> Values | None:
    """The actor's runner; or, if it has none now, any, which starts it, unless it died or lost its link, and hears nothing. By a
    move the router takes a living actor for lost: what goes on living there is a zombie."""
    if line.gateway_knows:
        return None
    if store.owner == side and here.on:
        return store, budget, here, RouteFound(line.link, 0)
    if here.on:
        return None  # a zombie is there: it must stop before the runner can start the actor again
    moves = there.on and store.owner not in ("", side) and not other_line.gateway_knows
    if moves and not budget.moves:
        return None
    left = budget._replace(moves=budget.moves - 1) if moves else budget
    if line.runner_knows:
        return store, left, here, RouteFound(line.link, 0)
    return store._replace(owner=side), left, Host(on=True), RouteFound(line.link, 0)


def finds_none(line: Line) -> Values | None:
    return () if line.gateway_knows else None


def route_fails() -> Values:
    return (RouteFailed(0),)


def starts(side: str, store: Store, budget: Budget, line: Line, here: Host, there: Host) -> Values | None:
    """The actor runs again for a cause of its own."""
    if not budget.wakes or line.gateway_knows or here.on or (there.on and store.owner not in ("", side)):
        return None
    left = budget._replace(wakes=budget.wakes - 1)
    if line.runner_knows:
        return store, left, here, ActorStarted(0)
    return store._replace(owner=side), left, Host(on=True), ActorStarted(0)


def arrive(line: Line, queue: tuple[Carried, ...]) -> Values | None:
    """A link's oldest frame arrives."""
    if not queue or line.stalled:
        return None
    frame, number = queue[0]
    if isinstance(frame, TunnelAck):
        return queue[1:], Received(frame, line.link, number=number)
    return queue[1:], Received(frame, line.link, bytes([number]))


def breaks(line: Line, budget: Budget) -> Values | None:
    """What is on the link is lost; its ends have yet to notice."""
    if not line.up or not budget.breaks:
        return None
    return line._replace(up=False, stalled=False), budget._replace(breaks=budget.breaks - 1), (), ()


def crashes(system: System, line: Line, budget: Budget, runner: Runner) -> Values | None:
    """A runner's process dies with all that it knows; the gateway has yet to notice."""
    if not line.up or not budget.crashes:
        return None
    return (
        line._replace(up=False, stalled=False, runner_knows=True),
        budget._replace(crashes=budget.crashes - 1),
        system.fresh_runner(runner.machines),
        Host(),
        (),
        (),
    )


def stalls(line: Line, budget: Budget) -> Values | None:
    if not line.up or line.stalled or not budget.stalls:
        return None
    return line._replace(stalled=True), budget._replace(stalls=budget.stalls - 1)


def recovers(line: Line) -> Values | None:
    return (line._replace(stalled=False),) if line.stalled else None


def gateway_notices(line: Line) -> Values | None:
    """The relay closes on the runner's behalf."""
    if line.up or line.gateway_knows:
        return None
    close = Received(ToServerWebSocketClose(None, None, retry=True), line.link)
    return (Line(line.link + 2) if line.runner_knows else line._replace(gateway_knows=True)), close


def runner_notices(line: Line) -> Values | None:
    """The runner learns that its link is gone, and dials again; the gateway then knows at the latest."""
    if line.up or line.runner_knows:
        return None
    return (Line(line.link + 2) if line.gateway_knows else line._replace(runner_knows=True)), LinkLost(line.link, 0)


def acks_are_due(runner: Runner) -> Values | None:
    return (runner._replace(due=False), AckDue(0)) if runner.due else None


def answers(hibernates: bool, store: Store, host: Host, runner: Runner) -> Values | None:
    """The actor is asked whether it takes the socket; a close that waits is made durable first. How a socket ended that cannot
    hibernate is not remembered."""
    waiting = (*host.mailbox, *runner.machines[4].context.events)
    if not host.asked or any(isinstance(item, Conclude | SocketClosed) for item in waiting):
        return None
    after = host._replace(asked=False)
    if not host.on:
        return after, ActorRefuses(*NOT_FOUND, 0)
    if store.concluded and hibernates:
        return after, ActorRefuses(store.concluded, "", 0)
    return after, ActorAccepts(hibernates != host.wavers, store.last, store.last >= 0, 0)


def wavers(store: Store, host: Host, budget: Budget, runner: Runner) -> Values | None:
    """An actor that just started sees hibernation otherwise than in its other lives."""
    if not host.on or host.wavers or runner.machines[0].state == "OPEN" or not budget.wavers:
        return None
    return host._replace(wavers=True), budget._replace(wavers=budget.wavers - 1)


def listens(host: Host, runner: Runner) -> Values | None:
    """The actor attaches its listener, some time after it was asked."""
    if not host.on or runner.machines[4].state == "heard" or runner.machines[0].state == "CLOSED":
        return None
    return (ActorListens(),)


def processes(side: str, store: Store, host: Host) -> Values | None:
    """The actor handles what came first, and commits; one that may not write any longer stops."""
    if not host.mailbox:
        return None
    item, rest = host.mailbox[0], host._replace(mailbox=host.mailbox[1:])
    if store.owner != side:
        return store, Host(), ActorStops(0)
    if isinstance(item, SocketMessage):
        known = store.last if item.index < 0 else item.index
        return store._replace(last=known, applied=item.data[0]), rest, Committed(item.index, 0)
    if isinstance(item, SocketClosed) and not item.final:
        return store, rest, None
    return store._replace(concluded=store.concluded or item.code or LEAVE_CODE), rest, Concluded(0)


def sleeps(restless: bool, host: Host, budget: Budget) -> Values | None:
    """The actor goes to sleep, or crashes: what it had not committed is gone."""
    if not host.on or not budget.sleeps:
        return None
    return Host(asked=host.asked), budget._replace(sleeps=budget.sleeps - (not restless)), ActorStops(0)


def actor_sends(sends: int, host: Host, budget: Budget, runner: Runner) -> Values | None:
    if not host.on or not budget.sends or runner.machines[4].state != "heard":
        return None
    return budget._replace(sends=budget.sends - 1), ActorSends(bytes([sends - budget.sends + 1]), False, 0)


def actor_closes(side: str, store: Store, host: Host, budget: Budget, runner: Runner) -> Values | None:
    """The actor closes, in the same transaction as its state; what closed the socket first is what counts."""
    if not host.on or not budget.closes or store.owner != side or runner.machines[4].state != "heard":
        return None
    if runner.machines[0].state == "CLOSED":
        return None
    after = store._replace(concluded=store.concluded or ACTOR_CODE)
    return after, budget._replace(closes=budget.closes - 1), ActorCloses(ACTOR_CODE, "", 0)


# == time ============================================================================================================


def older(value: Any, oldest: int) -> Any:
    """The same value with all its instants a tick earlier."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        aged = {
            name: max(inner - 1, -oldest) if name in ("sent", "since") else older(inner, oldest)
            for name, inner in zip(value._fields, value, strict=True)
        }
        return type(value)(**aged)
    if hasattr(value, "append"):
        return type(value)(older(item, oldest) for item in value)
    if isinstance(value, tuple):
        return tuple(older(item, oldest) for item in value)
    return value


def quiet_gateway(oldest: int, gateway: Gateway) -> Values | None:
    """No short timer is armed, and no route is waited for: a tick is longer than all of them."""
    if gateway.opening or gateway.backing or gateway.resolving:
        return None
    return older(gateway, oldest), Collect(0)


def quiet_line(line: Line, down: tuple[Carried, ...], up: tuple[Carried, ...]) -> Values | None:
    """Nothing is on its way, unless it is stalled; both ends know whether the link is up."""
    return () if (line.up and (line.stalled or not (down or up))) else None


def quiet_runner(runner: Runner, host: Host) -> Values | None:
    """No ack is due, and no question unanswered. The actor itself may be slow."""
    return None if runner.due or host.asked else ()


def runner_ages(oldest: int, runner: Runner) -> Values:
    return older(runner, oldest), Collect(0)


# == lies ============================================================================================================


def slips_in(frame: Any, number: int, line: Line, queue: tuple[Carried, ...], budget: Budget) -> Values | None:
    """A frame that the tables did not send, behind all that is on the link."""
    if not line.up or not budget.lies:
        return None
    return (*queue, Carried(frame, number)), budget._replace(lies=budget.lies - 1)


def miscommits(index: int, budget: Budget) -> Values | None:
    """An actor's host claims a commit."""
    return (budget._replace(lies=budget.lies - 1), Committed(index, 0)) if budget.lies else None


def lies_up(modulus: int) -> Iterator[tuple[str, Any]]:
    """What a broken runner might say."""
    yield from ((f"ack-{index}", ToServerWebSocketMessageAck(index)) for index in range(modulus))
    yield from (
        (f"open-{can:d}-{last}", ToServerWebSocketOpen(can, last)) for can, last in product((False, True), (-1, 0, 3))
    )
    yield from (("close", ToServerWebSocketClose(1011, "", False)), ("retry", ToServerWebSocketClose(None, None, True)))
    yield from (("message", ToServerWebSocketMessage(b"\x63", False)), ("foreign", TunnelAck()))


def lies_down(modulus: int) -> Iterator[tuple[str, Any]]:
    """What a broken gateway might say."""
    yield from ((f"message-{index}", ToClientWebSocketMessage(index, b"\x63", False)) for index in range(modulus))
    yield from (("open", ToClientWebSocketOpen("", "", ())), ("close", ToClientWebSocketClose(None, None)))
    yield ("foreign", TunnelAck())


FOREIGN = 0
"""The number that no message of this endpoint has."""

LIE = 15
"""The number of a frame that the tables did not send."""

# == the whole =======================================================================================================


@dataclass(frozen=True, eq=False)
class System:
    """A bounded world over the tables of a gateway and a runner."""

    bounds: Bounds
    gateway: Endpoint = GATEWAY
    runner: Endpoint = RUNNER

    kind: ClassVar[str] = "socket"  # of world, and of the properties that are asked of it

    @property
    def limits(self) -> Limits:
        return self.bounds.limits

    @cached_property
    def sides(self) -> tuple[str, ...]:
        return SIDES[: self.bounds.runners]

    @cached_property
    def components(self) -> tuple[str, ...]:
        """The names of the world's parts; those of one side stand together."""
        parts = ("line", "down", "up", "runner", "host")
        return ("client", "gateway", "store", "budget", *(f"{part}_{side}" for side in self.sides for part in parts))

    def start(self) -> dict[str, Any]:
        """The world at its beginning."""
        b = self.bounds
        budget = Budget(
            *(b.leaves, b.wavers, b.sends, b.closes, b.sleeps, b.wakes),
            *(b.moves, b.breaks, b.crashes, b.stalls, b.lies),
        )
        world: dict[str, Any] = {"client": Client(), "gateway": Gateway(self.gateway.start()), "store": Store()}
        if b.acked >= 0:
            world = {"client": Client("open"), "gateway": self._asleep(), "store": Store(last=b.acked)}
        world["budget"] = budget
        for place, side in enumerate(self.sides):
            parts = (Line(place + 1), (), (), Runner(self.runner.start()), Host())
            world |= zip((f"{p}_{side}" for p in ("line", "down", "up", "runner", "host")), parts, strict=True)
        return world

    def _asleep(self) -> Gateway:
        """A connection that was open before, whose actor sleeps and has acked all it was sent."""
        queue = Queue(acked=self.bounds.acked, confirmed=True)
        contexts: dict[str, Any] = {"connection": Connection(established=True), "ack": queue}
        states = {"connection": "asleep", "tunnel": "down", "ack": "held", "hibernation": "asleep"}
        return Gateway(self.gateway.start(states, **contexts))

    def fresh_runner(self, before: tuple[Local, ...]) -> Runner:
        """A new entry, which does not reuse the message ids of the one before."""
        return Runner(self.runner.again(before))

    @property
    def said(self) -> tuple[str, ...]:
        """The registers of what the gateway says to each side."""
        return tuple(f"said_{x}" for x in self.sides)

    @cached_property
    def gateway_stage(self) -> Stage:
        """The gateway's endpoint hears."""
        return Stage(
            gateway_hears, ("gateway", "heard"), ("gateway", *self.said, "said_client", "refused", "took"), (self,)
        )

    @cached_property
    def runner_stages(self) -> Mapping[str, Stage]:
        """The runners' endpoints hear."""
        return {
            x: Stage(
                runner_hears,
                (f"runner_{x}", "heard"),
                (f"runner_{x}", "said", "said_host", "refused", "took"),
                (self, x),
            )
            for x in self.sides
        }

    @cached_property
    def process_stages(self) -> Mapping[str, Stage]:
        """The actors process."""
        return {x: Stage(processes, ("store", f"host_{x}"), ("store", f"host_{x}", "heard"), (x,)) for x in self.sides}

    @cached_property
    def client_stage(self) -> Stage:
        """The client hears."""
        return Stage(tell_client, ("client", "said_client"), ("client",), idle="said_client")

    def stages(self, name: str) -> tuple[Stage, ...]:
        """The stages that a property of steps is about: what the gateway hears, the runners, the client; what the actors
        process. Raises ``KeyError``."""
        if name == "gateway":
            return (self.gateway_stage,)
        if name == "client":
            return (self.client_stage,)
        return tuple({"runner": self.runner_stages, "process": self.process_stages}[name].values())

    def endpoints(self) -> dict[str, Endpoint]:
        """Its endpoints, by the names of its fields."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in values if isinstance(value, Endpoint)}

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """All that can happen, in a fixed order."""
        return tuple(self._actions())

    def _at_gateway(self, *first: Stage) -> tuple[Stage, ...]:
        carries = (
            Stage(carry, (f"line_{x}", f"down_{x}", f"said_{x}"), (f"down_{x}",), idle=f"said_{x}") for x in self.sides
        )
        return (*first, self.gateway_stage, *carries, self.client_stage)

    def _at_runner(self, x: str, *first: Stage) -> tuple[Stage, ...]:
        forgets = Stage(tell_store, ("store", "said_host"), ("store",), (x,), idle="said_host")
        return (
            *first,
            self.runner_stages[x],
            Stage(carry, (f"line_{x}", f"up_{x}", "said"), (f"up_{x}",), idle="said"),
            Stage(tell_host, (f"host_{x}", "said_host"), (f"host_{x}",), idle="said_host"),
            *((forgets,) if self.bounds.passes else ()),
        )

    def _actions(self) -> Iterator[Action]:
        b = self.bounds
        yield Action(
            "connect",
            "client",
            "The client connects.",
            self._at_gateway(Stage(client_connects, ("client",), ("client", "heard"))),
        )
        yield Action(
            "say",
            "client",
            "The client sends a message.",
            self._at_gateway(Stage(client_says, ("client",), ("client", "heard"), (b.says,))),
        )
        if b.leaves:
            yield Action(
                "leave",
                "client",
                "The client closes its socket.",
                self._at_gateway(Stage(client_leaves, ("client", "budget"), ("client", "budget", "heard"))),
            )
        yield Action(
            "open-timeout",
            "gateway",
            "The runner did not answer the open in time.",
            self._at_gateway(Stage(open_times_out, ("gateway",), ("gateway", "heard"))),
        )
        yield Action(
            "backoff",
            "gateway",
            "The pause before the next try is over.",
            self._at_gateway(Stage(backoff_ends, ("gateway",), ("gateway", "heard"))),
        )
        yield Action(
            "route-fails",
            "router",
            "No runner can be reached.",
            self._at_gateway(
                Stage(resolves, ("gateway",), ()),
                *(Stage(finds_none, (f"line_{x}",), ()) for x in self.sides),
                Stage(route_fails, (), ("heard",)),
            ),
        )
        for x in self.sides:
            yield from self._side(x, SIDES[1 - SIDES.index(x)])
        if b.passes:
            oldest = self.limits.max_hibernation_ms + 1
            quiet = [
                stage
                for x in self.sides
                for stage in (
                    Stage(quiet_line, (f"line_{x}", f"down_{x}", f"up_{x}"), ()),
                    Stage(quiet_runner, (f"runner_{x}", f"host_{x}"), ()),
                )
            ]
            ages = [
                stage
                for x in self.sides
                for stage in self._at_runner(
                    x, Stage(runner_ages, (f"runner_{x}",), (f"runner_{x}", "heard"), (oldest,))
                )
            ]
            gateway = Stage(quiet_gateway, ("gateway",), ("gateway", "heard"), (oldest,))
            yield Action(
                "tick", "time", "15 s pass, and garbage is collected.", (*quiet, *self._at_gateway(gateway), *ages)
            )

    def _side(self, x: str, y: str) -> Iterator[Action]:
        b = self.bounds
        line, down, up, runner, host = (f"{part}_{x}" for part in ("line", "down", "up", "runner", "host"))
        there = (f"line_{y}", f"host_{y}") if b.runners > 1 else (line, host)
        yield Action(
            f"route-{x}",
            "router",
            f"The actor is on runner {x}, or is started there.",
            self._at_gateway(
                Stage(resolves, ("gateway",), ()),
                Stage(finds, ("store", "budget", line, host, *there), ("store", "budget", host, "heard"), (x,)),
            ),
        )
        yield Action(
            f"up-{x}",
            f"link {x}",
            f"A frame from runner {x} arrives.",
            self._at_gateway(Stage(arrive, (line, up), (up, "heard"))),
        )
        yield Action(
            f"down-{x}",
            f"link {x}",
            f"A frame from the gateway arrives at runner {x}.",
            self._at_runner(x, Stage(arrive, (line, down), (down, "heard"))),
        )
        yield Action(
            f"answer-{x}",
            f"actor {x}",
            "The actor answers whether it takes the socket.",
            self._at_runner(x, Stage(answers, ("store", host, runner), (host, "heard"), (b.hibernates,))),
        )
        yield Action(
            f"listen-{x}",
            f"actor {x}",
            "The actor attaches its listener.",
            self._at_runner(x, Stage(listens, (host, runner), ("heard",))),
        )
        yield Action(
            f"process-{x}",
            f"actor {x}",
            "The actor handles what came first, and commits.",
            self._at_runner(x, self.process_stages[x]),
        )
        yield Action(
            f"ack-due-{x}",
            f"runner {x}",
            "The batch of message acks is due.",
            self._at_runner(x, Stage(acks_are_due, (runner,), (runner, "heard"))),
        )
        if b.wavers:
            yield Action(
                f"waver-{x}",
                f"actor {x}",
                "The actor changes its mind about hibernating.",
                (Stage(wavers, ("store", host, "budget", runner), (host, "budget")),),
            )
        if b.sleeps:
            yield Action(
                f"sleep-{x}",
                f"actor {x}",
                "The actor goes to sleep, or crashes.",
                self._at_runner(x, Stage(sleeps, (host, "budget"), (host, "budget", "heard"), (b.restless,))),
            )
        if b.wakes:
            others = there[1]
            yield Action(
                f"start-{x}",
                "router",
                "The actor starts for a cause of its own.",
                self._at_gateway(
                    Stage(starts, ("store", "budget", line, host, others), ("store", "budget", host, "heard"), (x,))
                ),
            )
        if b.sends:
            yield Action(
                f"send-{x}",
                f"actor {x}",
                "The actor sends the client a message.",
                self._at_runner(x, Stage(actor_sends, (host, "budget", runner), ("budget", "heard"), (b.sends,))),
            )
        if b.closes:
            yield Action(
                f"close-{x}",
                f"actor {x}",
                "The actor closes the socket.",
                self._at_runner(
                    x, Stage(actor_closes, ("store", host, "budget", runner), ("store", "budget", "heard"), (x,))
                ),
            )
        if b.breaks:
            yield Action(
                f"break-{x}",
                f"link {x}",
                f"The link of runner {x} breaks.",
                (Stage(breaks, (line, "budget"), (line, "budget", down, up)),),
            )
        if b.crashes:
            yield Action(
                f"crash-{x}",
                f"runner {x}",
                f"The process of runner {x} dies.",
                (Stage(crashes, (line, "budget", runner), (line, "budget", runner, host, down, up), (self,)),),
            )
        if b.breaks or b.crashes:
            yield Action(
                f"gateway-notices-{x}",
                "gateway",
                f"The gateway notices that the link of runner {x} is lost.",
                self._at_gateway(Stage(gateway_notices, (line,), (line, "heard"))),
            )
        if b.breaks:
            yield Action(
                f"runner-notices-{x}",
                f"runner {x}",
                f"Runner {x} notices that its link is lost.",
                self._at_runner(x, Stage(runner_notices, (line,), (line, "heard"))),
            )
        if b.stalls:
            yield Action(
                f"stall-{x}",
                f"link {x}",
                f"The link of runner {x} carries nothing for a while.",
                (Stage(stalls, (line, "budget"), (line, "budget")),),
            )
            yield Action(
                f"recover-{x}",
                f"link {x}",
                f"The link of runner {x} carries again.",
                (Stage(recovers, (line,), (line,)),),
            )
        if b.lies:
            yield from (lie for lie in self._lies(x) if lie.id.startswith(f"lie-{b.lying}"))

    def _lies(self, x: str) -> Iterator[Action]:
        line = f"line_{x}"
        for index in range(self.limits.index_modulus):
            yield Action(
                f"lie-commit-{index}-{x}",
                f"actor {x}",
                "The actor claims to have committed what it was not given.",
                self._at_runner(x, Stage(miscommits, ("budget",), ("budget", "heard"), (index,))),
            )
        for towards, lies in (("up", lies_up), ("down", lies_down)):
            queue = f"{towards}_{x}"
            for name, frame in lies(self.limits.index_modulus):
                number = FOREIGN if isinstance(frame, TunnelAck) else LIE
                yield Action(
                    f"lie-{towards}-{name}-{x}",
                    f"link {x}",
                    "A frame that the tables did not send.",
                    (Stage(slips_in, (line, queue, "budget"), (queue, "budget"), (frame, number)),),
                )

    def over(self, changed: Callable[[Endpoint], Endpoint]) -> System:
        """The same world over other endpoints."""
        endpoints: dict[str, Any] = {name: changed(endpoint) for name, endpoint in self.endpoints().items()}
        return replace(self, **endpoints)

    def with_bounds(self, **changes: Any) -> System:
        """The same tables in a world with other bounds."""
        return replace(self, bounds=replace(self.bounds, **changes))
