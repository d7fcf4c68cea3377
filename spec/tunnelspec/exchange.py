"""The closed world of a plain HTTP request: a caller, a gateway, a relay, a link that breaks, a runner and an actor.

It is a world as ``system`` has it, over the endpoints for requests. Of ``Bounds`` it heeds ``says`` (pieces of the request's body),
``sends`` (pieces of the response's), ``leaves``, ``closes`` (the actor fails), ``sleeps`` (it stops), ``breaks``, ``stalls``,
``passes`` and ``lies``. The relay stands at the gateway's end of the link and sees what passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from tunnelspec.endpoint import HTTP_GATEWAY, HTTP_RUNNER, RELAY, Endpoint, Local
from tunnelspec.events import (
    ActorFails,
    ActorResponds,
    ActorResponseBody,
    ActorStops,
    BackoffOver,
    CallActor,
    CallBody,
    CancelCall,
    Collect,
    Free,
    LinkLost,
    OnBehalf,
    ReadClient,
    RequestBegun,
    RequestBody,
    RequestDropped,
    Resolve,
    Respond,
    RespondAbort,
    RespondBody,
    ResponseTimeout,
    RouteFailed,
    RouteFound,
)
from tunnelspec.frames import (
    ToClientRequestAbort,
    ToClientRequestChunk,
    ToClientRequestStart,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
    TunnelAck,
)
from tunnelspec.machine import Received, Violation
from tunnelspec.system import (
    FOREIGN,
    LIE,
    Action,
    Carried,
    Stage,
    System,
    Values,
    armed,
    carried,
    carry,
    older,
    recovers,
    runner_ages,
    slips_in,
    stalls,
)

OK = 200  # RFC 9110, section 15.3.1
START = ToClientRequestStart("", "", "", (), None, True)


class Caller(NamedTuple):
    """The client. ``status`` is what it was given, 0 before that."""

    phase: str = "new"  # new, waiting, reading (of the response), answered, broken, left
    may_send: bool = False  # its request's body is being read
    said: int = 0  # pieces of the request's body
    status: int = 0
    heard: int = 0  # the data of the last piece of the response's body


class Carrier(NamedTuple):
    """The gateway's endpoint, its armed timers, and whether it waits for a route."""

    machines: tuple[Local, ...]
    timing: bool = False  # ResponseTimeout is armed
    backing: bool = False  # BackoffOver is armed
    resolving: bool = False
    ended: bool = False


class Callee(NamedTuple):
    """The runner's endpoint."""

    machines: tuple[Local, ...]


class Ran(NamedTuple):
    """What the actor did of it, durably: how often it was called."""

    calls: int = 0


class Handler(NamedTuple):
    """The actor: whether it has the request, and how far it is with it."""

    phase: str = "idle"  # idle, called, responding
    heard: int = 0  # the data of the last piece of the request's body
    said: int = 0  # the data of the last piece of its response's
    finished: int = 0  # responses that it made whole


class Wire(NamedTuple):
    """A runner's link, and where the relay stands on it. When it breaks, each end notices for itself."""

    relay: tuple[Local, ...]
    link: int = 1
    up: bool = True
    stalled: bool = False
    gateway_knows: bool = False
    runner_knows: bool = False


class Left(NamedTuple):
    """What of the bounds is left."""

    leaves: int
    closes: int
    sleeps: int
    sends: int
    breaks: int
    stalls: int
    lies: int


# == the endpoints hear ==============================================================================================


def gateway_hears(world: Exchange, gateway: Carrier, heard: Any) -> Values:
    """The gateway's tables decide; without an event, nothing."""
    if heard is None:
        return gateway, (), (), (), ()
    result = world.gateway.step(gateway.machines, heard, world.limits)
    outputs = result.outputs
    after = Carrier(
        result.state,
        armed(gateway.timing, ResponseTimeout, outputs),
        armed(gateway.backing, BackoffOver, outputs),
        Resolve() in outputs or (gateway.resolving and not isinstance(heard, RouteFound | RouteFailed)),
        gateway.ended or Free() in outputs,
    )
    to_client = tuple(o for o in outputs if isinstance(o, ReadClient | Respond | RespondBody | RespondAbort))
    refused = tuple(o.rule for o in outputs if isinstance(o, Violation))
    return after, carried(outputs, "a"), to_client, refused, tuple(t.step.transition.id for t in result.steps)


def runner_hears(world: Exchange, runner: Callee, heard: Any) -> Values:
    """The runner's tables decide; without an event, nothing. When the entry is freed, the next request begins a new one."""
    if heard is None:
        return runner, (), (), (), ()
    result = world.runner.step(runner.machines, heard, world.limits)
    outputs = result.outputs
    after = Callee(world.runner.again(result.state) if Free() in outputs else result.state)
    to_host = tuple(o for o in outputs if isinstance(o, CallActor | CallBody | CancelCall))
    refused = tuple(o.rule for o in outputs if isinstance(o, Violation))
    return after, carried(outputs, "a"), to_host, refused, tuple(t.step.transition.id for t in result.steps)


def relay_hears(world: Exchange, wire: Wire, heard: Any) -> Values:
    """The relay's table decides what it makes of a frame from the runner, or of the link's loss, and what it says then."""
    if not isinstance(heard, LinkLost) and not (
        isinstance(heard, Received) and type(heard.frame) in world.relay.listeners
    ):
        return wire, heard, ()
    result = world.relay.step(wire.relay, heard, world.limits)
    said = [Received(o.frame, heard.link) for o in result.outputs if isinstance(o, OnBehalf)]
    passed = heard if isinstance(heard, Received) else next(iter(said), None)
    relay = world.relay.start() if Free() in result.outputs else result.state
    return wire._replace(relay=relay), passed, tuple(t.step.transition.id for t in result.steps)


def relay_sees(world: Exchange, wire: Wire, said: tuple[tuple[int, Carried], ...]) -> Values:
    """The relay's table decides what it makes of what the gateway sends."""
    took: tuple[str, ...] = ()
    for link, sent in said:
        if type(sent.frame) in world.relay.listeners and link == wire.link and not wire.gateway_knows:
            result = world.relay.step(wire.relay, Received(sent.frame, link), world.limits)
            wire = wire._replace(relay=result.state)
            took += tuple(t.step.transition.id for t in result.steps)
    return wire, took


# == what they said is heard =========================================================================================


def tell_client(client: Caller, said: Values) -> Values:
    """The client hears the gateway."""
    for output in said:
        if client.phase in ("left", "broken", "answered"):
            break
        if isinstance(output, ReadClient):
            client = client._replace(may_send=True)
        elif isinstance(output, Respond):
            client = client._replace(phase="reading" if output.stream else "answered", status=output.status)
        elif isinstance(output, RespondBody):
            heard = output.data[0] if output.data else client.heard
            client = client._replace(phase="answered" if output.finish else client.phase, heard=heard)
        elif isinstance(output, RespondAbort):
            client = client._replace(phase="broken")
    return (client,)


def tell_host(store: Ran, host: Handler, said: Values) -> Values:
    """The actor hears the runner."""
    for output in said:
        if isinstance(output, CallActor):
            store, host = Ran(store.calls + 1), host._replace(phase="called", heard=0, said=0)
        elif isinstance(output, CallBody):
            host = host._replace(heard=output.data[0])
        elif isinstance(output, CancelCall):
            host = host._replace(phase="idle")
    return store, host


# == what can happen =================================================================================================


def begins(client: Caller) -> Values | None:
    return (client._replace(phase="waiting"), RequestBegun(START)) if client.phase == "new" else None


def sends_body(says: int, client: Caller) -> Values | None:
    """A piece of the request's body; the last of them finishes it. Also a client that was answered may have sent before it saw
    that."""
    if not client.may_send or client.said == says or client.phase in ("new", "left"):
        return None
    said = client.said + 1
    return client._replace(said=said), RequestBody(bytes([said]), said == says)


def leaves(client: Caller, budget: Left) -> Values | None:
    """Also one that was answered may have left before it saw that."""
    if client.phase in ("new", "left") or not budget.leaves:
        return None
    after = client._replace(phase="left") if client.phase in ("waiting", "reading") else client
    return after, budget._replace(leaves=0), RequestDropped()


def times_out(gateway: Carrier) -> Values | None:
    return (gateway._replace(timing=False), ResponseTimeout()) if gateway.timing else None


def backoff_ends(gateway: Carrier) -> Values | None:
    return (gateway._replace(backing=False), BackoffOver()) if gateway.backing else None


def finds(gateway: Carrier, wire: Wire) -> Values | None:
    """Also where the answer is no longer wanted."""
    return (RouteFound(wire.link),) if gateway.resolving and not wire.gateway_knows else None


def finds_none(gateway: Carrier) -> Values | None:
    return (RouteFailed(),) if gateway.resolving else None


def arrives(wire: Wire, queue: tuple[Carried, ...]) -> Values | None:
    """A link's oldest frame arrives."""
    if not queue or wire.stalled:
        return None
    frame, number = queue[0]
    if isinstance(frame, TunnelAck):
        return queue[1:], Received(frame, wire.link, number=number)
    return queue[1:], Received(frame, wire.link, bytes([number]))


def breaks(wire: Wire, budget: Left) -> Values | None:
    """What is on the link is lost; its ends have yet to notice."""
    if not wire.up or not budget.breaks:
        return None
    return wire._replace(up=False, stalled=False), budget._replace(breaks=budget.breaks - 1), (), ()


def dialled(world: Exchange, wire: Wire) -> Wire:
    """The next link."""
    return Wire(world.relay.start(), wire.link + 2)


def gateway_notices(world: Exchange, wire: Wire) -> Values | None:
    """The relay speaks for the runner."""
    if wire.up or wire.gateway_knows:
        return None
    return wire, LinkLost(wire.link)


def gateway_knows(world: Exchange, wire: Wire) -> Values:
    return ((dialled(world, wire) if wire.runner_knows else wire._replace(gateway_knows=True)),)


def runner_notices(world: Exchange, wire: Wire) -> Values | None:
    """The runner learns that its link is gone, and dials again."""
    if wire.up or wire.runner_knows:
        return None
    after = dialled(world, wire) if wire.gateway_knows else wire._replace(runner_knows=True)
    return after, LinkLost(wire.link)


def responds(stream: bool, host: Handler) -> Values | None:
    if host.phase != "called":
        return None
    after = host._replace(phase="responding") if stream else host._replace(phase="idle", finished=host.finished + 1)
    return after, ActorResponds(ToServerResponseStart(OK, (), None if stream else b"\0", stream))


def responds_more(host: Handler, budget: Left) -> Values | None:
    """A piece of the response's body; the last of them finishes it. Each response's pieces are counted from 1."""
    if host.phase != "responding":
        return None
    last = budget.sends == 0
    piece = host.said + 1
    after = host._replace(phase="idle", said=0, finished=host.finished + 1) if last else host._replace(said=piece)
    left = budget if last else budget._replace(sends=budget.sends - 1)
    return after, left, ActorResponseBody(bytes([piece]), last)


def fails(host: Handler, budget: Left) -> Values | None:
    if host.phase == "idle" or not budget.closes:
        return None
    return host._replace(phase="idle"), budget._replace(closes=budget.closes - 1), ActorFails()


def stops(host: Handler, budget: Left) -> Values | None:
    """The actor is to stop, whether it was called or not; what it does for a call ends when that is cancelled."""
    if not budget.sleeps:
        return None
    return host, budget._replace(sleeps=budget.sleeps - 1), ActorStops(0)


def quiet(oldest: int, gateway: Carrier, wire: Wire, down: Values, up: Values) -> Values | None:
    """No short timer is armed, and nothing is on its way but what is stalled: a tick is longer than all of that."""
    if gateway.timing or gateway.backing or gateway.resolving or not wire.up:
        return None
    return (older(gateway, oldest), Collect(0)) if wire.stalled or not (down or up) else None


LIES_UP: tuple[tuple[str, Any], ...] = (
    ("head", ToServerResponseStart(OK, (), None, True)), ("whole", ToServerResponseStart(OK, (), None, False)),
    ("piece", ToServerResponseChunk(b"\x63", False)), ("last", ToServerResponseChunk(b"\x63", True)),
    ("abort", ToServerResponseAbort()), ("foreign", TunnelAck()),
)  # fmt: skip
"""What a broken runner might say."""

LIES_DOWN: tuple[tuple[str, Any], ...] = (
    ("start", START), ("piece", ToClientRequestChunk(b"\x63", False)), ("abort", ToClientRequestAbort()),
    ("foreign", TunnelAck()),
)  # fmt: skip
"""What a broken gateway might say."""


STRAYS_UP: tuple[Any, ...] = (LIES_UP[0][1], LIES_UP[2][1], LIES_UP[4][1])
STRAYS_DOWN: tuple[Any, ...] = (LIES_DOWN[1][1], LIES_DOWN[2][1], LinkLost(0))
OUT_OF_TURN = (
    ("head", ActorResponds(LIES_UP[0][1])), ("piece", ActorResponseBody(b"\x63", False)), ("failure", ActorFails()),
)  # fmt: skip
"""What an actor may say that nobody asked."""


def strays(event: Any, wire: Wire, budget: Left) -> Values | None:
    """Something comes over a link that is not the request's."""
    if not budget.lies:
        return None
    left = budget._replace(lies=budget.lies - 1)
    return left, LinkLost(wire.link + 1) if isinstance(event, LinkLost) else Received(
        event, wire.link + 1, bytes([LIE])
    )


def speaks(event: Any, budget: Left) -> Values | None:
    return (budget._replace(lies=budget.lies - 1), event) if budget.lies else None


def lie_number(frame: Any) -> int:
    """A TunnelAck names nothing; another frame has a number of its own."""
    return FOREIGN if isinstance(frame, TunnelAck) else LIE


@dataclass(frozen=True, eq=False)
class Exchange(System):
    """A bounded world over the tables for one HTTP request."""

    gateway: Endpoint = HTTP_GATEWAY
    runner: Endpoint = HTTP_RUNNER
    relay: Endpoint = RELAY

    kind: ClassVar[str] = "request"

    @cached_property
    def sides(self) -> tuple[str, ...]:
        return ("a",)

    def start(self) -> dict[str, Any]:
        """The world at its beginning."""
        b = self.bounds
        return {
            "client": Caller(),
            "gateway": Carrier(self.gateway.start()),
            "store": Ran(),
            "budget": Left(b.leaves, b.closes, b.sleeps, b.sends, b.breaks, b.stalls, b.lies),
            "line_a": Wire(self.relay.start()),
            "down_a": (),
            "up_a": (),
            "runner_a": Callee(self.runner.start()),
            "host_a": Handler(),
        }

    @cached_property
    def gateway_stage(self) -> Stage:
        writes = ("gateway", "said_a", "said_client", "refused", "took")
        return Stage(gateway_hears, ("gateway", "heard"), writes, (self,))

    @cached_property
    def runner_stages(self) -> dict[str, Stage]:
        writes = ("runner_a", "said", "said_host", "refused", "took")
        return {"a": Stage(runner_hears, ("runner_a", "heard"), writes, (self,))}

    @cached_property
    def process_stages(self) -> dict[str, Stage]:
        """An actor that answers a request commits nothing for it."""
        return {}

    @cached_property
    def client_stage(self) -> Stage:
        return Stage(tell_client, ("client", "said_client"), ("client",), idle="said_client")

    def _heard_by_gateway(self, *first: Stage) -> tuple[Stage, ...]:
        return (
            *first,
            self.gateway_stage,
            Stage(carry, ("line_a", "down_a", "said_a"), ("down_a",), idle="said_a"),
            Stage(relay_sees, ("line_a", "said_a"), ("line_a", "took_seen"), (self,)),
            self.client_stage,
        )

    def _heard_by_runner(self, *first: Stage) -> tuple[Stage, ...]:
        return (
            *first,
            self.runner_stages["a"],
            Stage(carry, ("line_a", "up_a", "said"), ("up_a",), idle="said"),
            Stage(tell_host, ("store", "host_a", "said_host"), ("store", "host_a"), idle="said_host"),
        )

    def _actions(self) -> Iterator[Action]:
        b = self.bounds
        relay = Stage(relay_hears, ("line_a", "heard"), ("line_a", "heard", "took_relay"), (self,))

        def at_gateway(id_: str, party: str, says: str, *first: Stage) -> Action:
            return Action(id_, party, says, self._heard_by_gateway(*first))

        def at_runner(id_: str, party: str, says: str, *first: Stage) -> Action:
            return Action(id_, party, says, self._heard_by_runner(*first))

        yield at_gateway(
            "begin", "client", "The client begins its request.", Stage(begins, ("client",), ("client", "heard"))
        )
        yield at_gateway(
            "timeout",
            "gateway",
            "The response did not begin in time.",
            Stage(times_out, ("gateway",), ("gateway", "heard")),
        )
        yield at_gateway(
            "backoff",
            "gateway",
            "The pause before the next try is over.",
            Stage(backoff_ends, ("gateway",), ("gateway", "heard")),
        )
        yield at_gateway(
            "route-a", "router", "The actor is on the runner.", Stage(finds, ("gateway", "line_a"), ("heard",))
        )
        yield at_gateway(
            "route-fails", "router", "No runner can be reached.", Stage(finds_none, ("gateway",), ("heard",))
        )
        yield at_gateway(
            "up-a",
            "link a",
            "A frame from the runner arrives.",
            Stage(arrives, ("line_a", "up_a"), ("up_a", "heard")),
            relay,
        )
        yield at_runner(
            "down-a",
            "link a",
            "A frame from the gateway arrives at the runner.",
            Stage(arrives, ("line_a", "down_a"), ("down_a", "heard")),
        )
        for stream in (False, True):
            yield at_runner(
                "head-a" if stream else "respond-a",
                "actor a",
                "The actor begins its response." if stream else "The actor responds.",
                Stage(responds, ("host_a",), ("host_a", "heard"), (stream,)),
            )
        yield at_runner(
            "piece-a",
            "actor a",
            "The actor goes on with its response.",
            Stage(responds_more, ("host_a", "budget"), ("host_a", "budget", "heard")),
        )
        if b.says:
            yield at_gateway(
                "piece",
                "client",
                "The client goes on with its request.",
                Stage(sends_body, ("client",), ("client", "heard"), (b.says,)),
            )
        if b.leaves:
            yield at_gateway(
                "drop",
                "client",
                "The client goes away.",
                Stage(leaves, ("client", "budget"), ("client", "budget", "heard")),
            )
        for name, bound, do, says in (
            ("fail", b.closes, fails, "The actor fails."),
            ("stop", b.sleeps, stops, "The actor stops."),
        ):
            if bound:
                yield at_runner(
                    f"{name}-a", "actor a", says, Stage(do, ("host_a", "budget"), ("host_a", "budget", "heard"))
                )
        if b.breaks:
            yield Action(
                "break-a",
                "link a",
                "The link breaks.",
                (Stage(breaks, ("line_a", "budget"), ("line_a", "budget", "down_a", "up_a")),),
            )
            yield at_gateway(
                "gateway-notices-a",
                "gateway",
                "The gateway notices that the link is lost.",
                Stage(gateway_notices, ("line_a",), ("line_a", "heard"), (self,)),
                relay,
                Stage(gateway_knows, ("line_a",), ("line_a",), (self,)),
            )
            yield at_runner(
                "runner-notices-a",
                "runner a",
                "The runner notices that its link is lost.",
                Stage(runner_notices, ("line_a",), ("line_a", "heard"), (self,)),
            )
        if b.stalls:
            yield Action(
                "stall-a",
                "link a",
                "The link carries nothing for a while.",
                (Stage(stalls, ("line_a", "budget"), ("line_a", "budget")),),
            )
            yield Action("recover-a", "link a", "The link carries again.", (Stage(recovers, ("line_a",), ("line_a",)),))
        if b.passes:
            oldest = self.limits.max_hibernation_ms + 1
            yield Action(
                "tick",
                "time",
                "15 s pass, and garbage is collected.",
                (
                    Stage(quiet, ("gateway", "line_a", "down_a", "up_a"), ("gateway", "heard"), (oldest,)),
                    *self._heard_by_gateway(),
                    *self._heard_by_runner(Stage(runner_ages, ("runner_a",), ("runner_a", "heard"), (oldest,))),
                ),
            )
        if not b.lies:
            return
        for event in STRAYS_UP:
            yield at_gateway(
                f"stray-up-{type(event).__name__}-a",
                "link a",
                "A frame comes over another link.",
                Stage(strays, ("line_a", "budget"), ("budget", "heard"), (event,)),
            )
        for event in STRAYS_DOWN:
            yield at_runner(
                f"stray-down-{type(event).__name__}-a",
                "link a",
                "Something comes over another link.",
                Stage(strays, ("line_a", "budget"), ("budget", "heard"), (event,)),
            )
        for name, said in OUT_OF_TURN:
            yield at_runner(
                f"lie-{name}-a",
                "actor a",
                "The actor speaks out of turn.",
                Stage(speaks, ("budget",), ("budget", "heard"), (said,)),
            )
        for name, frame in LIES_UP:
            yield Action(
                f"lie-up-{name}-a",
                "link a",
                "A frame that the tables did not send.",
                (Stage(slips_in, ("line_a", "up_a", "budget"), ("up_a", "budget"), (frame, lie_number(frame))),),
            )
        for name, frame in LIES_DOWN:
            yield Action(f"lie-down-{name}-a", "link a", "A frame that the tables did not send.",
                         (Stage(slips_in, ("line_a", "down_a", "budget"), ("down_a", "budget"),
                                (frame, lie_number(frame))),))  # fmt: skip
